"""The application: routes from the table of operations, one middleware, and how it is served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.application.answers import Live
from gateway.bounds import Bounds, Reached
from gateway.core.readiness import Finding
from gateway.http.admission import Caller
from gateway.http.api import API, CALLER, Api
from gateway.http.boundary import boundary
from gateway.http.calls import books, outside, papers, requests
from gateway.http.calls.descriptions import Descriptions
from gateway.http.connections import Connections
from gateway.http.description.operations import OPERATIONS, Operation
from gateway.http.inputs import NoQuery, parse, too_large
from gateway.http.reply import problem_reply, view_reply
from gateway.http.server import ApiRunner, address
from gateway.monitoring.metrics import Metrics
from lianzhi.errors import RejectedError

__all__ = ["Api", "build_app", "serve_http", "serve_metrics", "serve_waiting"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Call = Callable[[web.Request, Api, Caller], Awaitable[web.StreamResponse]]
Open = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLS: dict[str, Call] = {
    "submit-request": requests.submit,
    "say": requests.say,
    "decide": requests.decide,
    "read-approvals": requests.read_approvals,
    "read-group": requests.read_group,
    "say-to-group": requests.say_to_group,
    "read-case": requests.read_case,
    "release-case": requests.release_case,
    "read-release": requests.read_release,
    "reassign-case": requests.reassign_case,
    "list-requests": requests.list_requests,
    "read-request": requests.read_request,
    "read-messages": requests.read_messages,
    "read-timeline": requests.read_timeline,
    "list-measures": requests.list_measures,
    "list-ledgers": books.list_ledgers,
    "read-ledger": books.read_ledger,
    "record-closure": books.record_closure,
    "read-report": books.read_report,
    "read-measure": requests.read_measure,
    "put-duty-roster": requests.put_roster,
    "read-duty-roster": requests.read_roster,
    "list-types": requests.list_types,
    "read-type": requests.read_type,
    "read-events": requests.read_events,
    "put-document": papers.put_document,
    "get-document": papers.get_document,
}
OPEN_CALLS: dict[str, Open] = {
    "read-keys": outside.read_keys,
    "live": outside.live,
    "ready": outside.ready,
    "acknowledge-page": requests.acknowledge_page,
}


def build_app(api: Api) -> web.Application:
    """Not yet serving. Raises KeyError for an operation without a handler."""
    app = web.Application(middlewares=[boundary], client_max_size=api.context.limits.message_bytes)
    app[API] = api
    catalogue = api.context.catalogue
    open_calls = OPEN_CALLS | Descriptions(catalogue).calls()
    for operation in OPERATIONS:
        known = operation.id in CALLS
        handler = _guarded(operation, CALLS[operation.id]) if known else _outside(open_calls[operation.id], operation)
        methods = (hdrs.METH_GET, hdrs.METH_HEAD) if operation.method.upper() == hdrs.METH_GET else (operation.method,)
        for method in methods:  # HEAD: what GET would answer, without its body (RFC 9110 section 9.3.2)
            app.router.add_route(method, operation.path, handler, expect_handler=_expect(operation))
    app.router.add_post("/v1/pages/{page_id}/acknowledge", requests.refuse_old_link)
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_close_watch)
    return app


@asynccontextmanager
async def serve_http(api: Api, host: str, port: int) -> AsyncIterator[int]:
    """The API on host:port until the block is left; gives the port (0 asks for a free one)."""
    async with _listening(build_app(api), api.connections, host, port) as found:
        yield found


@asynccontextmanager
async def serve_metrics(metrics: Metrics, bounds: Bounds, reached: Reached, host: str, port: int) -> AsyncIterator[int]:
    """`/metrics` and nothing else, on a listener of its own: it asks for no token, so it is not for everybody. A
    process without the API may have it too."""

    async def text(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            return problem_reply(RejectedError("invalid-field"), {"Connection": "close"})
        return web.Response(body=await metrics.text(), headers={"Content-Type": METRICS_TYPE})

    async def absent(_: web.Request) -> web.StreamResponse:
        return problem_reply(RejectedError("not-found"), {"Connection": "close"})

    app = web.Application()
    app.router.add_get("/metrics", text)
    app.router.add_route("*", "/{anything:.*}", absent)
    async with _listening(app, Connections(bounds, reached), host, port) as found:
        yield found


@asynccontextmanager
async def serve_waiting(bounds: Bounds, host: str, port: int) -> AsyncIterator[int]:
    """Instead of the API while its database is away: alive, not ready, and why; everything else is `unavailable`."""

    async def live(_: web.Request) -> web.StreamResponse:
        return view_reply(Live())

    async def ready(_: web.Request) -> web.StreamResponse:
        return outside.ready_reply("none", [Finding("store-away")])

    async def unavailable(_: web.Request) -> web.StreamResponse:
        return problem_reply(RejectedError("unavailable"), {"Connection": "close"})

    app = web.Application()
    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)
    app.router.add_route("*", "/{anything:.*}", unavailable)
    async with _listening(app, Connections(bounds, Reached()), host, port) as found:
        yield found


@asynccontextmanager
async def _listening(app: web.Application, connections: Connections, host: str, port: int) -> AsyncIterator[int]:
    runner = ApiRunner(app, connections)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield address(runner)
    finally:
        await runner.cleanup()


def _guarded(operation: Operation, call: Call) -> Handler:
    """First who calls and whether it may, then what it wants."""
    scope, bare = operation.scope or "", operation.query is NoQuery

    async def handler(request: web.Request) -> web.StreamResponse:
        api = request.app[API]
        credentials = request.headers.getall(hdrs.AUTHORIZATION, ())
        now = api.context.clock.now()
        caller = api.credentials.caller(credentials[0] if len(credentials) == 1 else None, now)
        request[CALLER] = caller
        caller.require(scope)
        if operation.home and not caller.participant.home:
            raise RejectedError("forbidden")
        if bare and request.query_string:
            parse(NoQuery, request.query)
        with api.budgets.take("requests_in_flight", caller):
            if caller.token is not None:
                await api.replays.once(caller, request.method, now)
            return await call(request, api, caller)

    return handler


def _outside(call: Open, operation: Operation | None = None) -> Handler:
    """Of whoever calls nothing is known. A call with parameters checks them itself."""
    bare = operation is None or operation.query is NoQuery

    async def handler(request: web.Request) -> web.StreamResponse:
        if bare and request.query_string:
            parse(NoQuery, request.query)
        return await call(request)

    return handler


def _expect(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse | None]]:
    """`Expect: 100-continue` is answered before a byte of the body is sent, so too large a one never is."""

    async def handler(request: web.Request) -> web.StreamResponse | None:
        limits = request.app[API].context.limits
        limit = limits.document_bytes if operation.body == "document" else limits.message_bytes
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            return problem_reply(RejectedError("malformed-request", pointer="/Expect"))
        if (request.content_length or 0) > limit:
            return problem_reply(too_large(limit), {"Connection": "close"})
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        return None

    return handler


async def _watching(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[API].watch.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _close_watch(app: web.Application) -> None:
    app[API].watch.close()
