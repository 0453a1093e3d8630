"""Publishing and consuming on a real broker: what is confirmed is there, what is not says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import aio_pika
import pytest
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import DeliveryError

from gateway.broker.lookout import Lookout
from gateway.broker.topology import OUT
from lianzhi.amqp.consumer import BatchConsumer, Incoming
from lianzhi.amqp.declare import declare, delete_queue, missing
from lianzhi.amqp.link import WIRE_ERRORS, Link
from lianzhi.amqp.publisher import APART_AT_MOST, ConfirmedPublisher, PublishFrames
from lianzhi.errors import MisuseError, OversizeError, RefusedError, UnconfirmedError, UnroutableError
from lianzhi.protocol.envelope import CONTENT_TYPE
from simulation.private_broker import free_port
from tests.conftest import Vhost
from tests.eventually import eventually

EXCHANGE, QUEUE, KEY = "test.x", "test.q", "a.normal.some.type.open"
OTHER = "test.other"
QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture
async def publisher(link: Link, vhost: Vhost) -> AsyncIterator[ConfirmedPublisher]:
    """To an exchange with one quorum queue that takes every key beginning with `a.`"""
    await declare(link, exchanges=[EXCHANGE], queues=[(QUEUE, QUORUM)], bindings=[(EXCHANGE, QUEUE, "a.#")])
    publisher = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
    yield publisher
    await publisher.close()


@asynccontextmanager
async def consuming(link: Link, prefetch: int = 100, check: float = 30.0) -> AsyncIterator[BatchConsumer]:
    consumer = BatchConsumer(link, {QUEUE: prefetch}, check=check)
    await consumer.open()
    yield consumer
    await consumer.close()


async def take(consumer: BatchConsumer, number: int) -> list[Incoming]:
    """The next `number` messages, unacknowledged."""
    taken: list[Incoming] = []
    async with asyncio.timeout(20), aclosing(consumer.batches(number)) as batches:
        async for batch in batches:
            taken += batch
            if len(taken) >= number:
                break
    return taken


async def depth(vhost: Vhost, queue: str = QUEUE) -> int:
    """Ready messages, as the broker tells a client."""
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


@pytest.mark.parametrize("size", [0, 1, 2_000, 131_064, 131_065, 1 << 20])
async def test_bytes_and_properties_arrive_as_sent(publisher: ConfirmedPublisher, vhost: Vhost, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    await publisher.publish(KEY, body, message_id="id-1", timeout=10)
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        message = await (await channel.get_queue(QUEUE)).get()
        assert message.body == body
        assert (message.content_type, message.message_id, message.user_id) == (CONTENT_TYPE, "id-1", vhost.user)
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert message.routing_key == KEY
        await message.ack()


async def test_a_delivery_says_all_that_intake_needs(publisher: ConfirmedPublisher, link: Link, vhost: Vhost) -> None:
    await publisher.publish(KEY, b"x" * 300_000, message_id="id-1", timeout=10)
    async with consuming(link) as consumer:
        (message,) = await take(consumer, 1)
        assert message.body == b"x" * 300_000
        assert (message.queue, message.routing_key, message.redelivered) == (QUEUE, KEY, False)
        assert (message.user_id, message.content_type) == (vhost.user, CONTENT_TYPE)
        assert message.message_id == "id-1"


async def test_256_in_flight_are_all_there(publisher: ConfirmedPublisher, vhost: Vhost) -> None:
    numbers = iter(range(2_000))

    async def work() -> None:
        for number in numbers:
            await publisher.publish(KEY, b"%d" % number, timeout=20)

    await asyncio.gather(*(work() for _ in range(256)))
    assert await depth(vhost) == 2_000


async def test_what_no_queue_takes_is_refused_and_nothing_else(publisher: ConfirmedPublisher, vhost: Vhost) -> None:
    keys = [KEY if number % 2 else "nobody.normal.x" for number in range(200)]
    results = await asyncio.gather(
        *(publisher.publish(key, b"x", message_id="same id", timeout=20) for key in keys), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None) if key == KEY else UnroutableError for key in keys]
    assert await depth(vhost) == 100


async def full_queue(link: Link, name: str = "full") -> None:
    """One that takes keys of the route `<name>.normal` and is full."""
    arguments = QUORUM | {"x-max-length": 1, "x-overflow": "reject-publish"}
    await declare(link, queues=[(f"{name}.q", arguments)], bindings=[(EXCHANGE, f"{name}.q", f"{name}.normal.#")])
    channel = await link.channel(confirms=True)
    with pytest.raises(DeliveryError):
        for _ in range(50):  # the limit of a quorum queue is not exact
            await channel.basic_publish(b"x", exchange=EXCHANGE, routing_key=f"{name}.normal.x")
    await channel.close()


@pytest.fixture
def opened(link: Link, monkeypatch: pytest.MonkeyPatch) -> list[Channel]:
    """The channels that are opened from now on."""
    channels: list[Channel] = []
    real = link.channel

    async def channel(*, confirms: bool = False) -> Channel:
        found = await real(confirms=confirms)
        channels.append(found)
        return found

    monkeypatch.setattr(link, "channel", channel)
    return channels


async def test_a_nack_is_the_queues_own_answer_and_its_next_message_takes_a_fresh_channel(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    await full_queue(link)
    opened.clear()
    for tries in range(1, 4):
        with pytest.raises(RefusedError, match="nack"):
            await publisher.publish("full.normal.x", b"x", timeout=10)
        assert len(opened) == tries
    await publisher.publish(KEY, b"x", timeout=10)
    assert len(opened) == 3
    assert await depth(vhost) == 1
    assert link.connects == 1


async def test_a_thousand_nacks_of_one_queue_leave_the_others_their_channel(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    await full_queue(link)
    opened.clear()
    await publisher.publish(KEY, b"first", timeout=10)
    (shared,) = opened
    refused = 0
    for _ in range(4):
        both = [publisher.publish(key, b"x", timeout=20) for _ in range(250) for key in ("full.normal.x", KEY)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert set(map(type, answers[1::2])) == {type(None)}
        refused += sum(isinstance(answer, RefusedError) for answer in answers)
    assert refused == 1000
    assert not shared.is_closed
    assert await depth(vhost) == 1001
    assert len(opened) <= 1 + 4  # the shared one, and one apart for each thousandfold answer
    assert link.connects == 1


async def test_a_queue_that_has_room_again_is_served_without_the_shared_channel(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    await full_queue(link)
    opened.clear()
    with pytest.raises(RefusedError):
        await publisher.publish("full.normal.x", b"x", timeout=10)
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        await (await channel.get_queue("full.q")).purge()
    assert len(opened) == 1
    await publisher.publish("full.normal.x", b"x", timeout=10)
    assert len(opened) == 2
    await publisher.publish(KEY, b"x", timeout=10)
    assert len(opened) == 2 and not opened[0].is_closed


async def test_the_number_of_channels_has_a_bound(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    """With more full queues than may stand apart the shared channel is replaced; nobody else's message fails."""
    names = [f"full{n}" for n in range(APART_AT_MOST + 3)]
    for name in names:
        await full_queue(link, name)
    for _ in range(2):
        keys = [f"{name}.normal.x" for name in names]
        for key in keys:
            calls = [publisher.publish(k, b"x", timeout=10) for k in (key, KEY, KEY)]
            first, *others = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(first, RefusedError) and others == [None, None]
            await eventually(lambda: sum(not one.is_closed for one in opened) <= 1 + APART_AT_MOST)
    assert await depth(vhost) == 2 * 2 * len(names)
    assert link.connects == 1


