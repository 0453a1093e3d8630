"""The mark in a real broker: what several processes put there, what is left, what is said when it is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.broker.mark_queue import MarkQueue
from gateway.broker.topology import MARK, MARKS_KEPT, plan
from gateway.core.recovery.marks import Mark
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.declare import declare, delete_queue
from lianzhi.amqp.link import Link
from lianzhi.amqp.shelf import Shelf
from lianzhi.errors import MarkUnreadableError
from schemas.catalogue import Kind, catalogue
from tests.conftest import CONNECT_SECONDS, Vhost

COURT = Participant("court-sn0199", Kind.COURT, "法院", "Court", "http", "canonical", home=True)
LIFE = "a" * 36


def mark(sequence: int) -> Mark:
    return Mark(incarnation=LIFE, sequence=sequence, token=str(sequence), event_id=sequence)


@pytest_asyncio.fixture
async def link(vhost: Vhost) -> AsyncIterator[Link]:
    topology = plan(Directory([COURT]), catalogue())
    queue = next(queue for queue in topology.queues if queue.name == MARK)
    async with Link(vhost.url(), name="marks") as link:
        await link.wait_connected(CONNECT_SECONDS)
        await declare(link, exchanges=[MARK], queues=[(MARK, queue.arguments)], bindings=[(MARK, MARK, "#")])
        yield link


async def test_the_highest_counts_whatever_the_order_and_stays(link: Link, vhost: Vhost) -> None:
    one, other = MarkQueue(link, user=vhost.user), MarkQueue(link, user=vhost.user)
    assert await one.read([LIFE]) is None
    await one.write(mark(3))
    await other.write(mark(2))
    for _ in range(3):
        found = await other.read([LIFE])
        assert found is not None
        assert (found.sequence, found.token) == (3, "3")


async def test_reading_leaves_one_and_the_queue_never_grows(link: Link, vhost: Vhost) -> None:
    place = MarkQueue(link, user=vhost.user)
    for sequence in range(MARKS_KEPT + 8):
        await place.write(mark(sequence))
    shelf = Shelf(link, exchange=MARK, queue=MARK, user=vhost.user, most=2 * MARKS_KEPT)
    lay: list[int] = []

    def count(bodies: object) -> bytes:
        assert isinstance(bodies, list)
        lay.append(len(bodies))
        return bodies[-1]  # type: ignore[no-any-return]

    await shelf.take(count)
    await shelf.take(count)
    assert lay == [MARKS_KEPT, 1]


async def test_what_another_process_has_in_hand_is_asked_for_again(link: Link, vhost: Vhost) -> None:
    place = MarkQueue(link, user=vhost.user)
    await place.write(mark(7))
    async with Link(vhost.url(), name="holder") as holder:
        channel = await holder.channel()
        await channel.basic_get(MARK)
        assert await place.read([LIFE]) is None
        await channel.close()  # given back
    found = await place.read([LIFE], patient=True)
    assert found is not None and found.sequence == 7


async def test_a_broker_without_the_queue_says_what_to_run(link: Link, vhost: Vhost) -> None:
    place = MarkQueue(link, user=vhost.user)
    await delete_queue(link, MARK)
    with pytest.raises(MarkUnreadableError, match="lianzhi broker apply") as told:
        await place.read([LIFE])
    assert told.value.answered


async def test_a_link_that_is_down_is_no_answer(vhost: Vhost) -> None:
    link = Link("amqp://nobody:nothing@127.0.0.1:1/x", name="nowhere")
    await link.open()
    place = MarkQueue(link, user=vhost.user)
    await place.connect()
    with pytest.raises(MarkUnreadableError) as told:
        await place.read([LIFE], patient=True)
    await link.close()
    assert not told.value.answered
