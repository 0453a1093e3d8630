"""Terms of a court's own over the API: which requests they count for, and that nothing that is open moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.catalogue import catalogue
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import read_law
from tests.api.world import World, grid_request, locate_request

GRID, LOCATE = "grid.verify.request", "police.person-locate.request"


@pytest.fixture(autouse=True)
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def rule(matter: str, term: str, since: str = "2026-03-24") -> None:
    """From now on this one row is in force."""
    text = f'[[entry]]\ntype = "{matter}"\n{term}\nsource = "联动协议第八条"\nsince = {since}\n'
    put_in_force(read_law({"answer-terms.toml": text}))


async def asked(world: World) -> str:
    return await world.accepted(await world.submit(grid_request()))


async def due_on(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["due_on"])


async def test_a_rule_counts_from_its_first_day_on_for_what_begins_then(world: World) -> None:
    """Tuesday 2026-03-24: three working days by the catalogue, one by the agreement, which begins on Wednesday."""
    rule(GRID, 'days = 1\nkind = "working"', "2026-03-25")
    before = await asked(world)
    world.clock.advance(days=1)
    after = await asked(world)
    assert (await due_on(world, before), await due_on(world, after)) == ("2026-03-27", "2026-03-26")


async def test_what_is_open_keeps_its_deadline_when_the_file_changes(world: World) -> None:
    rule(GRID, 'days = 1\nkind = "working"')
    short = await asked(world)
    put_in_force(SHIPPED)
    usual = await asked(world)
    rule(GRID, 'hours = 5\nkind = "clock-hours"')
    hours = await asked(world)
    found = [await due_on(world, number) for number in (short, usual, hours)]
    assert found == ["2026-03-25", "2026-03-27", "2026-03-24"]
    stored = await world.store.request(short)
    assert stored is not None
    assert stored.facts["term"] == {
        "kind": "working_days", "amount": 1, "source": "联动协议第八条", "on": "2026-03-25",
    }  # fmt: skip


async def test_a_convention_may_be_made_longer_and_urgent_remains_urgent(world: World) -> None:
    """What nobody's article fixes is the parties' to agree on; what is urgent is due after the urgent term."""
    await world.put_pdf()
    rule(LOCATE, 'days = 10\nkind = "legal"')
    usual = await world.accepted(await world.submit_signed(locate_request(urgency="normal")))
    assert await due_on(world, usual) == "2026-04-03"
    rule(LOCATE, 'days = 2\nkind = "working"')
    urgent = await world.accepted(await world.submit_signed(locate_request(urgency="urgent")))
    assert await due_on(world, urgent) == "2026-03-25"


async def test_the_catalogue_tells_the_term_in_force(world: World) -> None:
    async def told() -> tuple[dict[str, object], dict[str, object]]:
        listed = {one["name"]: one["deadline"] for one in (await world.get("/v1/types")).json["types"]}
        return listed[GRID], (await world.get(f"/v1/types/{GRID}")).json["deadline"]

    usual, own = {"kind": "working_days", "amount": 3}, {"kind": "legal_days", "amount": 2}
    rule(GRID, 'days = 2\nkind = "legal"', "2026-03-25")
    assert await told() == (usual, usual)
    world.clock.advance(days=1)
    assert await told() == (own, own)
    listed = (await world.get("/v1/types")).json["types"]
    others = {one["name"]: one["deadline"]["amount"] for one in listed if one["name"] != GRID}
    assert others == {name: matter.deadline.amount for name, matter in catalogue().items() if name != GRID}
