"""A court's `law/*.toml` over the API, the day before a rule begins, on it, and when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.registry.law_files import load_law
from schemas.law.force import SHIPPED, put_in_force
from tests.api.test_platform import FILED, commission
from tests.api.world import NEIGHBOUR, World, grid_request

DUTY = """\
[[entry]]
type = "entrust.matter.request"
duty = "required"
source = "本院委托执行管理规定第三条"
since = 2026-03-25
until = 2026-03-26
"""
CLERKS = """\
[[entry]]
type = "grid.*"
roles = ["clerk"]
source = "本院执行团队分工规定"
since = 2026-03-01
until = 2026-03-25

[[entry]]
type = "grid.*"
roles = ["president"]
source = "本院执行团队分工规定，2026年修订"
since = 2026-03-25
"""


@pytest.fixture(autouse=True)
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def court_goes_by(folder: Path, **tables: str) -> None:
    """As `serve` takes a court's folder."""
    (folder / "law").mkdir()
    for name, text in tables.items():
        (folder / "law" / f"{name.replace('_', '-')}.toml").write_text(text, "utf-8")
    put_in_force(load_law(folder))


async def test_a_duty_is_asked_for_from_its_day_on_and_no_longer(world: World, tmp_path: Path) -> None:
    """Tuesday 2026-03-24: the product warns; on Wednesday the court's rule refuses; on Thursday it has ended."""
    court_goes_by(tmp_path, platform_items=DUTY)
    await world.put_pdf()
    told = []
    for number in (701, 702, 703):
        reply = await world.submit_signed(commission(case_no=f"（2026）陕0199执900{number}号"), NEIGHBOUR)
        told.append((reply.status, [w["rule"] for w in reply.json.get("warnings", [])] or [r for _, r in reply.rules]))
        world.clock.advance(days=1)
    assert told == [(202, ["platform-missing"]), (422, ["platform-required"]), (202, ["platform-missing"])]


async def test_what_was_taken_under_the_old_rule_stays_taken(world: World, tmp_path: Path) -> None:
    court_goes_by(tmp_path, platform_items=DUTY)
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(commission(), NEIGHBOUR))
    world.clock.advance(days=1)
    assert (await world.get(f"/v1/requests/{number}")).json["platform"] == "missing"
    numbered = commission(platform=FILED, case_no="（2026）陕0199执900778号")
    assert (await world.submit_signed(numbered, NEIGHBOUR)).status == 202


async def test_who_may_handle_changes_on_the_day_of_the_new_row(world: World, tmp_path: Path) -> None:
    """A clerk on Tuesday by the old row of the file; on Wednesday the president alone by the new one."""
    court_goes_by(tmp_path, handlers=CLERKS)
    by_clerk = {"handler": "sn0199-0031", "drafted_by": "sn0199-0007"}
    assert (await world.submit(grid_request(**by_clerk))).status == 202
    world.clock.advance(days=1)
    reply = await world.submit(grid_request(**by_clerk))
    assert (reply.status, reply.rules) == (422, [("/handler", "handler-role")])
