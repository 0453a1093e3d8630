"""The gateway as a child process that falls at a named point: what a power cut at that instruction would do.

The product has no failpoints. Here the ports that `bootstrap` builds are wrapped, and the wrapper sends its own
process a signal (SIGKILL, or SIGSTOP for a process that hangs) the n-th time it comes to the point:

    accepted-not-answered       a submission is committed, its 202 is not sent
    committed-not-published     a message stands in the outbox, leased, and does not go
    published-not-marked        the broker has confirmed it, the outbox does not know
    received-not-committed      deliveries were taken off a queue, nothing is written
    written-not-committed       everything is written, the commit is not made
    committed-not-acknowledged  the commit is made, the broker does not know
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gateway import process
from gateway.application.ports.broker import Consumer, Delivery, Publisher
from gateway.application.ports.store import Store, Transaction
from gateway.bootstrap import ROLES, Role, Wrappers
from gateway.core.records import Changes
from gateway.observability import configure_logging
from gateway.registry.config import load_config
from lianzhi.amqp.consumer import BatchConsumer
from lianzhi.amqp.deliveries import Incoming
from lianzhi.partner import PartnerConfig
from tests.fault import agencies

POINTS = (
    "accepted-not-answered",
    "committed-not-published",
    "published-not-marked",
    "received-not-committed",
    "written-not-committed",
    "committed-not-acknowledged",
)


@dataclass(slots=True)
class Fall:
    """At `point`, the `nth` time, `signal` to this process."""

    point: str = ""
    nth: int = 1
    signal: int = signal.SIGKILL

    def reach(self, point: str) -> None:
        if point != self.point:
            return
        self.nth -= 1
        if self.nth == 0:
            os.kill(os.getpid(), self.signal)


@dataclass(frozen=True, slots=True)
class Order:
    """What the child is to run. given: sections of the configuration that differ from the file."""

    folder: Path
    log: Path
    roles: tuple[Role, ...] = ROLES
    given: dict[str, Any] = field(default_factory=dict)
    fall: Fall = field(default_factory=Fall)


class FallingPublisher:
    """`application.ports.broker.Publisher`."""

    def __init__(self, port: Publisher, fall: Fall) -> None:
        self._port, self._fall = port, fall

    @property
    def connected(self) -> bool:
        return self._port.connected

    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        self._fall.reach("committed-not-published")
        await self._port.publish(routing_key, body, timeout=timeout)
        self._fall.reach("published-not-marked")


class FallingConsumer:
    """`application.ports.broker.Consumer`."""

    def __init__(self, port: Consumer, fall: Fall) -> None:
        self._port, self._fall = port, fall

    async def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        async for batch in self._port.batches(max_size, max_bytes):
            self._fall.reach("received-not-committed")
            yield batch

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._fall.reach("committed-not-acknowledged")
        await self._port.ack(deliveries)

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        await self._port.reject(deliveries)

    async def pause(self, seconds: float) -> None:
        await self._port.pause(seconds)


class FallingTransaction:
    """`application.ports.store.Transaction`; remembers whether a submission was written through it."""

    def __init__(self, port: Transaction, fall: Fall) -> None:
        self._port, self._fall = port, fall
        self.accepted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def apply(self, changes: Changes) -> None:
        await self._port.apply(changes)
        self.accepted = bool(changes.idempotency)
        if any(message.disposition == "applied" for message in changes.messages):
            self._fall.reach("written-not-committed")


class FallingStore:
    """`application.ports.store.Store`."""

    def __init__(self, port: Store, fall: Fall) -> None:
        self._port, self._fall = port, fall

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[FallingTransaction]:
        async with self._port.begin() as port:
            unit = FallingTransaction(port, self._fall)
            yield unit
        if unit.accepted:
            self._fall.reach("accepted-not-answered")


def wrappers(fall: Fall) -> Wrappers:
    return Wrappers(
        store=lambda port: FallingStore(port, fall),
        publisher=lambda port: FallingPublisher(port, fall),
        consumer=lambda port: FallingConsumer(port, fall),
    )


def main(order: Order, ready: Connection) -> None:
    """Runs in the child until it is killed, told to end (SIGTERM), or its parent is gone."""
    write_to(order.log)

    def up() -> None:
        end_with_parent()
        ready.send_bytes(b"ready")

    process.serve(load_config(order.folder, **order.given), order.roles, wrappers=wrappers(order.fall), up=up)


@dataclass(frozen=True, slots=True)
class AgencyOrder:
    """An agency's program that is to be run. fall: at `committed-not-acknowledged`, or at `handled`."""

    settings: Path
    log: Path
    fall: Fall = field(default_factory=Fall)


def agency(order: AgencyOrder, ready: Connection) -> None:
    """An agency's program in a child process."""
    write_to(order.log)
    asyncio.run(_work(order, ready))


async def _work(order: AgencyOrder, ready: Connection) -> None:
    end_with_parent()
    fall, acknowledge = order.fall, BatchConsumer.ack

    async def ack(consumer: BatchConsumer, messages: Sequence[Incoming]) -> None:
        fall.reach("committed-not-acknowledged")
        await acknowledge(consumer, messages)

    BatchConsumer.ack = ack  # type: ignore[method-assign,assignment]
    async with agencies.working(PartnerConfig.load(order.settings), handled=lambda: fall.reach("handled")):
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        ready.send_bytes(b"ready")
        await stop.wait()


def write_to(path: Path) -> None:
    """Standard output and error of this process, with the logs that `serve` would write."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    configure_logging()


def end_with_parent() -> None:
    """When the test process is gone, this one goes."""
    parent = parent_process()
    assert parent is not None
    asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)
