"""The gateway's clock, or an agency's, is wrong for a while under load: what was accepted is done all the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from simulation.parties import GRID, POLICE
from tests.conftest import Vhost
from tests.drills.room import Room, room
from tests.drills.work import AGENCIES
from tests.faketime import FakeTime

ORDERS = 48
HOUR, HALF_A_MINUTE = timedelta(hours=1), timedelta(seconds=30)
LOOKS_SECONDS = 150.0
"""An agency looks again at what came before its time, at growing intervals of up to a minute."""


async def stepped(here: Room, clock: FakeTime, by: timedelta) -> None:
    """The gateway's clock steps there and back while it runs, and a power cut comes in between. At the end so much time
    passes for everybody that what was signed ahead may be done."""
    ahead = here.site.root / "ahead"
    ahead.write_text("0")
    for code in AGENCIES.values():
        await here.stop_agency(code)
        await here.agency(code, "--ahead", ahead)
    load = here.hand_in(ORDERS)
    await here.answered(ORDERS // 4)
    clock.set(by)
    await here.answered(ORDERS // 2)
    await here.kill()
    await here.serve()
    await here.answered(3 * ORDERS // 4)
    clock.set(timedelta(0))
    await load
    await here.quiet()
    later = max(by, timedelta(0))
    clock.set(later)
    ahead.write_text(str(later.total_seconds()))


@pytest.mark.parametrize("by", [HOUR, 3 * HOUR, HALF_A_MINUTE, -HALF_A_MINUTE], ids=str)
async def test_the_gateways_clock(tmp_path: Path, vhost: Vhost, by: timedelta) -> None:
    """What was signed too far ahead is done when its time has come."""
    clock = FakeTime.in_folder(tmp_path)
    async with room(tmp_path, vhost, environment=clock.environment) as here:
        await stepped(here, clock, by)
        await here.well(patience=LOOKS_SECONDS)


REFUSED = ("SELECT request_no, reason FROM quarantine WHERE reason = 'clock-ahead' AND request_no IS NOT NULL",)
"""What `lianzhi quarantine list` shows: verified, and dated further ahead than anything waits."""


async def test_an_agencys_clock_thirty_hours_ahead(tmp_path: Path, vhost: Vhost) -> None:
    """What it signed then is refused for good, and each is listed with its request; the rest goes on."""
    wrong = tmp_path / "wrong"
    wrong.write_text(str(timedelta(hours=30).total_seconds()))
    async with room(tmp_path, vhost) as here:
        await here.stop_agency(GRID)
        await here.agency(GRID, "--ahead", wrong)
        load = here.hand_in(ORDERS)
        await here.answered(ORDERS // 2)
        await here.quiet(answers=True)
        wrong.write_text("0")
        await load
        await here.well(listed=REFUSED)


@pytest.mark.parametrize("by", [timedelta(minutes=10), timedelta(minutes=-10)], ids=["ahead", "behind"])
async def test_an_agencys_clock(tmp_path: Path, vhost: Vhost, by: timedelta) -> None:
    """What it signed too far ahead is taken when its time has come."""
    clock, wrong, right = FakeTime.in_folder(tmp_path), tmp_path / "wrong", tmp_path / "right"
    wrong.write_text(str(by.total_seconds()))
    right.write_text("0")
    async with room(tmp_path, vhost, environment=clock.environment) as here:
        for code, ahead in ((GRID, wrong), (POLICE, right)):
            await here.stop_agency(code)
            await here.agency(code, "--ahead", ahead)
        load = here.hand_in(ORDERS)
        await here.answered(ORDERS // 2)
        await here.quiet()
        wrong.write_text("0")
        await load
        await here.quiet()
        later = max(by, timedelta(0))  # for everybody
        clock.set(later)
        for ahead in (wrong, right):
            ahead.write_text(str(later.total_seconds()))
        await here.well(patience=LOOKS_SECONDS)
