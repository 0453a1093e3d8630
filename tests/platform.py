"""The court's SMS and voice platform, as the gateway's webhook meets it: a local receiver that checks signatures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Platform:
    """got: the data of what was taken, in order of arrival. answers: statuses to give before it is well again.
    deaf_for: staff numbers whose pages are refused."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    deaf_for: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        headers = request.headers
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
        assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], moment, body)
        if self.answers and (status := self.answers.pop(0)) != 200:
            return web.Response(status=status)
        data = json.loads(body)["data"]
        if data["to"] in self.deaf_for:
            return web.Response(status=503)
        assert data["page_id"] == headers["webhook-id"]
        self.raw.append(body)
        self.got.append(data)
        return web.Response(status=204)

    def of(self, alert: str) -> list[dict[str, Any]]:
        """What was told of that alert."""
        return [data for data in self.got if data["alert"] == alert]

    def told(self, alert: str) -> list[tuple[str, str]]:
        """(level, staff number) of each page of that alert, in order."""
        return [(data["level"], data["to"]) for data in self.of(alert)]


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """On a free loopback port until the block is left."""
    receiver = Platform()
    app = web.Application()
    app.router.add_post("/pages", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}/pages"
        yield receiver
    finally:
        await runner.cleanup()
