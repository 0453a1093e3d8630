"""Messages that leave us and do not arrive: no queue, a purged queue, a reader that throws them away."""

from __future__ import annotations

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue

from gateway.application.ports.lists import RequestFilter
from gateway.broker.topology import to_queue
from gateway.core.records import Request
from simulation.parties import GRID
from tests.eventually import eventually
from tests.fault.agencies import working
from tests.fault.court import VERIFY
from tests.fault.site import Site, restore_queues, until

COUNT = 12
TRIED = 4
"""Before a queue that is gone pauses its route, and while it is tried again."""
LANES = ("normal", "urgent")
SOON = {"redeliver_after": 1.0}


async def _submitted(site: Site) -> None:
    await site.court.submit_all(site.court.orders(COUNT, [VERIFY]))


async def _in(site: Site, state: str, least: int = COUNT) -> list[Request]:
    """The requests in that state, once there are so many."""

    async def there() -> list[Request]:
        found = await site.store.requests(RequestFilter(state=state))
        return found if len(found) >= least else []

    requests: list[Request] = await eventually(there)
    return requests


async def _reckoned(site: Site) -> None:
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT, {}, {})


async def test_a_queue_that_is_gone_makes_undeliverable_and_heals_by_itself(site: Site) -> None:
    for lane in LANES:
        await site.vhost.management.delete("queues", site.vhost.name, to_queue(GRID, lane))
    async with site.gateway():
        await _submitted(site)
        requests = await _in(site, "undeliverable", TRIED)  # the rest waits behind them, unsent
        assert {r.reason for r in requests} == {"unroutable"}
        assert await _told(site, "state", "undeliverable", {r.request_no for r in requests})
        await restore_queues(site)
        async with working(*site.agencies(GRID)):
            await site.settled()
        now = [await site.store.request(request.request_no) for request in requests]
        assert {one.reason for one in now if one is not None} == {None}, "it was delivered after all"
    await _reckoned(site)


@pytest.mark.slow
async def test_a_purged_inbox_is_filled_again_by_the_clock(site: Site) -> None:
    async with site.gateway(timing=SOON):
        await _submitted(site)
        await _in(site, "dispatched")
        await until(lambda: _waits(site, COUNT))
        async with await aio_pika.connect(site.vhost.url()) as connection:
            for queue in await _inbox(await connection.channel()):
                await queue.purge()
        assert await _waits(site, 0)
        async with working(*site.agencies(GRID)):
            await site.settled()
        assert await _told(site, "sent-again")
    await _reckoned(site)


@pytest.mark.slow
async def test_what_a_reader_throws_away_comes_back_as_undeliverable(site: Site) -> None:
    """Rejected by the agency's program, dead-lettered by the broker, taken in by us; sent again, it is done once."""
    async with site.gateway(timing={"redeliver_after": 2.0}):
        await _submitted(site)
        await until(lambda: _waits(site, COUNT))
        async with await aio_pika.connect(site.agencies(GRID)[0].amqp_url) as connection:
            for queue in await _inbox(await connection.channel()):
                while (message := await queue.get(fail=False)) is not None:
                    await message.reject(requeue=False)
        await until(lambda: _told(site, "dead-lettered"))
        await until(lambda: _told(site, "state", "undeliverable"))
        assert {r.reason for r in await site.store.requests(RequestFilter(state="undeliverable"))} <= {"dead-lettered"}
        async with working(*site.agencies(GRID)):
            await site.settled()
    await _reckoned(site)


async def _inbox(channel: AbstractChannel) -> list[AbstractQueue]:
    """The agency's two queues."""
    return [await channel.get_queue(to_queue(GRID, lane), ensure=False) for lane in LANES]


async def _waits(site: Site, number: int) -> bool:
    waiting = await site.waiting()
    return sum(waiting[to_queue(GRID, lane)] for lane in LANES) == number


async def _told(site: Site, kind: str, state: str | None = None, of: set[str] | None = None) -> bool:
    """Whether the court has heard that of each of its requests, or of these."""
    events = [e for e in await site.court.feed() if e["kind"] == kind and state in (None, e.get("state"))]
    return {e["request_no"] for e in events} >= (of or set(site.court.accepted.values()))