async def test_a_message_larger_than_the_broker_takes_is_told_so_and_costs_the_others_nothing(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    async with broker_limit(vhost, 100_000):
        keys = [KEY] * 50
        answers = await asyncio.gather(
            *(publisher.publish(key, b"x", timeout=10) for key in keys),
            publisher.publish(KEY, b"x" * 100_001, timeout=10),
            *(publisher.publish(key, b"x", timeout=10) for key in keys),
            return_exceptions=True,
        )
        (error,) = [answer for answer in answers if answer is not None]
        assert isinstance(error, OversizeError) and (error.size, error.limit) == (100_001, 100_000)
        opened.clear()
        with pytest.raises(OversizeError):  # known by now: not even sent
            await publisher.publish(KEY, b"x" * 100_001, timeout=10)
        await publisher.publish(KEY, b"x" * 100_000, timeout=10)
        assert opened == []
        assert link.connects == 1


@asynccontextmanager
async def broker_limit(vhost: Vhost, size: int) -> AsyncIterator[None]:
    """`max_message_size` of every channel that is opened meanwhile."""
    before = (await vhost.broker.control("eval", "application:get_env(rabbit, max_message_size).")).strip()
    await vhost.broker.control("eval", f"application:set_env(rabbit, max_message_size, {size}).")
    try:
        yield
    finally:
        restored = "134217728" if before == "undefined" else before.removeprefix("{ok,").removesuffix("}")
        await vhost.broker.control("eval", f"application:set_env(rabbit, max_message_size, {restored}).")


async def test_a_user_id_that_is_not_the_connections_closes_only_the_channel(link: Link, vhost: Vhost) -> None:
    await declare(link, exchanges=[EXCHANGE], queues=[(QUEUE, QUORUM)], bindings=[(EXCHANGE, QUEUE, "a.#")])
    publisher = ConfirmedPublisher(link, EXCHANGE, user_id="somebody-else")
    with pytest.raises(UnconfirmedError, match="user_id"):
        await publisher.publish(KEY, b"x", timeout=10)
    honest = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
    await honest.publish(KEY, b"x", timeout=10)
    assert link.connects == 1


async def test_a_routing_key_that_amqp_cannot_carry_is_our_own_fault(publisher: ConfirmedPublisher) -> None:
    with pytest.raises(MisuseError):
        await publisher.publish("a." + "k" * 254, b"x", timeout=10)
    await publisher.publish(KEY, b"x", timeout=10)


async def test_a_caller_that_gives_up_disturbs_nobody(publisher: ConfirmedPublisher, vhost: Vhost) -> None:
    """The broker returns or confirms them all the same; the channel must stand it."""
    await publisher.publish(KEY, b"x", timeout=10)
    impatient = [
        asyncio.create_task(publisher.publish(key, b"x", timeout=10)) for key in ("nobody.x", KEY) for _ in range(20)
    ]
    await asyncio.sleep(0)
    for task in impatient:
        task.cancel()
    assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*impatient, return_exceptions=True))
    await asyncio.gather(*(publisher.publish(KEY, b"x", timeout=10) for _ in range(100)))
    assert await depth(vhost) == 121


