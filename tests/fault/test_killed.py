"""SIGKILL to the gateway at each point where it could lose something or do it twice, under load; then the count."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.fault.agencies import working
from tests.fault.entry import POINTS, Fall
from tests.fault.site import Site

COUNT = 40
# The occasion is chosen so that some messages are behind the point, some before it, and some at it.
OCCASION = {
    "accepted-not-answered": 4,
    "committed-not-published": 15,
    "published-not-marked": 15,
    "received-not-committed": 4,
    "written-not-committed": 4,
    "committed-not-acknowledged": 4,
}


async def _killed_at(site: Site, *points: str) -> None:
    """One load, one process for each point; each is killed there. The last one is left to finish."""
    court = site.court
    left = iter(points)
    child = await site.child(fall=Fall(point := next(left), OCCASION[point]))
    await court.hand_in_paper()
    async with working(*site.agencies()):
        orders = court.orders(COUNT)
        submitting = asyncio.create_task(court.submit_all(orders))
        assert await child.ended() == -signal.SIGKILL, child.said()
        child = await site.child()
        await submitting
        await site.settled()
        await child.stop()
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT, {}, {})


@pytest.mark.parametrize("point", POINTS)
async def test_a_gateway_killed_at(site: Site, point: str) -> None:
    await _killed_at(site, point)
