"""A partner's programs, as child processes of test_partner.py: one that is killed, and one command of a shell."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lianzhi.amqp.consumer import BatchConsumer
from lianzhi.cli.partner import app
from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.desk import Desk
from lianzhi.partner.ledger.outgoing import Confirmed
from lianzhi.partner.ledger.unit import Job
from tests.fault.entry import write_to

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

        async def ack(*_: Any) -> None:
            die()

        BatchConsumer.ack = ack  # type: ignore[method-assign, assignment]
    elif point == "before-marking":  # published and confirmed, not marked
        submit = partner.ledger.submit

        def submitted(job: Job[Any]) -> asyncio.Future[Any]:
            if isinstance(job, Confirmed):
                die()
            return submit(job)

        partner.ledger.submit = submitted  # type: ignore[method-assign]
    elif point == "before-commit":  # verified, nothing written
        read = Desk.read

        def reading(desk: Desk, raws: Any) -> Any:
            die()
            return read(desk, raws)

        Desk.read = reading  # type: ignore[method-assign, assignment]
    return die if point == "after-handling" else lambda: None


async def work(partner: Partner, handled: Callable[[], None]) -> None:
    async for request in partner.inbox:
        async with request.transaction() as tx:
            if request.verb == "open":
                tx.execute("INSERT INTO effects VALUES (?, ?)", (request.request_no, os.getpid()))
                tx.reply("receipt", {"QSSJ": "20260324103152"})
                tx.reply("result", {"items": [{"ref": "k7m2q9xa"}]}, **DONE)
        handled()


@dataclass(frozen=True, slots=True)
class Order:
    """toml: its configuration. point: where it sends itself SIGKILL, the count-th time it comes there; none: it runs
    until it is told to stop.
    """

    toml: Path
    log: Path
    point: str = ""
    count: int = 1


def main(order: Order, ready: Connection) -> None:
    write_to(order.log)
    asyncio.run(_main(order, ready))


async def _main(order: Order, ready: Connection) -> None:
    async with Partner(PartnerConfig.load(order.toml)) as partner:
        await partner.prepare(EFFECTS)
        handled = arm(partner, order.point, order.count)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partner.stop)
        ready.send_bytes(b"ready")
        await asyncio.gather(*(work(partner, handled) for _ in range(WORKERS)))


@dataclass(frozen=True, slots=True)
class Line:
    """`lianzhi partner …` with the configuration `toml`. out, log: where its standard output and error go."""

    toml: Path
    arguments: tuple[str, ...]
    out: Path
    log: Path


def shell(line: Line, _: Connection) -> None:
    for stream, path in ((sys.stdout, line.out), (sys.stderr, line.log)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), stream.fileno())
    os.environ["LIANZHI_PARTNER"] = str(line.toml)
    app(list(line.arguments), prog_name="lianzhi partner")
