"""Where every call comes in and every answer goes out: its id, its measure, its problem form, its log line.

What the other side sent wrong is answered by name. What is our own fault is answered `internal` and logged by type
and place, never by its text: an exception's text may repeat what somebody sent.
"""

from __future__ import annotations

import time
import traceback

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.errors import RejectedError, StoreUnavailableError
from gateway.http.api import API, CALLER, REQUEST_ID, Api
from gateway.http.reply import problem_reply
from gateway.services.context import new_id

log = structlog.get_logger("http")

REQUEST_ID_HEADER = "X-Request-Id"
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_FRAMES = 12


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The only middleware."""
    started = time.perf_counter()
    api = request.app[API]
    request[REQUEST_ID] = request_id = new_id()
    code: str | None = None
    try:
        response = await handler(request)
    except RejectedError as error:
        code, response = error.code, problem_reply(error)
    except StoreUnavailableError as error:
        log.warning("store-unavailable", request_id=request_id, error=type(error.__cause__ or error).__name__)
        code, response = "unavailable", problem_reply(RejectedError("unavailable"))
    except web.RequestPayloadError:
        code, response = "malformed-request", problem_reply(RejectedError("malformed-request"))
    except web.HTTPException as error:
        code, response = _foreign(error)
    except ConnectionError:
        return _nobody(request)
    except Exception as error:
        _log_fault(error, request_id)
        code, response = "internal", problem_reply(RejectedError("internal"))
    if response.prepared:
        return response
    response.headers[REQUEST_ID_HEADER] = request_id
    _note(api, request, response.status, code, time.perf_counter() - started)
    return response


def _nobody(request: web.Request) -> web.Response:
    """The caller went away, or got half of an answer: what is returned is never written."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def route_of(request: web.Request) -> str:
    """The pattern of the address, for counting; what fits none is one."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "other"


def _note(api: Api, request: web.Request, status: int, code: str | None, seconds: float) -> None:
    route = route_of(request)
    api.metrics.answered(request.method, route, status, seconds)
    if code is None and not api.access_log:
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


def _log_fault(error: BaseException, request_id: str) -> None:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    log.error(
        "internal",
        request_id=request_id,
        fault=type(error).__name__,
        at=[f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    )
