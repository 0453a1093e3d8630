"""A gateway with one promise broken goes through the drills: each family of them reports the damage, by its name.

An unbroken one goes through the same with the same patience: nothing is reported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import Vhost
from tests.drills.comparing import Finding, kinds, told_apart
from tests.drills.reading import query
from tests.drills.room import Room, room
from tests.drills.test_clocks import HALF_A_MINUTE, stepped
from tests.drills.test_database import read_only
from tests.drills.test_killed import killed
from tests.drills.test_lost import ledger_of_last_night
from tests.drills.test_restored import LISTED, SOON, put_back
from tests.eventually import eventually
from tests.faketime import FakeTime

DAMAGE = {
    "keys-forgotten": {"two-numbers", "effect-twice"},
    "acknowledged-early": {"lost"},
    "marked-early": {"lost"},
    "mark-ignored": {"number-given-twice", "lost"},
}
QUICK = ("killed", "acknowledged-early")
PART, HEARD = 8, 16  # orders: a third of a second of load; what the gateway must know of before the cut
REFUSED = "store-set-back"
"""In the gateway's log: a mark said anything else than that the store is sound."""


@dataclass(frozen=True, slots=True)
class Family:
    """One drill for all of its file. goes_back: the gateway's database is put back to an earlier point. patience: after
    so many seconds without any change what is wrong stays so. (What is lost does not come back by waiting.)"""

    drill: Callable[[Room], Awaitable[object]]
    postgres: bool = False
    goes_back: bool = False
    patience: float = 30.0
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda _: {})


async def restored(here: Room) -> None:
    """After the way back an order is sent again after the usual time only, a quarter of an hour: the three seconds of
    the drill would mend what is lost next."""
    refused = await put_back(here)
    assert refused is (here.sabotage != "mark-ignored")
    for name in SOON:
        del here.site.environment[name]
    await here.stop()
    await here.serve()


async def clocks(here: Room) -> None:
    await stepped(here, FakeTime.in_folder(here.site.root), HALF_A_MINUTE)


FAMILIES = {
    "killed": Family(killed),
    "lost": Family(ledger_of_last_night),
    "database": Family(read_only, postgres=True),
    "restored": Family(restored, goes_back=True, environment=lambda _: SOON),
    "clocks": Family(  # an agency looks again at what was signed ahead within a minute
        clocks, patience=75.0, environment=lambda root: FakeTime.in_folder(root).environment
    ),
}


def _shows(family: Family, sabotage: str) -> bool:
    """A gateway that ignores its marks does what any other does until a mark says that the store is not what it was.
    Marks are copies of the store's own standing, which only rises: as long as the database keeps what it has committed
    (a killed process, a database that may only be read, another's ledger, a clock take nothing from it), none says so,
    and there is no damage to find. That no mark said so is held against the unbroken gateway below."""
    return sabotage != "mark-ignored" or family.goes_back


@pytest.mark.parametrize(
    ("family", "sabotage"),
    [
        pytest.param(name, kind, marks=() if (name, kind) == QUICK else pytest.mark.chaos)
        for name, family in FAMILIES.items()
        for kind in DAMAGE
        if _shows(family, kind)
    ],
)
async def test_the_drill_reports_the_damage(
    tmp_path: Path, vhost: Vhost, postgres_url: str, family: str, sabotage: str
) -> None:
    found, _ = await _played(FAMILIES[family], tmp_path, vhost, postgres_url, sabotage)
    assert DAMAGE[sabotage] <= kinds(found), told_apart(found)


@pytest.mark.chaos
@pytest.mark.parametrize("family", FAMILIES)
async def test_an_unbroken_gateway_comes_through_clean(
    tmp_path: Path, vhost: Vhost, postgres_url: str, family: str
) -> None:
    found, log = await _played(FAMILIES[family], tmp_path, vhost, postgres_url, None)
    assert not found, f"{told_apart(found)}\n{log[-4000:]}"
    assert (REFUSED in log) is FAMILIES[family].goes_back


async def _played(
    family: Family, root: Path, vhost: Vhost, postgres_url: str, sabotage: str | None
) -> tuple[tuple[Finding, ...], str]:
    """What the lists say at the end, and all that the gateways wrote."""
    store = postgres_url if family.postgres else None
    async with room(root, vhost, store_url=store, sabotage=sabotage, environment=family.environment(root)) as here:
        await family.drill(here)
        await power_cut(here)
        listed = LISTED if family.goes_back else ()
        found = await here.reckon(forgetful=family.goes_back, listed=listed, patience=family.patience)
        return found, here.site.log.read_text(errors="replace")


async def power_cut(here: Room) -> None:
    """Under load, when the gateway has committed words about some of it and has had the time to take the next ones in
    hand, and while orders are on their way. Nobody urges afterwards.

    By themselves the drills give a build that acknowledges or marks early no certain occasion: their own cuts come in
    the first moments of load, or they mend at their end what it has lost (an agency is urged, an order sent again).
    """
    before = await _numbers(here)

    async def heard() -> bool:
        await here.hand_in(PART)
        return len(await _numbers(here, of="'delivered', 'completed', 'closed', 'read'") - before) >= HEARD

    await eventually(heard)
    await here.hand_in(PART)
    await here.kill()
    load = here.hand_in(PART)
    await here.serve()
    await load


async def _numbers(here: Room, of: str | None = None) -> set[str]:
    """of: the states, all when left out."""
    where = f" WHERE state IN ({of})" if of else ""
    (rows,) = await query(here.store, f"SELECT request_no FROM requests{where}")
    return {number for (number,) in rows}
