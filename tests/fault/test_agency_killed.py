"""An agency's program that is killed again and again with all that waits for it in its hands.

The broker counts a lost connection as a delivery of everything prefetched: a limit that is meant for poison must not
be reached by a program that only restarts often (docs/contracts.md 3.2).
"""

from __future__ import annotations

import signal
from itertools import islice

import pytest

from simulation.parties import POLICE
from tests.fault.court import LOCATE, SEAL
from tests.fault.entry import Fall
from tests.fault.site import Site

NEW = 4  # requests more for each life


@pytest.mark.parametrize("lives", [2, pytest.param(15, marks=pytest.mark.slow)])
async def test_an_agency_killed_again_and_again_with_all_that_waits_in_its_hands(site: Site, lives: int) -> None:
    orders = iter(site.court.orders(NEW * lives, [LOCATE, SEAL]))
    async with site.gateway():
        await site.court.hand_in_paper()
        for life in range(1, lives + 1):
            await site.court.submit_all(islice(orders, NEW))
            agency = await site.agency(POLICE, _fall(life))
            assert await agency.ended() == -signal.SIGKILL, agency.said()
        agency = await site.agency(POLICE)
        await site.settled()
        await agency.stop()
        assert not [e for e in await site.court.feed() if e["kind"] == "dead-lettered"]
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (NEW * lives, {}, {})


def _fall(life: int) -> Fall:
    return Fall("committed-not-acknowledged") if life % 5 else Fall("handled", 1 + life % 3)