async def test_a_closed_publisher_leaves_nothing_in_doubt(link: Link, publisher: ConfirmedPublisher) -> None:
    await publisher.publish(KEY, b"x", timeout=10)
    await link.close()
    with pytest.raises(UnconfirmedError):
        await publisher.publish(KEY, b"x", timeout=10)


async def test_acknowledged_together_or_out_of_order_nothing_stays(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost
) -> None:
    await asyncio.gather(*(publisher.publish(KEY, b"%d" % n, timeout=10) for n in range(30)))
    async with consuming(link) as consumer:
        messages = await take(consumer, 30)
        await consumer.ack(messages[:10])
        await consumer.ack(messages[15:20])
        await consumer.ack([messages[12], messages[11], messages[10]])
        await consumer.ack(messages[20:])
    async with consuming(link) as consumer:
        again = await take(consumer, 2)
        assert [m.body for m in again] == [m.body for m in messages[13:15]]
        assert all(m.redelivered for m in again)
        await consumer.ack(again)
    assert await depth(vhost) == 0


async def test_prefetch_bounds_what_is_unacknowledged(publisher: ConfirmedPublisher, link: Link, vhost: Vhost) -> None:
    await asyncio.gather(*(publisher.publish(KEY, b"x", timeout=10) for _ in range(20)))
    async with consuming(link, prefetch=5) as consumer:
        first = await take(consumer, 5)
        assert await depth(vhost) == 15
        await consumer.ack(first)
        assert len(await take(consumer, 5)) == 5
        assert await depth(vhost) == 10


async def test_a_rejected_message_is_dead_lettered(link: Link, vhost: Vhost) -> None:
    await declare(
        link,
        exchanges=[EXCHANGE, "test.dead"],
        queues=[("test.dead.q", QUORUM), (QUEUE, QUORUM | {"x-dead-letter-exchange": "test.dead"})],
        bindings=[(EXCHANGE, QUEUE, "a.#"), ("test.dead", "test.dead.q", "#")],
    )
    publisher = ConfirmedPublisher(link, EXCHANGE, user_id=vhost.user)
    await publisher.publish(KEY, b"bad", timeout=10)
    async with consuming(link) as consumer:
        await consumer.reject(await take(consumer, 1))
        await eventually(lambda: depth(vhost, "test.dead.q"))


