"""The link frozen, cut, refused; the broker killed: what was confirmed is there, what was not says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from itertools import count
from typing import Any

import pytest

from lianzhi.amqp import link as link_module
from lianzhi.amqp.consumer import BatchConsumer, Incoming
from lianzhi.amqp.declare import declare
from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.errors import UnconfirmedError
from simulation.private_broker import PrivateBroker
from tests.conftest import CONNECT_SECONDS, Vhost
from tests.eventually import eventually
from tests.fault.proxy import Proxy

EXCHANGE, QUEUE, KEY = "test.x", "test.q", "a.normal.some.type.open"
TOPOLOGY: dict[str, Any] = {
    "exchanges": [EXCHANGE],
    "queues": [(QUEUE, {"x-queue-type": "quorum"})],
    "bindings": [(EXCHANGE, QUEUE, "a.#")],
}


@pytest.fixture
async def proxy(broker: PrivateBroker) -> AsyncIterator[Proxy]:
    async with Proxy(broker.ports.amqp) as proxy:
        yield proxy


@pytest.fixture
async def fragile(proxy: Proxy, vhost: Vhost) -> AsyncIterator[Link]:
    """A link through the proxy, with exchange and queue declared."""
    async with Link(vhost.url_at(proxy.port), name="fragile", reconnect=0.05, reconnect_max=0.2) as link:
        await link.wait_connected(CONNECT_SECONDS)
        await declare(link, **TOPOLOGY)
        yield link


async def bodies(consumer: BatchConsumer, number: int) -> list[bytes]:
    """Of the next `number` messages, acknowledged."""
    return [message.body for message in await take(consumer, number)]


async def take(consumer: BatchConsumer, number: int) -> list[Incoming]:
    taken: list[Incoming] = []
    async with asyncio.timeout(30), aclosing(consumer.batches(number)) as batches:
        async for batch in batches:
            taken += batch
            await consumer.ack(batch)
            if len(taken) >= number:
                break
    return taken


async def test_publishing_over_a_frozen_link_is_unconfirmed(fragile: Link, proxy: Proxy, vhost: Vhost) -> None:
    publisher = ConfirmedPublisher(fragile, EXCHANGE, user_id=vhost.user)
    await publisher.publish(KEY, b"before", timeout=10)
    proxy.freeze()
    results = await asyncio.gather(
        *(publisher.publish(KEY, b"x" * 2_000, timeout=0.2) for _ in range(300)), return_exceptions=True
    )
    assert all(isinstance(result, UnconfirmedError) for result in results)
    proxy.thaw()
    await publisher.publish(KEY, b"after", timeout=20)
    await publisher.close()


async def test_a_link_that_answers_no_channel_is_dropped_and_comes_back(
    fragile: Link, proxy: Proxy, vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = ConfirmedPublisher(fragile, EXCHANGE, user_id=vhost.user)
    await publisher.publish(KEY, b"before", timeout=10)
    proxy.freeze()
    with monkeypatch.context() as impatient:
        impatient.setattr(link_module, "CHANNEL_SECONDS", 0.3)
        for _ in range(2):  # the first finds the channel silent, the second the link
            with pytest.raises(UnconfirmedError):
                await publisher.publish(KEY, b"x", timeout=0.5)
        await eventually(lambda: not fragile.connected)
    assert fragile.last_error is not None
    proxy.cut()
    proxy.thaw()
    await publisher.publish(KEY, b"after", timeout=20)
    assert fragile.connects == 2
    await publisher.close()


async def test_what_is_in_flight_when_the_link_is_cut_is_unconfirmed(fragile: Link, proxy: Proxy, vhost: Vhost) -> None:
    publisher = ConfirmedPublisher(fragile, EXCHANGE, user_id=vhost.user)
    await publisher.publish(KEY, b"before", timeout=10)
    proxy.freeze()
    flying = [asyncio.create_task(publisher.publish(KEY, b"x", timeout=30)) for _ in range(50)]
    await asyncio.sleep(0)
    proxy.cut()
    assert all(isinstance(r, UnconfirmedError) for r in await asyncio.gather(*flying, return_exceptions=True))
    proxy.thaw()
    await publisher.publish(KEY, b"after", timeout=20)
    await publisher.close()


async def test_a_slow_link_loses_nothing(fragile: Link, proxy: Proxy, vhost: Vhost) -> None:
    proxy.delay = 0.02
    publisher = ConfirmedPublisher(fragile, EXCHANGE, user_id=vhost.user)
    sent = [b"%d" % n for n in range(200)]
    await asyncio.gather(*(publisher.publish(KEY, body, timeout=30) for body in sent))
    consumer = BatchConsumer(fragile, {QUEUE: 50})
    assert await bodies(consumer, 200) == sent
    await consumer.close()
    await publisher.close()


async def test_consumers_come_back_and_what_was_not_acknowledged_comes_again(
    fragile: Link, proxy: Proxy, vhost: Vhost
) -> None:
    publisher = ConfirmedPublisher(fragile, EXCHANGE, user_id=vhost.user)
    consumer = BatchConsumer(fragile, {QUEUE: 10})
    for n in range(5):
        await publisher.publish(KEY, b"%d" % n, timeout=10)
    async with aclosing(consumer.batches(1)) as batches:
        (held,) = await anext(batches)
        proxy.cut()
        await eventually(lambda: fragile.connects == 2)
        await consumer.ack([held])  # its channel is gone: no effect, no error
    assert await bodies(consumer, 5) == [b"0", b"1", b"2", b"3", b"4"]
    assert consumer.consumers() == {QUEUE: True}
    await consumer.close()
    await publisher.close()


async def test_a_broker_that_refuses_is_tried_until_it_does_not(proxy: Proxy, vhost: Vhost) -> None:
    proxy.refusing = True
    async with Link(vhost.url_at(proxy.port), name="patient", reconnect=0.02, reconnect_max=0.1) as link:
        publisher = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
        with pytest.raises(UnconfirmedError, match="no channel"):
            await publisher.publish(KEY, b"x", timeout=0.3)
        assert not link.connected and link.last_error is not None
        proxy.refusing = False
        await link.wait_connected(CONNECT_SECONDS)
        assert link.connected


@pytest.mark.slow
async def test_broker_killed_and_started_again(broker: PrivateBroker, vhost: Vhost) -> None:
    """Durable messages are still there, what was unconfirmed says so, publisher and consumer go on by themselves."""
    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(Link(vhost.url(), name="survivor", reconnect_max=0.3))
        await link.wait_connected(CONNECT_SECONDS)
        await declare(link, **TOPOLOGY)
        publisher = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
        confirmed: list[bytes] = []
        unconfirmed: list[bytes] = []
        numbers, enough = count(), asyncio.Event()

        async def send() -> None:
            while not enough.is_set():
                body = b"%d" % next(numbers)
                try:
                    await publisher.publish(KEY, body, timeout=1.0)
                    confirmed.append(body)
                except UnconfirmedError:
                    unconfirmed.append(body)

        sending = [asyncio.create_task(send()) for _ in range(50)]
        await eventually(lambda: len(confirmed) > 500)
        await broker.kill()
        await eventually(lambda: unconfirmed and not link.connected)
        before = len(confirmed)
        await broker.restart()
        await eventually(lambda: len(confirmed) > before + 500)
        enough.set()
        await asyncio.gather(*sending)

        consumer = BatchConsumer(link, {QUEUE: 200})
        stack.push_async_callback(consumer.close)
        await publisher.publish(KEY, b"end", timeout=30)
        seen: set[bytes] = set()
        async with asyncio.timeout(60), aclosing(consumer.batches(500)) as batches:
            async for batch in batches:
                seen.update(message.body for message in batch)
                await consumer.ack(batch)
                if b"end" in seen:
                    break
        assert set(confirmed) <= seen
        await publisher.close()
