"""An agency's program that is killed again and again with all that waits for it in its hands.

The broker counts a lost connection as a delivery of everything prefetched: a limit that is meant for poison must not
be reached by a program that only restarts often (docs/design.md 3.2).
"""

from __future__ import annotations

import signal
from itertools import islice

from gateway.demo.parties import POLICE
from tests.fault.court import LOCATE, SEAL
from tests.fault.entry import Fall
from tests.fault.site import Site

NEW = 4  # requests more for each life
FALLS = [Fall("committed-not-acknowledged") if life % 5 else Fall("handled", 1 + life % 3) for life in range(1, 16)]


async def test_an_agency_killed_fifteen_times_with_all_that_waits_in_its_hands(site: Site) -> None:
    orders = iter(site.court.orders(NEW * len(FALLS), [LOCATE, SEAL]))
    async with site.gateway():
        await site.court.hand_in_paper()
        for fall in FALLS:
            await site.court.submit_all(islice(orders, NEW))
            agency = await site.agency(POLICE, fall)
            assert await agency.ended() == -signal.SIGKILL, agency.said()
        agency = await site.agency(POLICE)
        await site.settled()
        await agency.stop()
        assert not [e for e in await site.court.feed() if e["kind"] == "dead-lettered"]
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (NEW * len(FALLS), {}, {})
