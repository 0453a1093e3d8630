"""The topology as data, and as a real broker holds it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aiormq.exceptions import AMQPError

from gateway.application.ports.broker import Delivery
from gateway.bounds import Bounds
from gateway.broker import consumer as broker_consumer
from gateway.broker.consumer import GatewayConsumer, prefetches
from gateway.broker.health import broker_health
from gateway.broker.management import ManagementError
from gateway.broker.message_limit import ask_message_limit, judge
from gateway.broker.provision import declare_topology, differences, left_alone, provision, worded
from gateway.broker.publisher import GatewayPublisher
from gateway.broker.topology import (
    DEAD,
    DEAD_DELIVERY_LIMIT,
    FROM_DELIVERY_LIMIT,
    GATEWAY_USER,
    IN,
    MARK,
    MARKS_KEPT,
    OUT,
    TO_DELIVERY_LIMIT,
    Topology,
    from_queue,
    owner_of,
    plan,
    to_queue,
)
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.link import Link
from lianzhi.errors import ConfigurationError, UnroutableError
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
        DEAD, MARK,
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
        if queue.name == MARK:  # only the last count: it drops the oldest, and dead-letters nothing
            assert (queue.arguments["x-overflow"], queue.arguments["x-max-length"]) == ("drop-head", MARKS_KEPT)
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
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    before = await differences(topology, **options, passwords=passwords)
    assert f"queue {from_queue(POLICE.code)}" in before and f"exchange {OUT}" in before
    told = {worded(line) for line in before}
    assert {f"队列 queue {from_queue(POLICE.code)}", f"交换机 exchange {OUT}"} <= told
    assert sorted(await provision(topology, **options, link=link, passwords=passwords)) == sorted(before)
    assert await differences(topology, **options, passwords=passwords) == []
    assert await provision(topology, **options, link=link) == []
    changed = await differences(topology, **options, passwords={POLICE.code: "second secret"})
    assert changed == [f"password of {POLICE.code}"]


async def test_a_participant_that_left_keeps_its_queue_and_it_is_said(
    topology: Topology, link: Link, vhost: Vhost
) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    await provision(topology, **options, link=link)
    smaller = plan(Directory([p for p in DIRECTORY if p.code != WITNESS.code]), catalogue())
    stale = [f"stale queue {to_queue(WITNESS.code)}", f"stale queue {from_queue(WITNESS.code)}"]
    assert sorted(await provision(smaller, **options, link=link)) == sorted(stale)


@pytest.mark.slow
async def test_every_queue_has_a_length_by_policy(topology: Topology, link: Link, vhost: Vhost) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    before = await differences(topology, **options)
    figures = "max-length 100000, max-length-bytes 2147483648, overflow reject-publish"
    assert {f"policy {name}: {figures}" for name in ("lianzhi.to", "lianzhi.from", DEAD)} <= set(before)
    await provision(topology, **options, link=link)
    expected = {"max-length": 100_000, "max-length-bytes": 2 << 30, "overflow": "reject-publish"}

    async def in_force() -> bool:
        found = {
            q["name"]: q.get("effective_policy_definition") for q in await vhost.management.get("queues", vhost.name)
        }
        # How many marks lie there is an argument of their queue: the oldest go, nobody is refused.
        return found == {queue.name: {} if queue.name == MARK else expected for queue in topology.queues}

    await eventually(in_force)
    smaller = plan(DIRECTORY, catalogue(), bounds=Bounds(queue_messages=7))
    changed = await provision(smaller, **options, link=link)
    assert len(changed) == 3 and all("max-length 7," in line for line in changed)
    assert await differences(smaller, **options) == []


async def test_another_policy_that_overrides_ours_is_named_and_left(
    topology: Topology, link: Link, vhost: Vhost
) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    await provision(topology, **options, link=link)
    for name, pattern, priority in (("theirs", "^lianzhi", 50), ("lower", ".*", 0), ("erlang", "(?<!x", 50)):
        with suppress(ManagementError):  # the last one the broker may refuse itself
            body = {"pattern": pattern, "apply-to": "all", "priority": priority, "definition": {"expires": 9_000_000}}
            await vhost.management.put("policies", vhost.name, name, body=body)
    (line,) = await differences(topology, **options)
    assert line.startswith("untouched policy theirs") and left_alone(line)


async def test_the_limits_of_a_partners_user_are_set_and_put_right(
    topology: Topology, link: Link, vhost: Vhost
) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    await provision(topology, **options, link=link)
    api = vhost.management
    (held,) = await api.get("user-limits", POLICE.code)
    assert held["value"] == {"max-connections": 20, "max-channels": 200}
    assert not await api.get("user-limits", GATEWAY_USER)
    await api.put("user-limits", POLICE.code, "max-channels", body={"value": 7})
    assert await provision(topology, **options, link=link) == [f"limits of {POLICE.code}"]
    assert await differences(topology, **options) == []


@pytest.fixture
async def elsewhere(vhost: Vhost) -> AsyncIterator[str]:
    """A virtual host of another court, where the police's user has rights and the password `theirs`."""
    name, api = f"{vhost.name}-other", vhost.management
    await api.put("vhosts", name)
    await api.delete("users", POLICE.code)
    await api.put("users", POLICE.code, body={"tags": "", "password": "theirs"})
    await api.put("permissions", name, POLICE.code, body={"configure": "^$", "write": "^x$", "read": "^y$"})
    yield name
    await api.delete("vhosts", name)
    await api.delete("users", POLICE.code)


