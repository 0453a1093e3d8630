"""The calls that need no token: public keys, health, metrics, the descriptions. None of them tells of a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from gateway.crypto.strictjson import dumps
from gateway.http.api import API
from gateway.http.reply import json_reply, view_reply
from gateway.services.views import Live, Ready

PUBLIC = {"Cache-Control": "public, max-age=300"}


async def read_keys(request: web.Request) -> web.Response:
    """Only of those that this gateway signs for: what a partner needs to verify and to seal."""
    context = request.app[API].context
    keys = context.keyring.jwks(context.directory.local)
    return json_reply(dumps(keys).encode(), headers=PUBLIC)


async def live(request: web.Request) -> web.Response:
    return view_reply(Live())


async def ready(request: web.Request) -> web.Response:
    """503 when the store is away or the backlog is full; the broker is told, not required."""
    api = request.app[API]
    await api.context.store.ping()
    await api.backlog.check()
    if api.broker_health is None:
        return view_reply(Ready(broker="none"))
    return view_reply(Ready(broker="connected" if api.broker_health().connected else "down"))


async def read_metrics(request: web.Request) -> web.Response:
    text = await request.app[API].metrics.text()
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def described(make: Callable[[], Mapping[str, Any]]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A description, made when somebody first asks for it, beside the loop: it takes some tenths of a second."""
    known = b""

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal known
        known = known or await asyncio.to_thread(lambda: dumps(make()).encode())
        return json_reply(known, headers=PUBLIC)

    return handler
