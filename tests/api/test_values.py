"""Who is one person, at the gateway: also for measures whose keys an earlier version gave."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.core.control.measures import object_key
from tests.api.test_controls import PERSON_CONTROL, done, example, one, world
from tests.api.world import World, grid_request, seal_request
from tests.faults import CONTROL as ROAD_CONTROL

__all__ = ["world"]  # the fixture: the police take and tell everything of theirs
CANCEL = "police.person-control.cancel"
PASSPORT = {"id_kind": "passport", "id_no": "E90000001", "id_country": "USA", "birth_date": "1985-03-12"}
PERMIT = {"id_kind": "hm-travel-permit", "id_no": "H9000000102", "birth_date": "1985-03-12"}


def about(type: str, **members: str) -> dict[str, Any]:
    payload = example(type)
    payload["person"] |= members
    return payload


def written_before(folder: Path, world: World, measure_no: str, words: str) -> None:
    """As if an earlier version had taken the measure, under words of its own."""
    key = object_key(world.context.hash_key, words)
    with closing(sqlite3.connect(folder / "lianzhi.db")) as connection, connection:
        changed = connection.execute("UPDATE measures SET object_key = ? WHERE measure_no = ?", (key, measure_no))
        assert changed.rowcount == 1


@pytest.mark.parametrize(
    ("person", "before"),
    [(PASSPORT, "id:passport:E90000001"), (PERMIT, "id:hm-travel-permit:H9000000101")],
    ids=["passport", "permit"],
)
async def test_a_measure_of_an_earlier_version_is_found_and_ended(
    world: World, tmp_path: Path, person: dict[str, str], before: str
) -> None:
    number = await done(world, PERSON_CONTROL, about(PERSON_CONTROL, **person))
    written_before(tmp_path, world, f"{number}-1", before)
    again = await world.submit_signed(_coercive(PERSON_CONTROL, about(PERSON_CONTROL, **person)))
    assert (again.status, again.code) == (409, "measure-open")
    control_no = (await one(world, number))["control_no"]
    ending = await done(world, CANCEL, {**about(CANCEL, **person), "control_no": control_no})
    assert (await one(world, number))["state"] == "ended"
    assert (await one(world, number))["history"][-1]["by"] == ending


async def test_only_the_one_of_that_country_is_ended(world: World, tmp_path: Path) -> None:
    """A measure of an earlier version on the same number is meant only where none has the country."""
    old = await done(world, PERSON_CONTROL, about(PERSON_CONTROL, **PASSPORT))
    french = {**PASSPORT, "id_country": "FRA"}
    new = await done(world, PERSON_CONTROL, about(PERSON_CONTROL, **french))
    written_before(tmp_path, world, f"{old}-1", "id:passport:E90000001")
    control_no = (await one(world, new))["control_no"]
    await done(world, CANCEL, {**about(CANCEL, **french), "control_no": control_no})
    assert [(await one(world, number))["state"] for number in (old, new)] == ["active", "ended"]


async def test_a_case_has_one_number(world: World) -> None:
    body = grid_request(case_no="(2026)陕0199执00900077号")
    number = await world.accepted(await world.submit(body))
    listed = await world.get("/v1/requests", params={"case_no": "（2026）陕0199执900077号"})
    assert [request["request_no"] for request in listed.json["requests"]] == [number]


async def test_a_vehicle_of_a_protected_kind_is_let_alone(world: World) -> None:
    payload = example(ROAD_CONTROL)
    payload["vehicle"] |= {"plate": "使014578", "plate_kind": "09"}
    reply = await world.submit_signed(_coercive(ROAD_CONTROL, payload))
    assert reply.rules == [
        ("/payload/vehicle/plate", "protected-plate"),
        ("/payload/vehicle/plate_kind", "protected-plate"),
    ]


def _coercive(type: str, payload: dict[str, Any]) -> dict[str, Any]:
    body = seal_request(type=type, payload=payload)
    paper = body["documents"][0]
    body["documents"] = [{**paper, "kind": kind} for kind in ("detention-decision", "enforcement-ruling")]
    body["documents"].append({**paper, "kind": "assistance-notice"})
    body["approvals"] = [
        {"by": by, "role": role, "decision": "approve", "at": "2026-03-24T09:41:00+08:00"}
        for by, role in (("sn0199-0003", "bureau-chief"), ("sn0199-0001", "president"))
    ]
    return body
