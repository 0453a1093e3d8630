"""`lianzhi` with one promise broken, to see whether the drills notice: `sabotage.py KIND serve --dir …`.

The product has no such switches: what `bootstrap` builds is wrapped, as in `tests/fault/entry.py`.

    keys-forgotten          what an Idempotency-Key was answered is not remembered: a repeated POST is a new request
    acknowledged-early      deliveries are acknowledged when they come; a slow disk writes them a moment later
    mark-ignored            what the marks outside of the store say about it is always that it is sound
    marked-early            the outbox is told `sent` at once; the broker hears of it a moment later
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from gateway import process
from gateway.application import marks
from gateway.application.ports.broker import Consumer, Delivery, Publisher
from gateway.application.ports.store import Store, Transaction
from gateway.bootstrap import Wrappers
from gateway.core.records import Changes
from gateway.core.recovery.marks import Verdict
from lianzhi.cli.main import main

LATE_SECONDS = 2.0  # so that at any moment under load something is on its way


class ForgetfulTransaction:
    def __init__(self, port: Transaction) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def apply(self, changes: Changes) -> None:
        changes.idempotency.clear()
        await self._port.apply(changes)


class ForgetfulStore:
    def __init__(self, port: Store) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[ForgetfulTransaction]:
        async with self._port.begin() as unit:
            yield ForgetfulTransaction(unit)


class HastyConsumer:
    def __init__(self, port: Consumer) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        async for batch in self._port.batches(max_size, max_bytes):
            await self._port.ack(batch)
            await asyncio.sleep(LATE_SECONDS)
            yield batch

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """It was done when they came."""


class HastyPublisher:
    def __init__(self, port: Publisher) -> None:
        self._port = port
        self._late: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._port.connected

    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        task = asyncio.create_task(self._publish(routing_key, body, timeout))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _publish(self, routing_key: str, body: bytes, timeout: float) -> None:
        await asyncio.sleep(LATE_SECONDS)
        await self._port.publish(routing_key, body, timeout=timeout)


def ignore_marks() -> Wrappers:
    """It is the judgment that is broken, not a port."""
    marks.judge = lambda standing, mark: Verdict.SOUND  # type: ignore[attr-defined]
    return Wrappers()


KINDS: dict[str, Callable[[], Wrappers]] = {
    "keys-forgotten": lambda: Wrappers(store=ForgetfulStore),
    "acknowledged-early": lambda: Wrappers(consumer=HastyConsumer),
    "mark-ignored": ignore_marks,
    "marked-early": lambda: Wrappers(publisher=HastyPublisher),
}


if __name__ == "__main__":
    wrappers = KINDS[sys.argv.pop(1)]()
    process.serve = partial(process.serve, wrappers=wrappers)
    main()
