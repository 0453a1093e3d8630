"""Prefetch counts messages, memory counts bytes: what a consumer holds, on a real broker."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lianzhi.amqp import source
from lianzhi.amqp.consumer import BatchConsumer, Incoming
from lianzhi.amqp.declare import declare
from lianzhi.amqp.deliveries import Kept
from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from tests.conftest import Vhost
from tests.eventually import eventually

EXCHANGE, LARGE, SMALL = "bytes.x", "bytes.large", "bytes.small"
QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 3}
BODY = 10_000
SHARE = 4 * BODY


@pytest.fixture
async def publisher(link: Link, vhost: Vhost) -> AsyncIterator[ConfirmedPublisher]:
    await declare(
        link,
        exchanges=[EXCHANGE],
        queues=[(LARGE, QUORUM), (SMALL, QUORUM)],
        bindings=[(EXCHANGE, queue, queue) for queue in (LARGE, SMALL)],
    )
    publisher = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
    yield publisher
    await publisher.close()


class Taken:
    """What a consumer gave out, taken off it as it comes; nothing is acknowledged but by the test."""

    def __init__(self, consumer: BatchConsumer) -> None:
        self.consumer = consumer
        self.owed: list[Incoming] = []
        self.bodies: list[bytes] = []

    async def run(self) -> None:
        async for batch in self.consumer.batches(100):
            self.owed += batch
            self.bodies += [message.body for message in batch]

    def of(self, queue: str) -> list[Incoming]:
        return [message for message in self.owed if message.queue == queue]

    async def ack(self, *messages: Incoming) -> None:
        for message in messages:
            self.owed.remove(message)
        await self.consumer.ack(messages)


@asynccontextmanager
async def taking(link: Link, full: list[str] | None = None, share: int = SHARE) -> AsyncIterator[Taken]:
    told = [] if full is None else full
    consumer = BatchConsumer(
        link, {LARGE: 20, SMALL: 20}, kept=Kept(BODY, 100), budget=2 * share, full=told.append
    )  # fmt: skip
    taken = Taken(consumer)
    running = asyncio.create_task(taken.run())
    yield taken
    await consumer.close()
    await running


async def publish(publisher: ConfirmedPublisher, queue: str, *bodies: bytes) -> None:
    await asyncio.gather(*(publisher.publish(queue, body, timeout=20) for body in bodies))


async def unacknowledged(vhost: Vhost, queue: str) -> int:
    found = await vhost.management.get("queues", vhost.name, queue)
    return int(found.get("messages_unacknowledged", -1))


async def test_a_queue_holds_its_share_of_bytes_and_the_others_go_on(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost
) -> None:
    bodies = [b"%06d" % n + b"x" * (BODY - 6) for n in range(20)]
    full: list[str] = []
    await publish(publisher, LARGE, *bodies)
    async with taking(link, full) as taken:
        await eventually(lambda: full)
        await publish(publisher, SMALL, *(b"%d" % n for n in range(10)))
        await eventually(lambda: len(taken.of(SMALL)) == 10)
        await eventually(lambda: taken.consumer.consumers() == {LARGE: True, SMALL: True})  # full is no fault
        seen: set[bytes] = set()
        while len(seen) < len(bodies):
            await eventually(lambda: taken.of(LARGE))
            held = taken.of(LARGE)
            assert sum(len(m.body) for m in held) <= SHARE
            seen |= {m.body for m in held}
            await taken.ack(held[0])
        assert seen == set(bodies)
        await taken.ack(*taken.owed)
        assert sorted(b for b in taken.bodies if len(b) == BODY) == bodies, "each came once"

        async def empty() -> bool:
            return not await unacknowledged(vhost, LARGE)

        await eventually(empty)
        assert full == [LARGE], "with fewer messages it never had too much again"


async def test_one_message_larger_than_the_share_still_comes(publisher: ConfirmedPublisher, link: Link) -> None:
    async with taking(link, share=BODY // 2) as taken:
        await publish(publisher, LARGE, b"a" * BODY, b"b" * BODY)
        for _ in range(2):
            await eventually(lambda: taken.of(LARGE))
            assert len(taken.of(LARGE)) == 1
            await taken.ack(*taken.of(LARGE))


async def test_of_what_is_too_large_the_beginning_and_the_digest_come(
    publisher: ConfirmedPublisher, link: Link
) -> None:
    body = bytes(range(256)) * 1000
    await publish(publisher, LARGE, body)
    async with taking(link) as taken:
        (message,) = await eventually(lambda: taken.of(LARGE))
        assert (message.body, message.size) == (body[:100], len(body))
        assert message.sha256 == hashlib.sha256(body).hexdigest()


async def test_the_full_prefetch_returns_when_bodies_are_small_again(
    publisher: ConfirmedPublisher, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CALM_DELIVERIES", 12)
    full: list[str] = []
    await publish(publisher, LARGE, *(b"x" * BODY for _ in range(8)))
    async with taking(link, full) as taken:
        while taken.bodies.count(b"x" * BODY) < 8:
            await eventually(lambda: taken.of(LARGE))
            await taken.ack(*taken.of(LARGE))
        assert full == [LARGE]
        for n in range(12):
            await publish(publisher, LARGE, b"small %d" % n)
            await eventually(lambda: taken.of(LARGE))
            await taken.ack(*taken.of(LARGE))
        await publish(publisher, LARGE, *(b"more %d" % n for n in range(20)))
        await eventually(lambda: len(taken.of(LARGE)) == 20)


async def test_a_full_queue_survives_the_loss_of_its_channel(publisher: ConfirmedPublisher, link: Link) -> None:
    full: list[str] = []
    bodies = {b"%d" % n + b"x" * (BODY - 1) for n in range(8)}
    await publish(publisher, LARGE, *bodies)
    async with taking(link, full) as taken:
        await eventually(lambda: full)
        link.drop("test")
        taken.owed.clear()
        seen: set[bytes] = set()
        while seen != bodies:
            await eventually(lambda: taken.of(LARGE))
            seen |= {m.body for m in taken.of(LARGE)}
            await taken.ack(*taken.of(LARGE))


@pytest.mark.slow
async def test_a_full_queue_stays_without_a_consumer_while_the_store_is_away(
    publisher: ConfirmedPublisher, link: Link
) -> None:
    bodies = {b"%d" % n + b"x" * (BODY - 1) for n in range(8)}
    full: list[str] = []
    await publish(publisher, LARGE, *bodies)
    async with taking(link, full) as taken:
        await eventually(lambda: full)
        await taken.consumer.pause(0.02)  # what is owed is given out once more, perhaps by now
        seen: set[bytes] = set()
        while seen != bodies:
            await eventually(lambda: taken.of(LARGE))
            seen |= {m.body for m in taken.of(LARGE)}
            await taken.ack(*taken.of(LARGE))
