"""A gateway with one promise broken goes through the drills: each must report the damage, by its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.conftest import Vhost
from tests.drills.comparing import kinds, told_apart
from tests.drills.room import Room, room
from tests.drills.test_database import read_only
from tests.drills.test_killed import killed
from tests.drills.test_lost import ledger_of_last_night
from tests.drills.test_restored import LISTED, SOON, put_back

DAMAGE = {
    "keys-forgotten": {"two-numbers", "effect-twice"},
    "acknowledged-early": {"lost"},
    "marked-early": {"lost"},
}
SET_BACK = {"number-given-twice", "lost"}
"""By a gateway that goes on with an older copy of its database as if nothing had happened."""
DRILLS: dict[str, Callable[[Room], Awaitable[object]]] = {
    "killed": killed,
    "lost": ledger_of_last_night,
    "database": read_only,
}
WHOLE = {("lost", "acknowledged-early")}  # found whole at the end: this drill does not show that damage
QUICK = ("killed", "acknowledged-early")
PATIENCE_SECONDS = 15.0  # what is lost does not come back by waiting


@pytest.mark.parametrize(
    ("drill", "sabotage"),
    [
        pytest.param(drill, kind, marks=() if (drill, kind) == QUICK else pytest.mark.chaos)
        for drill in DRILLS
        for kind in DAMAGE
        if (drill, kind) not in WHOLE
    ],
)
async def test_the_drill_reports_the_damage(
    tmp_path: Path, vhost: Vhost, postgres_url: str, drill: str, sabotage: str
) -> None:
    store = postgres_url if drill == "database" else None
    async with room(tmp_path, vhost, store_url=store, sabotage=sabotage) as here:
        await DRILLS[drill](here)
        await _reported(here, DAMAGE[sabotage])


async def test_a_mark_that_is_ignored_is_reported(tmp_path: Path, vhost: Vhost) -> None:
    async with room(tmp_path, vhost, sabotage="mark-ignored", environment=SOON) as here:
        assert not await put_back(here)
        await _reported(here, SET_BACK, forgetful=True)


async def _reported(here: Room, damage: set[str], *, forgetful: bool = False) -> None:
    found = await here.reckon(forgetful=forgetful, listed=LISTED if forgetful else (), patience=PATIENCE_SECONDS)
    assert damage <= kinds(found), told_apart(found)