async def same(look: Callable[[], Awaitable[list[str]]], expected: list[str]) -> bool:
    return await look() == expected


async def logs_in(url: str) -> bool:
    try:
        await (await aio_pika.connect(url)).close()
    except (AMQPError, ConnectionError):
        return False
    return True


async def test_a_user_with_rights_elsewhere_is_not_touched(
    topology: Topology, link: Link, vhost: Vhost, elsewhere: str
) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name, "passwords": {POLICE.code: "ours"}}
    before = await vhost.management.get("users", POLICE.code, "permissions")
    applied = await provision(topology, **options, link=link)
    for said in (applied, await differences(topology, **options)):
        (line,) = [line for line in said if left_alone(line)]
        for word in (POLICE.code, elsewhere, "password", "limits", f"rights in {vhost.name}", "participants/"):
            assert word in line
    assert await vhost.management.get("users", POLICE.code, "permissions") == before
    assert not await vhost.management.get("user-limits", POLICE.code)
    assert await logs_in(vhost.broker.url(user=POLICE.code, password="theirs", vhost=elsewhere))


async def test_where_the_administrator_has_granted_it_rights_they_are_kept_right_and_no_more(
    topology: Topology, link: Link, vhost: Vhost, elsewhere: str
) -> None:
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    await vhost.management.put("permissions", vhost.name, POLICE.code, body=nothing)
    await provision(
        topology, management=vhost.management, vhost=vhost.name, link=link, passwords={POLICE.code: "ours"}
    )  # fmt: skip
    held = {p["vhost"]: p["write"] for p in await vhost.management.get("users", POLICE.code, "permissions")}
    assert held == {vhost.name: r"^lianzhi\.in$", elsewhere: "^x$"}
    assert await logs_in(vhost.url(POLICE.code, "theirs"))


async def test_a_user_with_tags_is_not_touched(topology: Topology, link: Link, vhost: Vhost) -> None:
    """`[broker] user` of a participant's file names somebody who manages the broker."""
    await vhost.management.put("users", "watcher", body={"tags": "monitoring", "password": "theirs"})
    others = [p for p in DIRECTORY if p.code != POLICE.code]
    named = plan(Directory([*others, replace(POLICE, broker_user="watcher")]), catalogue())
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name, "passwords": {"watcher": "ours"}}
    await provision(named, **options, link=link)
    (line,) = await differences(named, **options)
    assert "watcher" in line and "monitoring" in line and left_alone(line)
    assert (await vhost.management.get("users", "watcher"))["tags"] in ("monitoring", ["monitoring"])
    await vhost.management.delete("users", "watcher")


