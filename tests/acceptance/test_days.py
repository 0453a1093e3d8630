"""Whole days of a case with the demo parties: sums in fact, a seal that lapsed, a debtor who pays at night."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.parties import FUPING, PARTNERS, POLICE, REALTY
from tests.agency import Agency
from tests.court_system import day, fresh_payload
from tests.faults import CONTROL, ENTRUST, HIT, SEAL
from tests.scenes import answer_to, hit
from tests.stored import pages_of
from tests.world import NEAR, World

DEPARTMENT = "dept.property-control.request"


pytestmark = pytest.mark.slow
MET = (*NEAR, *(p for p in PARTNERS if p["code"] == REALTY))


async def answered(world: World, agency: Agency, number: str, result: dict[str, Any], state: str = "completed") -> None:
    await agency.answer(number, "result", result)
    await world.reaches(number, state)


async def debt_of(world: World, case_no: str) -> dict[str, Any]:
    return dict((await world.court.get(f"/v1/cases?case_no={case_no}"))["debt"])


async def measure(world: World, request_no: str) -> dict[str, Any]:
    return await world.court.get(f"/v1/measures/{request_no}-1")


def seal(start: int, end: int, **changes: Any) -> dict[str, Any]:
    return fresh_payload(SEAL, start_on=day(start), end_on=day(end), **changes)


def renewal(payload: dict[str, Any], number: str, start: int, end: int) -> dict[str, Any]:
    original = {"measure_no": f"{number}-1", "start_on": payload["start_on"], "end_on": payload["end_on"]}
    term = {"start_on": day(start), "end_on": day(end)}
    return {"vehicle": payload["vehicle"], "action": "renew", "original": original, **term}


async def test_freeze_31_20_of_416_000_then_the_car_then_the_flat(world: World) -> None:
    """Nothing is in the way while little is secured; when it is enough, no more is seized."""
    case_no, debt = "（2026）陕0199执960001号", "416000.00"
    neighbour, police, register = [await world.agency(code) for code in (FUPING, POLICE, REALTY)]
    money = fresh_payload(ENTRUST, entrusting="陕0199", entrusted="陕0591", debt_amount=debt)
    money["objects"][0] |= {"amount": debt, "account_no": "6100000000960001"}
    freezing = await world.court.ask(ENTRUST, money, case_no=case_no)
    assert await debt_of(world, case_no) | {"history": []} == {
        "debt": debt, "in_fact": "0.00", "asked": debt, "history": [],
    }  # fmt: skip
    little = answer_to(ENTRUST, money, world.clock.now())
    little["items"][0] |= {"amount": "31.20"}
    await answered(world, neighbour, freezing, little)
    assert (await debt_of(world, case_no))["in_fact"] == "31.20"

    car = fresh_payload(SEAL, debt_amount=debt, value="95000.00")
    sealing = await world.court.ask(SEAL, car, case_no=case_no)
    await answered(world, police, sealing, answer_to(SEAL, car, world.clock.now()))
    assert (await debt_of(world, case_no))["in_fact"] == "95031.20"

    flat = fresh_payload(DEPARTMENT, debt_amount=debt)
    flat["objects"][0] |= {"unit_no": "610199001001GB96001F00010001"}
    registering = await world.court.ask(DEPARTMENT, flat, case_no=case_no, receiver=REALTY)
    worth = answer_to(DEPARTMENT, flat, world.clock.now())
    worth["items"][0] |= {"appraised": "620000.00"}
    await answered(world, register, registering, worth)
    assert (await debt_of(world, case_no))["in_fact"] == "715031.20"

    shown = await measure(world, freezing)
    assert (shown["amount"], shown["seized"], shown["receipt_no"]) == (debt, "31.20", "HZ-900001")
    more = await world.court.submit(SEAL, fresh_payload(SEAL, debt_amount=debt), case_no=case_no)
    assert (more.status, more.reason) == (409, "over-seizure")


async def test_a_seal_that_lapsed_is_registered_anew_while_another_court_came_first(world: World) -> None:
    case_no, police = "（2026）陕0199执960002号", await world.agency(POLICE)
    payload = seal(0, 40)
    number = await world.court.ask(SEAL, payload, case_no=case_no)
    await answered(world, police, number, answer_to(SEAL, payload, world.clock.now()))
    asked = renewal(payload, number, 40, 700)
    renewing = await world.court.ask(SEAL, asked, case_no=case_no)
    await police.opened(renewing)
    world.clock.pass_by(days=60)
    await world.told(number, "incident", f"measure-lapsed:{number}-1:renewal-unanswered")

    late = answer_to(SEAL, asked, world.clock.now())
    late["items"][0] |= {"status": "queued", "rank": 2, "start_on": day(60), "registry_no": "YC-CF-960002"}
    await answered(world, police, renewing, late)
    old, new = await measure(world, number), await measure(world, renewing)
    assert (old["state"], old["end_on"], old["rank"]) == ("lapsed", day(40), 1)
    assert (new["state"], new["rank"], new["start_on"], new["end_on"]) == ("requested", 2, day(60), day(700))
    told = await world.told(renewing, "measure-anew", f"others-may-be-first:{number}-1")
    assert told.head is not None
    assert (told.head["after"], told.head["lapsed_on"]) == (f"{number}-1", day(40))


async def test_a_debtor_pays_while_an_alert_is_open(world: World) -> None:
    case_no, police = "（2026）陕0199执960003号", await world.agency(POLICE)
    payload = fresh_payload(SEAL)
    sealing = await world.court.ask(SEAL, payload, case_no=case_no)
    await answered(world, police, sealing, answer_to(SEAL, payload, world.clock.now()))
    control = fresh_payload(CONTROL, vehicle=payload["vehicle"])
    control["seal"] |= {"measure_no": f"{sealing}-1"}
    controlling = await world.court.ask(CONTROL, control, case_no=case_no)
    stopped = answer_to(CONTROL, control, world.clock.now())
    await answered(world, police, controlling, stopped)
    talk = police.begin(HIT)
    seen = {"vehicle": payload["vehicle"], "control_no": stopped["items"][0]["control_no"]}
    await police.say(talk, "open", hit(seen))
    await world.reaches(talk.request_no, "delivered")

    released = await world.court.release(case_no, "release-ruling", "assistance-notice")
    assert {item["kind"] for item in released["items"]} == {"ending", "alert"}
    papers = {item["ended_with"].get("paper") for item in released["items"] if item["kind"] == "ending"}
    assert papers == {"release-ruling", None}  # a lookout ends by being cancelled
    closed = await world.reaches(talk.request_no, "false-hit")
    assert closed.facts["let_go"] == released["release_no"]
    await police.next(talk.request_no, "false-hit")
    world.clock.pass_by(minutes=20)
    await world.caught_up()
    paged = {page.level for page in await pages_of(world.store, talk.request_no)}
    assert not paged & {"B", "desk", "chief"}
    case = await world.court.get(f"/v1/cases?case_no={case_no}")
    assert {m["state"] for m in case["measures"] if m.get("ending")} == {"active"}
    assert len(case["measures"]) == 2
