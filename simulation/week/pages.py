"""The court's SMS and voice platform, as small as can be: it takes pages, checks their signatures, keeps them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass
class Platform:
    """secret: shared with the gateway. rang: what was taken, in order; each is the `data` of a page."""

    secret: str
    url: str = ""
    rang: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body, headers = await request.text(), request.headers
        signed = Webhook(self.secret).sign(
            headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC), body
        )
        if signed != headers["webhook-signature"]:
            return web.Response(status=401)
        self.rang.append(json.loads(body)["data"])
        return web.Response(status=204)

    def levels(self, alert: str) -> list[str]:
        """Who was rung for that alert: A, B, desk, chief."""
        return [page["level"] for page in self.rang if page["alert"] == alert]


@asynccontextmanager
async def platform(secret: str) -> AsyncIterator[Platform]:
    """On a free loopback port until the block is left."""
    receiver = Platform(secret)
    app = web.Application()
    app.router.add_post("/pages", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}/pages"
        yield receiver
    finally:
        await runner.cleanup()
