"""An HTTP server on a real socket that does what networks and proxies do: 503, a cut line, silence, another's page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from lianzhi.problem import Problem

DEADLINE_S = 20.0
INCARNATION = "Lianzhi-Incarnation"


@dataclass(frozen=True)
class Attempt:
    """What arrived."""

    method: str
    path: str
    after: str | None
    key: str | None
    content_type: str
    authorization: str | None
    body: bytes
    incarnation: str | None = None


@dataclass
class Misbehaving:
    """script: what to do with each attempt, in order; the last one for all that follow.

    `unavailable`, `broken` (500), `cut` (reads everything, then drops the line), `silent` (never answers),
    `page` (a proxy's 200), `lost` (a proxy's 404), a problem, its code, or a dict: the JSON of a 202 (or of
    its `status`). incarnation: what each answer says of the gateway's store.
    """

    script: list[Any]
    attempts: list[Attempt] = field(default_factory=list)
    url: str = ""
    incarnation: str | None = None
    _grew: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def attempted(self, count: int) -> list[Attempt]:
        """The attempts so far, once there are `count`. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.attempts) < count:
                self._grew.clear()
                await self._grew.wait()
        return self.attempts

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = request.headers
        self.attempts.append(
            Attempt(
                request.method,
                request.path,
                request.query.get("after"),
                headers.get("Idempotency-Key"),
                request.content_type,
                headers.get("Authorization"),
                body,
                headers.get(INCARNATION),
            )
        )
        self._grew.set()
        act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if act == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif act == "silent":
            await self._over.wait()
        answer = _ready(act)
        if self.incarnation is not None:
            answer.headers[INCARNATION] = self.incarnation
        return answer

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Misbehaving]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._over.set()
            await runner.cleanup()


def _ready(act: Any) -> web.Response:
    if isinstance(act, dict):
        return web.json_response({k: v for k, v in act.items() if k != "status"}, status=act.get("status", 202))
    if act == "unavailable":
        return _problem(Problem.of("unavailable"), {"Retry-After": "0"})
    if act == "broken":
        return _problem(Problem.of("internal"))
    if act == "page":
        return web.Response(text="<html>请登录</html>", content_type="text/html")
    if act == "lost":
        return web.Response(status=404, text="<html>nginx</html>", content_type="text/html")
    if act in ("cut", "silent"):
        return web.Response(status=502)
    return _problem(act if isinstance(act, Problem) else Problem.of(act))


def _problem(problem: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=problem.status,
        body=json.dumps(problem.document(), ensure_ascii=False).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
