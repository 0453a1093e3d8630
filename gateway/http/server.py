"""Serving, with two habits of aiohttp changed: what its parser refuses is answered as a problem too, and what the
parser says about it, which may repeat somebody's bytes, is not logged."""

from __future__ import annotations

from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gateway.errors import RejectedError
from gateway.http.reply import problem_reply

log = structlog.get_logger("http")

LINGER_SECONDS = 1.0
"""How long the rest of a refused body is thrown away, so that the refusal reaches a client that is still sending."""
KEEPALIVE_SECONDS = 75.0
SHUTDOWN_SECONDS = 10.0


class ApiProtocol(RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What never came as far as the middleware: a malformed request, or our own fault outside of it."""
        code = "malformed-request" if status < 500 else "internal"
        log.warning(code, fault=type(exc).__name__ if exc else None)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is sent already")
        response = problem_reply(RejectedError(code))
        response.force_close()
        return response


class ApiServer(web.Server):
    """Gives each connection our protocol."""

    def __init__(self, server: web.Server) -> None:
        super().__init__(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,
            **server._kwargs,
        )

    def __call__(self) -> RequestHandler:
        return ApiProtocol(self, loop=self._loop, **self._kwargs)


class ApiRunner(web.AppRunner):
    """No access log of aiohttp's; bodies are taken as they come, never decompressed."""

    def __init__(self, app: web.Application, **more: Any) -> None:
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            lingering_time=LINGER_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
            **more,
        )

    async def _make_server(self) -> web.Server:
        return ApiServer(await super()._make_server())


def address(runner: ApiRunner) -> int:
    """The port of the first socket."""
    return int(runner.addresses[0][1])
