"""The calls that write: submit a request, say a verb. The order of the checks is that of their cost."""

from __future__ import annotations

from aiohttp import web

from gateway.core.routing import Client
from gateway.errors import RejectedError
from gateway.http.api import Api
from gateway.http.body import idempotency_key, message
from gateway.http.caller import Caller
from gateway.http.reply import answered
from gateway.services.handed import Handed
from gateway.services.submit import fingerprint


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


def _client(caller: Caller) -> Client:
    """Only a court system writes here; a partner's scopes never let it come so far."""
    if caller.client is None:
        raise RejectedError("forbidden")
    return caller.client
