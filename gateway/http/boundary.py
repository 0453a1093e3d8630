"""The middleware of every call: its id, its metrics, its problem document, its log line.

What the other side sent wrong is answered by name. What is our own fault is answered `internal` and logged by type
and place, never by its text: an exception's text may repeat what somebody sent.
"""

from __future__ import annotations

import time

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.application.context import new_id
from gateway.http.api import API, CALLER, INCARNATION_HEADER, REQUEST_ID, Api
from gateway.http.connections import HEALTH
from gateway.http.reply import problem_reply
from gateway.http.server import ApiProtocol
from gateway.http.traced import TracedCall, begin
from lianzhi.errors import RejectedError, StoreUnavailableError
from lianzhi.faults import cause_of, fault_of

log = structlog.get_logger("http")

REQUEST_ID_HEADER = "X-Request-Id"
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
TOO_SLOW = 408
COUNTED_ALONE = frozenset({"too-many-requests", "too-many-connections"})
"""Refusals without a line in the log: a flood of them would be a flood of lines."""


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The only middleware."""
    started = time.perf_counter()
    api = request.app[API]
    request[REQUEST_ID] = request_id = new_id()
    code: str | None = None
    call = None if api.context.tracer is None else begin(request, api.context.tracer)
    try:
        response = await _admitted(api, request, handler)
    except RejectedError as error:
        code, response = error.code, problem_reply(error)
        if error.reason.status == TOO_SLOW:
            response.force_close()
    except StoreUnavailableError as error:
        log.warning("store-unavailable", request_id=request_id, error=cause_of(error))
        code, response = "unavailable", problem_reply(RejectedError("unavailable"))
    except web.RequestPayloadError:
        code, response = "malformed-request", problem_reply(RejectedError("malformed-request"))
    except web.HTTPException as error:
        code, response = _foreign(error)
    except ConnectionError:
        gone = _nobody(request)
        if call is not None:
            _end(call, request, gone, "connection-lost")
        return gone
    except Exception as error:
        log.error("internal", request_id=request_id, **fault_of(error))
        code, response = "internal", problem_reply(RejectedError("internal"))
    if response.prepared:
        return response
    if getattr(request.protocol, "health_alone", False):
        response.force_close()
    response.headers[REQUEST_ID_HEADER] = request_id
    response.headers[INCARNATION_HEADER] = api.context.identity.incarnation
    if call is not None:
        _end(call, request, response, code)
    _note(api, request, response.status, code, time.perf_counter() - started)
    return response


async def _admitted(api: Api, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Raises RejectedError: too-many-connections (this one may only ask for health), too-many-requests (of an address
    behind a proxy)."""
    connection = request.protocol
    if not isinstance(connection, ApiProtocol):
        return await handler(request)
    if connection.health_alone:
        if request.path not in HEALTH:
            raise RejectedError("too-many-connections")
    elif connection.proxied and request.path not in HEALTH:
        with api.connections.forwarded(request.headers):
            return await handler(request)
    return await handler(request)


def _nobody(request: web.Request) -> web.Response:
    """The caller went away, or got half of an answer: what is returned is never written."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def route_of(request: web.Request) -> str:
    """The pattern of the address, for counting; what fits none is one."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "other"


def _end(call: TracedCall, request: web.Request, response: web.StreamResponse, code: str | None) -> None:
    """Of whom nothing is known, and who asks too often, no span: a flood of them would crowd the others out."""
    caller = request.get(CALLER)
    if caller is not None and code not in COUNTED_ALONE:
        call.answered(route_of(request), response, code, caller.name)


def _note(api: Api, request: web.Request, status: int, code: str | None, seconds: float) -> None:
    route = route_of(request)
    api.metrics.answered(request.method, route, status, seconds)
    if code in COUNTED_ALONE or (code is None and not api.access_log):
        return
    caller = request.get(CALLER)
    log.info(
        "answered" if code is None else "refused",
        request_id=request[REQUEST_ID],
        client=caller.name if caller else None,
        method=request.method,
        route=route,
        status=status,
        code=code,
        ms=round(seconds * 1000, 1),
    )


def _foreign(error: web.HTTPException) -> tuple[str, web.Response]:
    """aiohttp's own refusals in our form."""
    code = _BY_STATUS.get(error.status, "internal" if error.status >= 500 else "malformed-request")
    more = {"Allow": error.headers[hdrs.ALLOW]} if hdrs.ALLOW in error.headers else {}
    return code, problem_reply(RejectedError(code), more)
