"""The calls that need no token: public keys, health. None of them tells of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from aiohttp import web

from gateway.application.answers import Live, Ready, ReadyFinding
from gateway.core.readiness import Finding
from gateway.http.api import API
from gateway.http.reply import json_reply, problem_reply, view_reply
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import RejectedError

PUBLIC = {"Cache-Control": "public, max-age=300"}


async def read_keys(request: web.Request) -> web.Response:
    """Only of those that this gateway signs for: what a partner needs to verify and to seal."""
    context = request.app[API].context
    keys = context.keyring.jwks(context.directory.local)
    return json_reply(dumps(keys).encode(), headers=PUBLIC)


async def live(request: web.Request) -> web.Response:
    return view_reply(Live())


async def ready(request: web.Request) -> web.Response:
    """503 when nothing can be accepted; what else cannot be done is told, not required (docs/adr/0033)."""
    api = request.app[API]
    found = await api.readiness.findings()
    broker: Literal["connected", "down", "none"] = "none"
    if api.broker_health is not None:
        broker = "connected" if api.broker_health().connected else "down"
    return ready_reply(broker, found, None if api.marks is None else api.marks.told())


def ready_reply(
    broker: Literal["connected", "down", "none"],
    found: Sequence[Finding],
    marks: Literal["both", "file", "broker", "none"] | None = None,
) -> web.Response:
    """What `/readyz` answers."""
    lines = [
        ReadyFinding(name=one.name, blocks=one.blocks, count=one.count, zh=one.words[0], en=one.words[1])
        for one in found
    ]
    view = Ready(broker=broker, findings=lines or None, marks=marks)
    if not any(one.blocks for one in found):
        return view_reply(view)
    return problem_reply(RejectedError("unavailable"), members=view.model_dump(exclude_none=True) | {"ready": False})