async def test_pause_cancels_and_gives_the_same_out_again_without_another_delivery(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost
) -> None:
    await asyncio.gather(*(publisher.publish(KEY, b"%d" % n, timeout=10) for n in range(3)))
    async with consuming(link) as consumer:
        before = await take(consumer, 3)
        await consumer.ack(before[:1])
        for _ in range(30):  # more often than any delivery limit
            await consumer.pause(0.02)
            assert consumer.consumers() == {QUEUE: False}
            assert sorted(m.body for m in await take(consumer, 2)) == [b"1", b"2"]
        await publisher.publish(KEY, b"later", timeout=10)
        assert await depth(vhost) == 1  # nobody takes it
        await consumer.ack(before[1:])
        assert [m.body for m in await take(consumer, 1)] == [b"later"]
    async with consuming(link) as consumer:
        (message,) = await take(consumer, 1)
        assert message.headers["x-delivery-count"] == 1


async def test_pause_with_nothing_owed_consumes_again_by_itself(publisher: ConfirmedPublisher, link: Link) -> None:
    async with consuming(link) as consumer:
        await eventually(lambda: consumer.consumers()[QUEUE])
        await consumer.pause(0.02)
        await publisher.publish(KEY, b"x", timeout=10)
        assert len(await take(consumer, 1)) == 1


async def test_a_deleted_queue_is_seen_and_consumed_again_when_it_is_back(
    publisher: ConfirmedPublisher, link: Link
) -> None:
    async with consuming(link) as consumer:
        await eventually(lambda: consumer.consumers()[QUEUE])
        await delete_queue(link, QUEUE)
        await eventually(lambda: "NOT_FOUND" in consumer.errors().get(QUEUE, ""))
        await declare(link, queues=[(QUEUE, QUORUM)], bindings=[(EXCHANGE, QUEUE, "a.#")])
        await publisher.publish(KEY, b"x", timeout=10)
        assert len(await take(consumer, 1)) == 1
        assert link.connects == 1


async def test_a_consumer_that_the_broker_forgot_is_noticed(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost, opened: list[Channel]
) -> None:
    async def known() -> list[tuple[str, int]]:
        found = await vhost.management.get("consumers", vhost.name)
        # The details come with the broker's statistics; until then there is an empty list in their place.
        return [(c["consumer_tag"], c["channel_details"]["number"]) for c in found if c["channel_details"]]

    async with consuming(link, check=0.1) as consumer:
        await eventually(lambda: consumer.consumers()[QUEUE])
        ((tag, number),) = await eventually(known)
        (channel,) = [one for one in opened if one.number == number]
        await channel.basic_cancel(tag)  # behind its back
        await eventually(lambda: "the broker knows no consumer" in consumer.errors().get(QUEUE, ""))
        await publisher.publish(KEY, b"x", timeout=10)
        assert len(await take(consumer, 1)) == 1


async def test_the_queues_of_a_consumer_change_while_it_consumes(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost
) -> None:
    """What was taken from a queue that is left goes back to it, also what is acknowledged afterwards."""
    await declare(link, queues=[(OTHER, QUORUM)], bindings=[(EXCHANGE, OTHER, "b.#")])
    async with consuming(link) as consumer:
        await publisher.publish(KEY, b"left", timeout=10)
        taken = await take(consumer, 1)
        await consumer.follow({OTHER: 10})
        await consumer.ack(taken)
        await consumer.reject(taken)
        assert set(consumer.consumers()) == {OTHER}
        await publisher.publish("b.x", b"other", timeout=10)
        other = await take(consumer, 1)
        assert [m.body for m in other] == [b"other"]
        await consumer.ack(other)
        await eventually(lambda: depth(vhost))
        await consumer.follow({QUEUE: 10, OTHER: 10})
        back = await take(consumer, 1)
        assert [(m.body, m.redelivered) for m in back] == [(b"left", True)]
        await consumer.ack(back)
    assert await depth(vhost) == await depth(vhost, OTHER) == 0
    assert link.connects == 1


