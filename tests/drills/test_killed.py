"""The programs are killed while they work, one after another, as by a power cut in their corner of the room."""

from __future__ import annotations

from pathlib import Path

from simulation.parties import GRID, POLICE
from tests.conftest import Vhost
from tests.drills.room import Room, room

ORDERS = 60


async def killed(here: Room) -> None:
    load = here.hand_in(ORDERS)
    await here.answered(ORDERS // 4)
    await here.kill()
    await here.serve()
    await here.answered(ORDERS // 2)
    for code in (POLICE, GRID):
        await here.kill_agency(code)
    for code in (POLICE, GRID):
        await here.agency(code)
    await here.kill()
    await here.serve()
    await load


async def test_gateway_and_agencies_are_killed_under_load(tmp_path: Path, vhost: Vhost) -> None:
    async with room(tmp_path, vhost) as here:
        await killed(here)
        await here.well()


async def test_gateway_and_agencies_are_killed_under_load_on_postgresql(
    tmp_path: Path, vhost: Vhost, postgres_url: str
) -> None:
    async with room(tmp_path, vhost, store_url=postgres_url) as here:
        await killed(here)
        await here.well()
