"""A dispatcher that hangs (SIGSTOP) longer than its lease while another one takes over, and then goes on as if
nothing had happened. PostgreSQL: several processes on one store."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.eventually import eventually
from tests.fault.agencies import working
from tests.fault.entry import Fall
from tests.fault.site import Site
from tests.fault.spy import spying

COUNT = 30


@pytest.mark.parametrize(
    "point", [pytest.param("committed-not-published", marks=pytest.mark.slow), "published-not-marked"]
)
async def test_a_dispatcher_that_hangs_is_replaced_and_comes_back(postgres_site: Site, point: str) -> None:
    site, court = postgres_site, postgres_site.court
    async with spying(site.vhost) as spy, working(*site.agencies()):
        rest = await site.child(("api", "intake", "clock"))
        hanging = await site.child(("dispatch",), fall=Fall(point, 5, signal.SIGSTOP))
        await court.hand_in_paper()
        await asyncio.gather(court.submit_all(court.orders(COUNT)), eventually(lambda: hanging.stopped))
        replacing = await site.child(("dispatch",))
        await site.settled()
        hanging.signal(signal.SIGCONT)
        # It publishes what it had in hand, marks what is marked already, or finds its link dead: nothing changes.
        await eventually(lambda: spy.repeated() or "not-sent" in hanging.said())
        await site.settled()
        for child in (hanging, replacing, rest):
            await child.stop()
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT, {}, {})
    assert spy.altered() == set()