async def test_foreign_bytes_in_keys_and_properties_cost_nobody_the_connection(
    publisher: ConfirmedPublisher, link: Link, vhost: Vhost
) -> None:
    """A partner whose software writes GBK: its message arrives, recognisably wrong, and the next one after it."""
    gbk = "执行".encode("gbk")
    channel = await link.channel(confirms=True)
    frames = PublishFrames(channel.number, EXCHANGE, vhost.user, channel.max_content_size)
    raw = frames.encode("a.ZZZZ", "YYYY", "XXXX", b"body")
    for marker in (b"ZZZZ", b"YYYY", b"XXXX"):
        raw = raw.replace(marker, gbk)
    await channel.write_queue.put(ChannelFrame(raw, False))
    await publisher.publish(KEY, b"next", timeout=10)
    async with consuming(link) as consumer:
        messages = {m.body: m for m in await take(consumer, 2)}
        assert set(messages) == {b"body", b"next"}
        strange = messages[b"body"]
        assert strange.routing_key.startswith("a.") and "\ufffd" in strange.routing_key
        assert strange.content_type is not None and "\ufffd" in strange.content_type
        await consumer.ack(list(messages.values()))
    assert link.connects == 1


async def test_a_blocked_broker_can_be_seen(publisher: ConfirmedPublisher, link: Link, vhost: Vhost) -> None:
    await publisher.publish(KEY, b"x", timeout=10)
    await vhost.broker.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        with pytest.raises(UnconfirmedError, match="timeout"):
            await publisher.publish(KEY, b"x", timeout=0.2)
        await eventually(lambda: link.blocked)
        assert link.connected
    finally:
        await vhost.broker.control("set_vm_memory_high_watermark", "0.4")
    await eventually(lambda: not link.blocked)
    await publisher.publish(KEY, b"x", timeout=20)


async def test_wrong_credentials_keep_the_link_down_and_say_why(vhost: Vhost) -> None:
    async with Link(vhost.url("nobody", "wrong"), name="intruder") as link:
        with pytest.raises(TimeoutError):
            await link.wait_connected(1.0)
        await eventually(lambda: link.last_error is not None)
        assert "ACCESS_REFUSED" in str(link.last_error)
        assert not link.connected


async def test_several_addresses_are_tried_in_turn(vhost: Vhost) -> None:
    """Each with its own credentials; a link that is lost tries the next one, and comes round again."""
    urls = [vhost.url_at(free_port()), vhost.url("nobody", "wrong"), vhost.url()]
    async with Link(urls, name="wanderer", reconnect=0.02, reconnect_max=0.1) as link:
        await link.wait_connected(20)
        assert link.connects == 1
        link.drop("test")
        await eventually(lambda: link.connects == 2 and link.connected)


async def test_what_is_not_there_is_found_and_the_rest_looked_at(link: Link, vhost: Vhost) -> None:
    await declare(link, exchanges=["there"], queues=[("here", {"x-queue-type": "quorum"})])
    absent = await missing(link, ["nowhere", "here", "gone"], exchanges=["there", "lost"])
    assert absent == ["lost", "nowhere", "gone"]


async def test_a_lookout_knows_of_an_alarm_without_anything_to_send(link: Link, vhost: Vhost) -> None:
    """On a connection of its own: the one that works hears of it only when it publishes."""
    await declare(link, exchanges=[OUT])
    async with Link(vhost.url(), name="looks") as own:
        lookout = Lookout(own, ["lianzhi.to.nobody"], user=vhost.user, answer=1.0)
        await lookout.look()
        assert (lookout.blocked, lookout.missing) == (False, {"lianzhi.to.nobody"})
        await vhost.broker.control("set_vm_memory_high_watermark", "absolute", "1MB")

        async def looked() -> bool:
            with suppress(*WIRE_ERRORS):
                await lookout.look()
            return lookout.blocked

        async def calm() -> bool:
            return not await looked()

        try:
            await eventually(looked)
            assert not link.blocked
        finally:
            await vhost.broker.control("set_vm_memory_high_watermark", "0.4")
        await eventually(calm)
        await lookout.close()
