"""The calls that write: submit a request, say a verb. The order of the checks is that of their cost."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from gateway.application.alerts.page_answers import old_link
from gateway.application.posts import Handed
from gateway.application.submission.submit import fingerprint
from gateway.core.recovery.doubts import Doubt
from gateway.core.routing import Client
from gateway.http.api import API, INCARNATION_HEADER, Api
from gateway.http.body import idempotency_key, json_body, message
from gateway.http.caller import Caller
from gateway.http.reply import answered, view_reply
from lianzhi.errors import RejectedError
from schemas.duty import Roster
from schemas.validation import InvalidError, validate


async def handed(request: web.Request, api: Api, caller: Caller) -> Handed:
    """The POST as it came. Raises RejectedError: no key, no client, not a form that is taken."""
    key = idempotency_key(request)
    content_type, body = await message(request, api.context)
    words = Handed(
        participant=caller.participant,
        client=_client(caller),
        key=key,
        fingerprint=fingerprint(request.method, request.path, body),
        content_type=content_type,
        body=body,
    )
    await not_in_doubt(request, api, words)
    return words


async def not_in_doubt(request: web.Request, api: Api, words: Handed) -> None:
    """Raises RejectedError in-doubt, done-before: it may be a retry of something that a restore has lost."""

    def row(now: datetime) -> Doubt:
        return Doubt(words.client.id, words.key, words.participant.code, request.path, words.fingerprint, now)

    said = request.headers.get(INCARNATION_HEADER)
    await api.doubts.judge(row, content_type=words.content_type, body=words.body, said=said)


async def submit(request: web.Request, api: Api, caller: Caller) -> web.Response:
    idempotency_key(request)
    await api.backlog.check()
    return answered(await api.submitter.submit(await handed(request, api, caller)))


async def say(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return answered(await api.actor.say(await handed(request, api, caller), request.match_info["no"]))


async def put_roster(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """The whole roster; the same one twice is the same roster, so no key is asked for."""
    body = await json_body(request, api.context)
    try:
        roster = validate(Roster, body)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error
    return view_reply(await api.roster.put(caller.participant, roster))


async def acknowledge_page(request: web.Request) -> web.Response:
    """By the link in a page: its token is the credential."""
    link = request.match_info
    return view_reply(await request.app[API].page_answers.acknowledge(link["page_id"], link["token"]))


async def refuse_old_link(request: web.Request) -> web.StreamResponse:
    """What pages carried before the token became a part of the path. Raises RejectedError link-gone."""
    raise old_link()


def _client(caller: Caller) -> Client:
    """Only a court system writes here; a partner's scopes never let it come so far."""
    if caller.client is None:
        raise RejectedError("forbidden")
    return caller.client
