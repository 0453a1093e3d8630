"""A partner's program that is killed: run as a child process by test_partner.py.

usage: partner_victim.py partner.toml [point [count]]
point: where it sends itself SIGKILL, the count-th time it comes there; none: it runs until it is told to stop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gateway.partner import Partner, PartnerConfig
from gateway.partner.outgoing import Confirmed
from gateway.partner.unit import Job

EFFECTS = "CREATE TABLE IF NOT EXISTS effects (request_no TEXT NOT NULL, pid INTEGER NOT NULL)"
DONE = {"outcome": "done", "as_of": "2026-03-25T14:50:00+08:00", "ttl_hours": 72}
WORKERS = 8


def killer(count: int) -> Callable[[], None]:
    left = count

    def come_by() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return come_by


def arm(partner: Partner, point: str, count: int) -> Callable[[], None]:
    """Put the fall into one place of the program; what is returned is called after each handled message."""
    die = killer(count)
    if point == "before-ack":  # committed, not acknowledged

        async def ack(_: Any) -> None:
            die()

        partner._consumer.ack = ack  # type: ignore[method-assign]
    elif point == "before-marking":  # published and confirmed, not marked
        submit = partner.ledger.submit

        def submitted(job: Job[Any]) -> asyncio.Future[Any]:
            if isinstance(job, Confirmed):
                die()
            return submit(job)

        partner.ledger.submit = submitted  # type: ignore[method-assign]
    elif point == "before-commit":  # verified, nothing written
        read = partner._desk.read

        def reading(raws: Any) -> Any:
            die()
            return read(raws)

        partner._desk.read = reading  # type: ignore[method-assign]
    return die if point == "after-handling" else lambda: None


async def work(partner: Partner, handled: Callable[[], None]) -> None:
    async for request in partner.inbox:
        async with request.transaction() as tx:
            if request.verb == "open":
                tx.execute("INSERT INTO effects VALUES (?, ?)", (request.request_no, os.getpid()))
                tx.reply("receipt", {"QSSJ": "20260324103152"})
                tx.reply("result", {"items": [{"ref": "k7m2q9xa"}]}, **DONE)
        handled()


async def main(path: str, point: str = "", count: str = "1") -> None:
    async with Partner(PartnerConfig.load(path)) as partner:
        await partner.prepare(EFFECTS)
        handled = arm(partner, point, int(count))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        print("ready", flush=True)
        await asyncio.gather(*(work(partner, handled) for _ in range(WORKERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
