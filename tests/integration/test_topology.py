"""The topology as data, and as a real broker holds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import aio_pika
import pytest

from gateway.amqp.link import Link
from gateway.broker import consumer as broker_consumer
from gateway.broker.consumer import GatewayConsumer, prefetches
from gateway.broker.health import broker_health
from gateway.broker.provision import declare_topology, differences, provision
from gateway.broker.publisher import GatewayPublisher
from gateway.broker.topology import (
    DEAD,
    DEAD_DELIVERY_LIMIT,
    FROM_DELIVERY_LIMIT,
    IN,
    OUT,
    TO_DELIVERY_LIMIT,
    Topology,
    from_queue,
    owner_of,
    plan,
    to_queue,
)
from gateway.core.routing import Directory, Participant
from gateway.errors import ConfigurationError, UnroutableError
from gateway.services.ports import Delivery
from schemas.catalogue import Kind, catalogue
from tests.conftest import Vhost
from tests.eventually import eventually

COURT = Participant("court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical", home=True, accepts=("*",))
POLICE = Participant(
    "police-610199", Kind.POLICE, "公安", "Police", "amqp", "police/1",
    accepts=("police.*",), opens=("police.vehicle-hit.alert",),
)  # fmt: skip
WITNESS = Participant("witness-610199", Kind.WITNESS, "见证", "Witness", "amqp", "plain/1")
CLOSED = Participant("grid-610199", Kind.GRID, "网格", "Grid", "amqp", "grid/1", accepts=("grid.*",), enabled=False)
DIRECTORY = Directory([replace(COURT, opens=("*",)), POLICE, WITNESS, CLOSED])
KEY = f"{POLICE.code}.normal.police.person-locate.request.delivered"


@pytest.fixture
def topology() -> Topology:
    return plan(DIRECTORY, catalogue())


@pytest.fixture
async def declared(link: Link) -> AsyncIterator[Link]:
    await declare_topology(link, plan(DIRECTORY, catalogue()))
    yield link


def test_an_urgent_pair_stands_where_a_conversation_is_possible(topology: Topology) -> None:
    """`withdraw` is urgent for every type; who has no conversation cannot get one."""
    names = {queue.name for queue in topology.queues}
    assert names == {
        DEAD,
        "lianzhi.to.police-610199", "lianzhi.to.police-610199.urgent",
        "lianzhi.from.police-610199", "lianzhi.from.police-610199.urgent",
        "lianzhi.to.witness-610199", "lianzhi.from.witness-610199",
    }  # fmt: skip
    urgent = [b for b in topology.bindings if b.key == "witness-610199.urgent.#"]
    assert {(b.exchange, b.queue) for b in urgent} == {
        (OUT, "lianzhi.to.witness-610199"),
        (IN, "lianzhi.from.witness-610199"),
    }


def test_every_queue_that_dead_letters_loses_nothing_on_the_way(topology: Topology) -> None:
    for queue in topology.queues:
        assert queue.arguments["x-queue-type"] == "quorum"
        if queue.name == DEAD:
            assert queue.arguments["x-delivery-limit"] == DEAD_DELIVERY_LIMIT
            continue
        limit = TO_DELIVERY_LIMIT if queue.name.startswith("lianzhi.to.") else FROM_DELIVERY_LIMIT
        assert queue.arguments["x-delivery-limit"] == limit
        assert queue.arguments["x-overflow"] == "reject-publish"
        assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
        assert queue.arguments["x-dead-letter-exchange"] == DEAD
        assert queue.arguments["x-dead-letter-routing-key"] == queue.name


def test_a_cluster_gets_its_replicas_from_the_declaration() -> None:
    clustered = plan(DIRECTORY, catalogue(), replicas=3)
    assert {queue.arguments["x-quorum-initial-group-size"] for queue in clustered.queues} == {3}


@pytest.mark.parametrize(
    ("queue", "owner"),
    [
        (to_queue("police-610199"), "police-610199"),
        (from_queue("police-610199", "urgent"), "police-610199"),
        (DEAD, None),
        ("lianzhi.from.", None),
        ("lianzhi.from.Police", None),
        ("other.from.police-610199", None),
    ],
)
def test_the_queue_says_whose_it_is(queue: str, owner: str | None) -> None:
    assert owner_of(queue) == owner


def test_the_prefetch_budget_is_divided_and_the_dead_come_one_by_one() -> None:
    low, high = broker_consumer.PREFETCH_BOUNDS
    assert prefetches(["a", "b", "c", DEAD], 400) == {"a": 100, "b": 100, "c": 100, DEAD: 1}
    assert prefetches([str(n) for n in range(1_000)], 400)["0"] == low
    assert prefetches(["a"], 1_000_000)["a"] == high


async def test_applying_twice_changes_nothing_the_second_time(topology: Topology, link: Link, vhost: Vhost) -> None:
    passwords = {POLICE.code: "first secret"}
    options = {"management": vhost.management, "vhost": vhost.name}
    before = await differences(topology, **options, passwords=passwords)
    assert f"queue {from_queue(POLICE.code)}" in before and f"exchange {OUT}" in before
    assert sorted(await provision(topology, **options, link=link, passwords=passwords)) == sorted(before)
    assert await differences(topology, **options, passwords=passwords) == []
    assert await provision(topology, **options, link=link) == []
    changed = await differences(topology, **options, passwords={POLICE.code: "second secret"})
    assert changed == [f"password of {POLICE.code}"]


async def test_a_participant_that_left_keeps_its_queue_and_it_is_said(
    topology: Topology, link: Link, vhost: Vhost
) -> None:
    options = {"management": vhost.management, "vhost": vhost.name}
    await provision(topology, **options, link=link)
    smaller = plan(Directory([p for p in DIRECTORY if p.code != WITNESS.code]), catalogue())
    stale = [f"stale queue {to_queue(WITNESS.code)}", f"stale queue {from_queue(WITNESS.code)}"]
    assert sorted(await provision(smaller, **options, link=link)) == sorted(stale)


async def test_a_queue_with_other_arguments_is_named(link: Link, topology: Topology, vhost: Vhost) -> None:
    name = from_queue(POLICE.code)
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    assert f"queue {name}" in await differences(topology, management=vhost.management, vhost=vhost.name)
    with pytest.raises(ConfigurationError, match=name):
        await declare_topology(link, plan(DIRECTORY, catalogue()))


async def one(consumer: GatewayConsumer) -> Delivery:
    """The next delivery, unacknowledged."""
    async with aclosing(consumer.batches(1)) as batches:
        (delivery,) = await anext(batches)
        return delivery


async def test_what_a_partner_writes_reaches_intake_with_its_owner(declared: Link, vhost: Vhost) -> None:
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        for lane in ("normal", "urgent"):
            message = aio_pika.Message(lane.encode(), content_type="text/plain", user_id=vhost.user)
            await exchange.publish(message, f"{POLICE.code}.{lane}.police.person-locate.request.result")
    consumer = GatewayConsumer(declared, DIRECTORY, catalogue())
    for _ in range(2):
        delivery = await one(consumer)
        lane = delivery.body.decode()
        assert delivery.owner == POLICE.code
        assert delivery.queue == from_queue(POLICE.code, lane)
        assert (delivery.user_id, delivery.content_type, delivery.dead_from) == (vhost.user, "text/plain", None)
        assert delivery.routing_key == f"{POLICE.code}.{lane}.police.person-locate.request.result"
        await consumer.ack([delivery])
    await consumer.close()


async def test_what_we_send_reaches_the_partner_or_is_said_to_be_unroutable(declared: Link, vhost: Vhost) -> None:
    publisher = GatewayPublisher(declared, vhost.user)
    await publisher.publish(f"{POLICE.code}.urgent.police.person-locate.request.withdraw", b"stop", timeout=10)
    await publisher.publish(f"{WITNESS.code}.urgent.gateway.ping", b"ping", timeout=10)
    with pytest.raises(UnroutableError):
        await publisher.publish(f"{CLOSED.code}.normal.grid.verify.request.open", b"x", timeout=10)
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        for queue, body in ((to_queue(POLICE.code, "urgent"), b"stop"), (to_queue(WITNESS.code), b"ping")):
            message = await (await channel.get_queue(queue)).get()
            assert message.body == body
            await message.ack()
    await publisher.close()


async def test_a_message_that_breaks_its_reader_dies_after_its_limit_and_comes_to_intake(
    declared: Link, vhost: Vhost
) -> None:
    """Twenty deliveries, then `lianzhi.dead`; intake hears where it died and under which key it came."""
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        await exchange.publish(aio_pika.Message(b"poison", user_id=vhost.user), KEY)
        queue = await channel.get_queue(from_queue(POLICE.code))
        deliveries = 0
        while (message := await queue.get(fail=False)) is not None:
            deliveries += 1
            await message.nack(requeue=True)
        assert deliveries == FROM_DELIVERY_LIMIT + 1
    consumer = GatewayConsumer(declared, DIRECTORY, catalogue())
    delivery = await one(consumer)
    assert (delivery.queue, delivery.dead_from) == (DEAD, from_queue(POLICE.code))
    assert (delivery.owner, delivery.routing_key) == (POLICE.code, KEY)
    assert (delivery.body, delivery.user_id) == (b"poison", vhost.user)
    await consumer.ack([delivery])
    await consumer.close()


async def test_what_intake_rejects_comes_back_to_it_from_the_dead_queue(declared: Link, vhost: Vhost) -> None:
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        await exchange.publish(aio_pika.Message(b"bad", user_id=vhost.user), KEY)
    consumer = GatewayConsumer(declared, DIRECTORY, catalogue())
    await consumer.reject([await one(consumer)])
    delivery = await one(consumer)
    assert (delivery.body, delivery.dead_from, delivery.owner) == (b"bad", from_queue(POLICE.code), POLICE.code)
    await consumer.close()


async def test_health_names_the_queue_without_a_consumer(declared: Link, vhost: Vhost) -> None:
    consumer = GatewayConsumer(declared, DIRECTORY, catalogue())
    assert not broker_health(declared, consumer).ok
    await consumer.open()
    await eventually(lambda: broker_health(declared, consumer).ok)
    await vhost.management.delete("queues", vhost.name, from_queue(WITNESS.code))
    await eventually(lambda: list(broker_health(declared, consumer).silent) == [from_queue(WITNESS.code)])
    await declare_topology(declared, plan(DIRECTORY, catalogue()))
    await eventually(lambda: broker_health(declared, consumer).ok)
    await consumer.close()
