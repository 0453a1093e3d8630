"""Serving, with some habits of aiohttp changed: what its parser refuses is answered as a problem too, and what the
parser says about it, which may repeat somebody's bytes, is not logged; no connection waits for a request, or for its
reader, without end; and there are no more of them than `gateway.http.connections` lets in.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import structlog
from aiohttp import StreamReader, web
from aiohttp.http import HttpRequestParser
from aiohttp.web_protocol import RequestHandler

from gateway.http.connections import Connections, Place
from gateway.http.reply import problem_bytes, problem_reply
from lianzhi.errors import RejectedError
from lianzhi.faults import fault_of

log = structlog.get_logger("http")

LINGER_SECONDS = 1.0
"""How long the rest of a refused body is thrown away, so that the refusal reaches a client that is still sending."""
KEEPALIVE_SECONDS = 75.0
"""How long a connection rests between two requests: longer than common proxies keep theirs (60 s)."""
SHUTDOWN_SECONDS = 10.0
LINE_BYTES = 8_190
"""Method, address and version together."""
FIELD_BYTES = 8_190
"""One header: a partner's JWT has at most 4,096 bytes."""
FIELDS = 64
"""Headers of one request."""
HEAD_BYTES = 32 << 10
"""All of a request before its body."""
PIPELINED = 8
"""Requests that one connection may have sent before the first of them is answered."""
READ_BYTES = 64 << 10


class ApiProtocol(RequestHandler):
    """One connection. health_alone: it stands in the reserve. proxied: its peer is a proxy of ours.

    _body: of the last request that came.
    """

    __slots__ = (
        "_body",
        "_connections",
        "_head_bytes",
        "_head_late",
        "_waits",
        "_wire",
        "_write_late",
        "health_alone",
        "proxied",
    )

    def __init__(self, server: web.Server, connections: Connections, **how: Any) -> None:
        super().__init__(server, read_bufsize=READ_BYTES, **how)
        self._max_msg_queue_size, self._msg_queue_resume_size = PIPELINED, PIPELINED // 2
        self._parser = HttpRequestParser(
            self, self._loop, READ_BYTES, max_line_size=LINE_BYTES, max_field_size=FIELD_BYTES, max_headers=FIELDS,
            payload_exception=web.RequestPayloadError, auto_decompress=False, max_msg_queue_size=PIPELINED,
        )  # fmt: skip
        self._connections = connections
        self._wire: asyncio.Transport | None = None
        self._head_late: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._body: StreamReader | None = None
        self._write_late: asyncio.TimerHandle | None = None
        self._waits: asyncio.Task[Any] | None = None
        self.health_alone = False
        self.proxied = False

    @property
    def at_work(self) -> bool:
        """See `gateway.http.connections.Connection`."""
        waiting = self._waiter
        if waiting is None:
            return self._request_count > 0
        return waiting.done()

    @property
    def asked_before(self) -> bool:
        return self._request_count > 0

    def give_way(self) -> None:
        if self._wire is not None:
            self._wire.abort()

    @contextmanager
    def ended_with_the_connection(self) -> Iterator[None]:
        """While the current task does nothing but wait for something to tell: it is cancelled when nobody is there to
        be told any more. Raises ConnectionResetError: nobody is already."""
        if self._wire is None:
            raise ConnectionResetError("the caller went away")
        self._waits = asyncio.current_task()
        try:
            yield
        finally:
            self._waits = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = wire = cast(asyncio.Transport, transport)
        peer = _address(wire)
        place = self._connections.enter(self, peer)
        if place is Place.NONE:
            self._force_close, self._manager = True, None  # nothing of it is read, and no task waits for it
            wire.write(_farewell("too-many-connections"))
            wire.close()
            return
        self.health_alone = place is Place.HEALTH_ALONE
        self.proxied = self._connections.is_proxy(peer)
        _no_waiting_for_acknowledgements(wire, self._connections.bounds.http_body_seconds)
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        for timer in (self._head_late, self._write_late):
            if timer is not None:
                timer.cancel()
        self._wire = None
        self._connections.leave(self)
        if self._waits is not None:
            self._waits.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Beside what aiohttp does: from the first byte of a request its head must be whole within its time, and
        within its size."""
        heads, between = self._request_count, self._body is None or self._body.is_eof()
        super().data_received(data)
        if self._request_count != heads:
            self._body, self._head_bytes = self._messages[-1][1], 0
            if self._head_late is not None:
                self._head_late.cancel()
                self._head_late = None
        elif between and data and not self._force_close:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._end("malformed-request")
            elif self._head_late is None:
                self._await_head()

    def pause_writing(self) -> None:
        """Whoever does not read its answer is given up."""
        super().pause_writing()
        self._write_late = self._loop.call_later(self._connections.bounds.http_body_seconds, self._unread)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_late is not None:
            self._write_late.cancel()
            self._write_late = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What never came as far as the middleware: a malformed request, or our own fault outside of it."""
        code = "malformed-request" if status < 500 else "internal"
        log.warning(code, **(fault_of(exc) if exc else {}))
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is sent already")
        response = problem_reply(RejectedError(code))
        response.force_close()
        return response

    def _await_head(self) -> None:
        self._head_late = self._loop.call_later(self._connections.bounds.http_header_seconds, self._too_late)

    def _too_late(self) -> None:
        if self.at_work:
            self._await_head()  # what was asked before is answered first
            return
        self._head_late = None
        self._connections.reached.count("http_header_seconds")
        self._end("too-slow" if self._head_bytes else None)

    def _unread(self) -> None:
        self._connections.reached.count("http_body_seconds")
        self.give_way()

    def _end(self, code: str | None) -> None:
        """Close, with a last word to whoever has begun to speak."""
        if code is not None and self.transport is not None:
            self.transport.write(_farewell(code))
        self.force_close()


class ApiServer(web.Server):
    """Gives each connection our protocol."""

    def __init__(self, server: web.Server, connections: Connections) -> None:
        super().__init__(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,  # noqa: SLF001 (aiohttp has no other way to make its server again)
            **server._kwargs,  # noqa: SLF001
        )
        self._door = connections

    def __call__(self) -> RequestHandler:
        return ApiProtocol(self, self._door, loop=self._loop, **self._kwargs)


class ApiRunner(web.AppRunner):
    """No access log of aiohttp's; bodies are taken as they come, never decompressed."""

    def __init__(self, app: web.Application, connections: Connections, **more: Any) -> None:
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            lingering_time=LINGER_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
            **more,
        )
        self._door = connections

    async def _make_server(self) -> web.Server:
        return ApiServer(await super()._make_server(), self._door)


def address(runner: ApiRunner) -> int:
    """The port of the first socket."""
    return int(runner.addresses[0][1])


def _address(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _no_waiting_for_acknowledgements(transport: asyncio.BaseTransport, seconds: float) -> None:
    """The system gives up a peer that takes nothing of what is written, also when we have closed already."""
    sock = transport.get_extra_info("socket")
    if sock is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        with suppress(OSError):  # it is gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _farewell(code: str) -> bytes:
    """A whole answer as bytes, for those who get no further."""
    error = RejectedError(code)
    body = problem_bytes(error)
    retry = "Retry-After: 5\r\n" if error.reason.status == 503 else ""
    head = (
        f"HTTP/1.1 {error.reason.status} {code}\r\nContent-Type: application/problem+json\r\nServer: lianzhi\r\n"
        f"Cache-Control: no-store\r\n{retry}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
