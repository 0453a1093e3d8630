"""The kit itself: a product is installed, serves, is asked and answers, all from outside."""

from __future__ import annotations

from simulation.parties import GRID
from tests.fault.court import VERIFY
from tests.walls.product import Installation


async def test_a_request_reaches_the_agency_and_its_answer_comes_back(running: Installation) -> None:
    site = running
    grid = await site.agency(GRID)
    order = site.court.orders(1, [VERIFY])[0]
    await site.court.submit(order)
    number = site.court.accepted[order.key]
    await grid.answer(number, "delivered")
    await grid.answer(number, "accept")
    await grid.fence()
    shown = (await site.run("request", "show", number, "--json")).json()
    assert shown["state"] == "accepted"
    assert not [row for row in await site.quarantine() if row["request"] == number]
