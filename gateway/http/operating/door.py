"""The operators' door: HTTP over the unix socket, `/operate/v1/…`, JSON. Who is not listed gets 403 and what to add.

Bounds are those of the public door: connections, time for a head and a body, the size of a body, and what one user has
in flight. No answer holds a payload.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.application.context import Context, new_id
from gateway.application.duty.alerts import Alerts
from gateway.application.operating.draining import Draining
from gateway.application.operating.incidents import Incidents
from gateway.application.operating.partners import Partners
from gateway.application.operating.pauses import Pauses
from gateway.application.operating.quarantine_acts import QuarantineActs
from gateway.application.operating.replays import Replays
from gateway.application.operating.resending import Resending
from gateway.application.operating.restores import Restores
from gateway.core.operating.operators import Operator, unlisted
from gateway.http.connections import Connections
from gateway.http.operating.peer import peer_of
from gateway.http.reply import json_reply, problem_reply
from gateway.http.server import ApiRunner
from lianzhi.crypto.strictjson import dumps, loads
from lianzhi.errors import ConfigurationError, RejectedError, StoreUnavailableError
from lianzhi.faults import cause_of, fault_of
from lianzhi.problem import FieldError

log = structlog.get_logger("operate")

BODY_BYTES = 64 << 10
IN_FLIGHT = 8
"""Of one user."""
BODY_DEPTH = 4
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


@dataclass(slots=True)
class Door:
    """operators: reads the list anew, user → operator; raises ConfigurationError."""

    context: Context
    operators: Callable[[], Mapping[str, Operator]]
    quarantine: QuarantineActs
    replays: Replays
    resending: Resending
    pauses: Pauses
    draining: Draining
    incidents: Incidents
    alerts: Alerts
    partners: Partners
    restores: Restores
    in_flight: Counter[int] = field(default_factory=Counter)


DOOR = web.AppKey("door", Door)
OPERATOR = web.RequestKey("operator", Operator)
Call = Callable[[web.Request, Door, Operator], Awaitable[Any]]
"""What it returns is answered as JSON."""


@asynccontextmanager
async def serve_operators(
    door: Door, sock: socket.socket, routes: Mapping[tuple[str, str], Call]
) -> AsyncIterator[None]:
    """On a socket that listens, until the block is left. routes: (method, path) → call."""
    app = web.Application(middlewares=[_boundary], client_max_size=2 * door.context.limits.message_bytes)
    app[DOOR] = door
    for (method, path), call in routes.items():
        app.router.add_route(method, path, _guarded(call))
    runner = ApiRunner(app, Connections(door.context.bounds, door.context.reached))
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()


def _guarded(call: Call) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        door = request.app[DOOR]
        uid, operator = await _operator(request, door)
        request[OPERATOR] = operator
        if door.in_flight[uid] >= IN_FLIGHT:
            raise RejectedError("too-many-requests", pointer="/operator", retry_after=1)
        door.in_flight[uid] += 1
        try:
            told = await call(request, door, operator)
        finally:
            door.in_flight[uid] -= 1
            if not door.in_flight[uid]:
                del door.in_flight[uid]
        return json_reply(dumps(told).encode())

    return handler


async def _operator(request: web.Request, door: Door) -> tuple[int, Operator]:
    """By the kernel's word and by the list as it is now.

    Raises RejectedError operator-forbidden, ConfigurationError.
    """
    peer = await peer_of(request.transport)
    if peer is None:
        raise RejectedError("operator-forbidden", pointer="/operator")
    listed = await asyncio.to_thread(door.operators)
    operator = listed.get(peer.user) if peer.user is not None else None
    if operator is None:
        log.warning("not-an-operator", uid=peer.uid, user=peer.user)
        raise unlisted(peer.user, peer.uid)
    return peer.uid, operator


async def body_of(request: web.Request, door: Door, *members: str, most: int = BODY_BYTES) -> dict[str, Any]:
    """A JSON object with no members but these, of at most so many bytes; no body is an empty one.

    Raises RejectedError."""
    if (request.content_length or 0) > most:
        raise RejectedError("too-large", pointer="")
    try:
        async with asyncio.timeout(door.context.bounds.http_body_seconds):
            raw = await request.read()
    except TimeoutError:
        raise RejectedError("too-slow", pointer="") from None
    if len(raw) > most:
        raise RejectedError("too-large", pointer="")
    body = loads(raw, depth=BODY_DEPTH) if raw else {}
    if not isinstance(body, dict):
        raise RejectedError("malformed-json", pointer="")
    if unknown := sorted(body.keys() - set(members)):
        named = ", ".join(members) or "–"
        raise RejectedError(
            "invalid-field",
            [
                FieldError(
                    pointer="",
                    rule="unknown-member",
                    detail=f"只有这些成员：{named}（多出 {len(unknown)} 个）",
                    detail_en=f"Members are: {named} ({len(unknown)} too many)",
                )
            ],
        )
    return body


@web.middleware
async def _boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Its problem document and its log line, as at the public door."""
    started, request_id = time.perf_counter(), new_id()
    code: str | None = None
    try:
        response = await handler(request)
    except RejectedError as error:
        code, response = error.code, problem_reply(error)
    except StoreUnavailableError as error:
        log.warning("store-unavailable", request_id=request_id, error=cause_of(error))
        code, response = "unavailable", problem_reply(RejectedError("unavailable"))
    except ConfigurationError as error:
        refusal = _list_is_wrong(error)
        code, response = refusal.code, problem_reply(refusal)
    except web.HTTPException as error:
        code = _BY_STATUS.get(error.status, "malformed-request")
        response = problem_reply(RejectedError(code))
    except ConnectionError:
        return web.Response(status=499)
    except Exception as error:
        log.error("internal", request_id=request_id, **fault_of(error))
        code, response = "internal", problem_reply(RejectedError("internal"))
    operator = request.get(OPERATOR)
    resource = request.match_info.route.resource
    if code is not None:
        log.info(
            "refused", request_id=request_id, user=operator.user if operator else None, method=request.method,
            route=resource.canonical if resource else "other", status=response.status, code=code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )  # fmt: skip
    return response


def _list_is_wrong(error: ConfigurationError) -> RejectedError:
    """The list of operators cannot be read: nobody acts until it can."""
    detail = FieldError(pointer="/operator", rule="operators-unreadable", detail=str(error), detail_en=str(error))
    return RejectedError("operators-unreadable", [detail])