async def test_who_is_shut_out_here_stays_connected_elsewhere(
    topology: Topology, link: Link, vhost: Vhost, elsewhere: str
) -> None:
    options: dict[str, Any] = {"management": vhost.management, "vhost": vhost.name}
    here = {"configure": "^$", "write": "^$", "read": "^$"}
    await vhost.management.put("permissions", vhost.name, POLICE.code, body=here)
    at_the_other = vhost.broker.url(user=POLICE.code, password="theirs", vhost=elsewhere)
    async with await aio_pika.connect(at_the_other) as theirs, await aio_pika.connect(vhost.url(POLICE.code, "theirs")):

        async def connected() -> list[str]:
            found = await vhost.management.get("connections", "username", POLICE.code)
            return sorted(connection["vhost"] for connection in found)

        await eventually(lambda: same(connected, [vhost.name, elsewhere]))
        others = [p for p in DIRECTORY if p.code != POLICE.code]
        closed = plan(Directory([*others, replace(POLICE, enabled=False)]), catalogue())
        await provision(closed, **options, link=link)
        assert await connected() == [elsewhere]
        await (await theirs.channel()).close()
        assert [p["vhost"] for p in await vhost.management.get("users", POLICE.code, "permissions")] == [elsewhere]


def test_two_participants_never_share_a_broker_user() -> None:
    others = [p for p in DIRECTORY if p.code != WITNESS.code]
    for user in (POLICE.code, GATEWAY_USER):
        with pytest.raises(ConfigurationError, match=user):
            plan(Directory([*others, replace(WITNESS, broker_user=user)]), catalogue())


@pytest.mark.parametrize(("figure", "wrong"), [(1_114_112, None), (128 << 20, "too large"), (500_000, "too small")])
async def test_the_brokers_message_limit_is_asked_and_judged(
    declared: Link, vhost: Vhost, figure: int, wrong: str | None
) -> None:
    bounds = Bounds()
    assert bounds.broker_message_bytes == 1_114_112
    await vhost.broker.control("eval", f"application:set_env(rabbit, max_message_size, {figure}).")
    try:
        limit = await ask_message_limit(declared, bounds, user=vhost.user)
    finally:
        await vhost.broker.control("eval", "application:set_env(rabbit, max_message_size, 1114112).")
    assert (limit.refused, limit.figure) == ((True, figure) if wrong != "too large" else (False, None))
    if wrong is None:
        assert "1114112" in judge(limit, bounds)
        return
    with pytest.raises(ConfigurationError, match="max_message_size = 1114112"):
        judge(limit, bounds)


def test_the_configuration_that_we_ship_has_the_limit() -> None:
    shipped = (Path(__file__).parents[2] / "deploy" / "rabbitmq.conf").read_text()
    assert f"\nmax_message_size = {Bounds().broker_message_bytes}\n" in shipped


async def test_a_queue_with_other_arguments_is_named(link: Link, topology: Topology, vhost: Vhost) -> None:
    name = from_queue(POLICE.code)
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    assert f"queue {name}" in await differences(topology, management=vhost.management, vhost=vhost.name)
    with pytest.raises(ConfigurationError, match=name):
        await declare_topology(link, plan(DIRECTORY, catalogue()))


async def one(consumer: GatewayConsumer) -> Delivery:
    """The next delivery, unacknowledged."""
    async with aclosing(consumer.batches(1, 1 << 20)) as batches:
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
    """Twenty deliveries, then `lianzhi.dead`; intake hears in which queue it died, from the key that we gave it."""
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
    assert (delivery.owner, delivery.routing_key) == (POLICE.code, from_queue(POLICE.code))
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
