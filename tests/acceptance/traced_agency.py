"""An agency's program in a process of its own, for the tests of traces: it answers with what a file says."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.request import Request
from lianzhi.protocol.verbs import split
from tests.fault.entry import end_with_parent, write_to


@dataclass(frozen=True, slots=True)
class Order:
    """result: canonical, of the one type that it is asked: places are not translated. fails_first: what it raises
    before it answers; the message is handed out again."""

    settings: Path
    log: Path
    result: dict[str, Any]
    fails_first: str | None = None


def main(order: Order, ready: Connection) -> None:
    """Runs in the child until it is told to end."""
    write_to(order.log)
    asyncio.run(_work(order, ready))


async def _work(order: Order, ready: Connection) -> None:
    end_with_parent()
    async with Partner(PartnerConfig.load(order.settings)) as partner:
        partner.inbox.again_seconds = 0.05
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        ready.send_bytes(b"ready")
        trouble = order.fails_first
        async for request in partner.inbox:
            try:
                await _handle(request, order.result, trouble if request.verb == "open" else None)
            except ValueError:
                trouble = None


async def _handle(request: Request, result: dict[str, Any], trouble: str | None) -> None:
    async with request.transaction() as tx:
        if request.verb != "open":
            return
        if trouble is not None:
            raise ValueError(trouble)
        head, body = split("result", result)
        tx.reply("result", body, **head)
