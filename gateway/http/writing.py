"""The calls that write: submit a request, say a verb. The order of the checks is that of their cost."""

from __future__ import annotations

from aiohttp import web

from gateway.core.routing import Client
from gateway.errors import RejectedError
from gateway.http.api import API, Api
from gateway.http.body import idempotency_key, json_body, message
from gateway.http.caller import Caller
from gateway.http.params import PageQuery, parse
from gateway.http.reply import answered, view_reply
from gateway.services.handed import Handed
from gateway.services.submit import fingerprint
from schemas.duty import Roster
from schemas.validation import InvalidError, validate


async def handed(request: web.Request, api: Api, caller: Caller) -> Handed:
    """The POST as it came. Raises RejectedError: no key, no client, not a form that is taken."""
    key = idempotency_key(request)
    content_type, body = await message(request, api.context.limits.message_bytes)
    return Handed(
        participant=caller.participant,
        client=_client(caller),
        key=key,
        fingerprint=fingerprint(request.method, request.path, body),
        content_type=content_type,
        body=body,
    )


async def submit(request: web.Request, api: Api, caller: Caller) -> web.Response:
    idempotency_key(request)
    await api.backlog.check()
    return answered(await api.submitter.submit(await handed(request, api, caller)))


async def say(request: web.Request, api: Api, caller: Caller) -> web.Response:
    key = idempotency_key(request)
    content_type, body = await message(request, api.context.limits.message_bytes)
    said = await api.hearer.hear(
        caller.participant,
        _client(caller),
        key,
        fingerprint(request.method, request.path, body),
        request.match_info["no"],
        content_type,
        body,
    )
    return answered(await api.actor.say(said))


async def put_roster(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """The whole roster; the same one twice is the same roster, so no key is asked for."""
    body = await json_body(request, api.context.limits)
    try:
        roster = validate(Roster, body)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error
    return view_reply(await api.roster.put(caller.participant, roster))


async def acknowledge_page(request: web.Request) -> web.Response:
    """By the link in a page: its token is the credential, and its number the key against doing it twice."""
    asked = parse(PageQuery, request.query)
    return view_reply(await request.app[API].page_answers.acknowledge(request.match_info["page_id"], asked.token))


def _client(caller: Caller) -> Client:
    """Only a court system writes here; a partner's scopes never let it come so far."""
    if caller.client is None:
        raise RejectedError("forbidden")
    return caller.client
