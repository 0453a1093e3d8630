"""Each agency uses its own broker user: it reads its own queues, writes its own keys, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ProbableAuthenticationError
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from gateway.broker.consumer import GatewayConsumer
from gateway.broker.provision import declare_topology, provision
from gateway.broker.publisher import GatewayPublisher
from gateway.broker.topology import DEAD, GATEWAY_USER, IN, MARK, OUT, from_queue, plan, to_queue
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.errors import ConfigurationError, UnconfirmedError
from schemas.catalogue import Kind, catalogue
from tests.conftest import CONNECT_SECONDS, Vhost
from tests.eventually import eventually

COURT = Participant(
    "court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical", home=True, accepts=("*",), opens=("*",)
)
POLICE = Participant("police-610199", Kind.POLICE, "公安", "Police", "amqp", "police/1", accepts=("police.*",))
GRID = Participant("grid-610199", Kind.GRID, "网格", "Grid", "amqp", "grid/1", accepts=("grid.*",))
PASSWORDS = {POLICE.code: "police secret", GRID.code: "grid secret", GATEWAY_USER: "gateway secret"}
KEY = f"{POLICE.code}.normal.police.person-locate.request.delivered"


def directory(*others: Participant) -> Directory:
    return Directory([COURT, *others])


@pytest.fixture
async def apart(link: Link, vhost: Vhost) -> AsyncIterator[Vhost]:
    """A virtual host where the police and the grid have their users."""
    await provision(
        plan(directory(POLICE, GRID), catalogue()),
        management=vhost.management, link=link, vhost=vhost.name, passwords=PASSWORDS,
    )  # fmt: skip
    yield vhost


@asynccontextmanager
async def channel_of(vhost: Vhost, user: str) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(vhost.url(user, PASSWORDS[user]))
    async with connection, connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
        yield channel


def signed_by(user: str | None) -> aio_pika.Message:
    return aio_pika.Message(b"x", user_id=user)


async def test_an_agency_writes_its_own_keys_and_reads_its_own_queues(apart: Vhost) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        await exchange.publish(signed_by(POLICE.code), KEY)
        for lane in ("normal", "urgent"):
            queue = await channel.get_queue(to_queue(POLICE.code, lane), ensure=False)
            assert await queue.get(fail=False) is None


async def test_another_agencys_user_id_closes_the_channel(apart: Vhost) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        with pytest.raises(ChannelPreconditionFailed, match="user_id"):
            await exchange.publish(signed_by(GRID.code), KEY)
        assert channel.is_closed


@pytest.mark.parametrize(
    "key", [f"{GRID.code}.normal.grid.verify.request.result", f"{POLICE.code}9.normal.x.y", "x", f"x.{POLICE.code}.y"]
)
async def test_another_agencys_key_is_refused(apart: Vhost, key: str) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        exchange = await channel.get_exchange(IN, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await exchange.publish(signed_by(POLICE.code), key)


@pytest.mark.parametrize("exchange_name", [OUT, DEAD, MARK, "amq.topic", ""])
async def test_no_other_exchange_takes_anything_from_an_agency(apart: Vhost, exchange_name: str) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        exchange = await channel.get_exchange(exchange_name, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await exchange.publish(signed_by(POLICE.code), to_queue(GRID.code))


@pytest.mark.parametrize(
    "queue_name",
    [
        to_queue(GRID.code),
        to_queue(GRID.code, "urgent"),
        from_queue(POLICE.code),
        from_queue(GRID.code),
        "lianzhi.dead",
        "lianzhi.mark",
    ],
)
async def test_no_other_queue_can_be_read_or_purged(apart: Vhost, queue_name: str) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        queue = await channel.get_queue(queue_name, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(fail=False)
    async with channel_of(apart, POLICE.code) as channel:
        queue = await channel.get_queue(queue_name, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.purge()


async def test_an_agency_can_neither_declare_nor_bind_nor_delete(apart: Vhost) -> None:
    async with channel_of(apart, POLICE.code) as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.declare_queue("mine", durable=True)
    async with channel_of(apart, POLICE.code) as channel:
        queue = await channel.get_queue(to_queue(POLICE.code), ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind(OUT, "#")
    async with channel_of(apart, POLICE.code) as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.queue_delete(to_queue(POLICE.code))


async def test_our_own_publisher_says_why_the_broker_refused(apart: Vhost) -> None:
    async with Link(apart.url(POLICE.code, PASSWORDS[POLICE.code]), name="police") as link:
        publisher = ConfirmedPublisher(link, IN, user_id=POLICE.code)
        with pytest.raises(UnconfirmedError, match="ACCESS_REFUSED"):
            await publisher.publish(f"{GRID.code}.normal.x.y", b"x", timeout=10)
        await publisher.publish(KEY, b"x", timeout=10)
        await publisher.close()


async def test_the_gateways_own_user_publishes_and_consumes_and_can_do_nothing_else(apart: Vhost) -> None:
    async with Link(apart.url(GATEWAY_USER, PASSWORDS[GATEWAY_USER]), name="gateway") as link:
        publisher = GatewayPublisher(link)
        await publisher.publish(f"{POLICE.code}.normal.police.person-locate.request.open", b"x", timeout=10)
        consumer = GatewayConsumer(link, directory(POLICE, GRID), catalogue())
        await consumer.open()
        await eventually(lambda: not consumer.silent())
        await consumer.close()
        await publisher.close()
        with pytest.raises(ConfigurationError, match="ACCESS_REFUSED"):
            await declare_topology(link, plan(directory(POLICE, GRID), catalogue()))
    for refused in (IN, DEAD, ""):
        async with channel_of(apart, GATEWAY_USER) as channel:
            exchange = await channel.get_exchange(refused, ensure=False)
            with pytest.raises(ChannelAccessRefused):
                await exchange.publish(signed_by(GATEWAY_USER), KEY)
    async with channel_of(apart, GATEWAY_USER) as channel:
        queue = await channel.get_queue(to_queue(POLICE.code), ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(fail=False)


async def test_a_disabled_agency_loses_its_rights_and_its_connection_at_once(apart: Vhost, link: Link) -> None:
    async with Link(apart.url(POLICE.code, PASSWORDS[POLICE.code]), name="police", reconnect_max=0.2) as theirs:
        await theirs.wait_connected(CONNECT_SECONDS)
        await eventually(lambda: apart.management.get("connections", "username", POLICE.code))
        topology = plan(directory(replace(POLICE, enabled=False), GRID), catalogue())
        options: dict[str, Any] = {"management": apart.management, "link": link, "vhost": apart.name}
        changes = await provision(topology, **options)
        assert f"permissions of {POLICE.code}" in changes
        await eventually(lambda: not theirs.connected and "NOT_ALLOWED" in str(theirs.last_error))
        again = plan(directory(POLICE, GRID), catalogue())
        await provision(again, **options)
        await theirs.wait_connected(CONNECT_SECONDS)


async def test_a_user_without_a_password_gets_in_by_certificate_only(link: Link, vhost: Vhost) -> None:
    bare = replace(POLICE, code="police-610198")
    await provision(
        plan(directory(bare), catalogue()), management=vhost.management, link=link, vhost=vhost.name
    )  # fmt: skip
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(vhost.url(bare.code, ""))
