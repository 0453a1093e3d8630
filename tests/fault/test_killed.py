"""SIGKILL to the gateway at each point where it could lose something or do it twice, under load; then the count."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping

import pytest

from tests.child import Child
from tests.fault.agencies import working
from tests.fault.entry import POINTS, Fall
from tests.fault.site import Site
from tests.fault.spy import Spy, spying

COUNT = 24  # for each process that is killed
QUICK = "published-not-marked"  # the one in `make test`: its message goes twice
# The occasion is chosen so that some messages are behind the point, some before it, and some at it. What is received is
# taken in batches, and on a busy machine all answers come in three or four.
OCCASION = {
    "accepted-not-answered": 4,
    "committed-not-published": 15,
    "published-not-marked": 15,
    "received-not-committed": 2,
    "written-not-committed": 2,
    "committed-not-acknowledged": 2,
}
# Other occasions: the first, and the last but a few. Of what is received there may be three batches only.
OTHERS = [(point, nth) for point in POINTS for nth in ((1, 20) if OCCASION[point] > 2 else (1,))]


async def _killed_at(site: Site, *points: str, occasion: Mapping[str, int] = OCCASION) -> Spy:
    """One load through a process for each point, killed there; the last process is left to finish."""
    court, children = site.court, [await _falling(site, points[0], occasion)]
    await court.hand_in_paper()
    async with spying(site.vhost) as spy, working(*site.agencies()):
        submitting = asyncio.create_task(court.submit_all(court.orders(COUNT * len(points))))
        for point in (*points[1:], None):
            assert await _end(site, children[-1]) == -signal.SIGKILL, children[-1].said()
            children.append(await (_falling(site, point, occasion) if point else site.child()))
        await submitting
        await site.settled()
        await children[-1].stop()
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT * len(points), {}, {})
    assert spy.altered() == set()
    return spy


async def _end(site: Site, child: Child) -> int:
    try:
        return await child.ended()
    except AssertionError as late:
        raise AssertionError(await site.describe()) from late


async def _falling(site: Site, point: str, occasion: Mapping[str, int]) -> Child:
    return await site.child(fall=Fall(point, occasion[point]))


@pytest.mark.parametrize(
    "point", [point if point == QUICK else pytest.param(point, marks=pytest.mark.slow) for point in POINTS]
)
async def test_a_gateway_killed_at(site: Site, point: str) -> None:
    spy = await _killed_at(site, point)
    assert spy.repeated() or point != QUICK


@pytest.mark.chaos
@pytest.mark.parametrize(("point", "nth"), OTHERS)
async def test_a_gateway_killed_at_another_moment(site: Site, point: str, nth: int) -> None:
    await _killed_at(site, point, occasion={point: nth})


@pytest.mark.slow
async def test_a_gateway_killed_at_one_point_after_another(postgres_site: Site) -> None:
    await _killed_at(postgres_site, *POINTS)
