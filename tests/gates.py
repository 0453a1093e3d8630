"""What acceptance tests put around the gateway's ports (`bootstrap.Wrappers`), and the clock that they move.

Nothing here is a fake: each wrapper passes everything on to the real port and only chooses the moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from gateway.application.ports.broker import Consumer, Delivery, Publisher
from gateway.application.ports.store import Store, Transaction
from gateway.bootstrap import Wrappers
from gateway.core.records import Changes
from lianzhi.errors import StoreUnavailableError

START = datetime(2026, 3, 24, 1, 0, tzinfo=UTC)  # a Tuesday, nine in the morning in Shanghai: the examples' own day


class WorldClock:
    """Starts at `START`, runs as the wall clock does, and jumps when a test lets time pass. Everybody in a world has
    the same one."""

    def __init__(self) -> None:
        self._ahead = START - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def pass_by(self, **amount: float) -> None:
        """`pass_by(hours=1)`: what was to happen by then is now due."""
        self._ahead += timedelta(**amount)


class Gates:
    """How a test steers one gateway.

    dispatching: False: nothing is published. together: the intake waits until so many deliveries are there and gets
    them as one batch. deaf: what was committed is not acknowledged, as if the process had died in between.
    store_down: True: no unit of work begins. breaks: ids of messages that break the store on every write; misread:
    texts in whose bodies reading breaks.
    """

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.dispatching = True
        self.together = 0
        self.deaf = False
        self.store_down = False
        self.breaks: set[str] = set()
        self.misread: set[bytes] = set()

    def wrappers(self) -> Wrappers:
        return Wrappers(
            store=lambda port: cast(Store, _Store(port, self)),
            publisher=lambda port: cast(Publisher, _Publisher(port, self)),
            consumer=lambda port: cast(Consumer, _Consumer(port, self)),
        )


class _Around:
    """Everything that is not named in a subclass is the port's own."""

    def __init__(self, port: Any, gates: Gates) -> None:
        self._port = port
        self._gates = gates

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class _Publisher(_Around):
    @property
    def connected(self) -> bool:
        return self._gates.dispatching and bool(self._port.connected)


class _Consumer(_Around):
    async def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        gates = self._gates
        kept: list[Delivery] = []
        async for batch in self._port.batches(max_size, max_bytes):
            kept += [self._spoilt(delivery) for delivery in batch]
            if len(kept) >= gates.together:
                whole, kept, gates.together = kept, [], 0
                yield whole

    def _spoilt(self, delivery: Delivery) -> Delivery:
        if any(text in delivery.body for text in self._gates.misread):
            return replace(delivery, body=_Unreadable(delivery.body))
        return delivery

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        if not self._gates.deaf:
            await self._port.ack(deliveries)


class _Unreadable(bytes):
    """Bytes over which our own reading code stumbles."""

    def decode(self, *_: Any, **__: Any) -> str:
        raise RuntimeError("a fault of our own, while reading")


class _Store(_Around):
    async def now(self) -> datetime:
        return self._gates.clock.now()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        if self._gates.store_down:
            raise StoreUnavailableError("shut by the test")
        async with self._port.begin() as tx:
            yield cast(Transaction, _Transaction(tx, self._gates))


class _Transaction(_Around):
    async def apply(self, changes: Changes) -> None:
        if any(message.id in self._gates.breaks for message in changes.messages):
            raise RuntimeError("a fault of our own, while writing")
        await self._port.apply(changes)
