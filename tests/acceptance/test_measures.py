"""Seals and road controls: one at a time, live only when the police did it, ended only when they undid it."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from gateway.core.records import Measure
from simulation.parties import FUPING
from tests.agency import Agency
from tests.court_system import Posted, fresh_payload
from tests.faults import CANCEL, CONTROL, HIT, SEAL
from tests.scenes import answer_to, controlled, hit, sealed
from tests.world import World

CASE = "（2026）陕0199执900001号"


async def measure_of(world: World, request_no: str) -> Measure:
    (measure,) = await world.measures(request_no)
    return measure


async def answered(world: World, payload: dict[str, Any], case_no: str, **result: Any) -> str:
    """The request of a seal that was asked for in that case, and answered so."""
    police = await world.agency()
    request_no = await world.court.ask(SEAL, payload, case_no=case_no)
    await police.answer(request_no, "result", answer_to(SEAL, payload, world.clock.now(), **result))
    outcome = result.get("outcome", "done")
    await world.reaches(request_no, outcome if outcome in ("partial", "impossible") else "completed")
    return request_no


def item(payload: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"ref": payload["vehicle"]["ref"], **members}


# --- one at a time ------------------------------------------------------------------------------------------------


async def test_the_same_seal_twice_is_refused(world: World) -> None:
    payload = fresh_payload(SEAL)
    first = await world.court.ask(SEAL, payload, case_no=CASE)
    second = await world.court.submit(SEAL, payload, case_no=CASE)
    assert (second.status, second.reason) == (409, "measure-open")
    assert (await measure_of(world, first)).state == "requested"
    assert (await world.court.submit(SEAL, payload, case_no="（2026）陕0199执900002号")).status == 202


async def test_also_when_both_are_handed_in_at_once(world: World) -> None:
    payload = fresh_payload(SEAL)
    answers: list[Posted] = await asyncio.gather(*(world.court.submit(SEAL, payload, case_no=CASE) for _ in range(4)))
    assert sorted(a.status for a in answers) == [202, 409, 409, 409]
    assert {a.reason for a in answers if a.status == 409} == {"measure-open"}


async def test_a_plate_that_changed_hides_no_seal(world: World) -> None:
    payload = fresh_payload(SEAL)
    await world.court.ask(SEAL, payload, case_no=CASE)
    other = copy.deepcopy(payload)
    other["vehicle"]["plate"] = "陕A90009"
    assert (await world.court.submit(SEAL, other, case_no=CASE)).reason == "measure-open"


# --- live only when done ------------------------------------------------------------------------------------------


async def test_only_a_live_seal_carries_a_control(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    seal = await world.court.ask(SEAL, payload)
    control = fresh_payload(CONTROL, vehicle=payload["vehicle"])
    too_soon = await world.court.submit(CONTROL, control)
    assert (too_soon.status, too_soon.reason) == (409, "measure-not-live")

    await police.answer(seal, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(seal, "completed")
    live = await measure_of(world, seal)
    assert (live.state, live.rank, live.control_no) == ("active", 1, "YC-CF-900001")
    assert (live.start_on, live.end_on) == (payload["start_on"], payload["end_on"])
    assert (await world.court.submit(CONTROL, control)).status == 202


async def test_a_seal_that_waits_in_line_is_not_live(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    queued = item(payload, status="queued", rank=2)
    request_no = await answered(world, payload, CASE, items=[queued])
    waiting = await measure_of(world, request_no)
    assert (waiting.state, waiting.rank) == ("requested", 2)
    control = fresh_payload(CONTROL, vehicle=payload["vehicle"])
    assert (await world.court.submit(CONTROL, control)).reason == "measure-not-live"

    result = await police.opened(request_no)
    said = next(m.id for m in await world.store.messages(request_no) if m.verb == "result")
    now_first = answer_to(SEAL, payload, world.clock.now(), supersedes=said, reason="前一顺位已解除")
    await police.say(result, "correct", now_first)
    await world.told(request_no, "message")
    await police.fence()
    assert (await measure_of(world, request_no)).state == "active"
    assert (await world.court.submit(CONTROL, control)).status == 202


@pytest.mark.parametrize("how", ["refuse", "none", "impossible", "failed"])
async def test_what_came_to_nothing_frees_the_vehicle(world: World, how: str) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    if how == "refuse":
        request_no = await world.court.ask(SEAL, payload, case_no=CASE)
        await police.answer(request_no, "refuse")
        await world.reaches(request_no, "refused")
    elif how == "failed":
        failed = item(payload, status="failed", fail_reason="已过户")
        request_no = await answered(world, payload, CASE, outcome="partial", items=[failed])
    else:
        request_no = await answered(world, payload, CASE, outcome=how, items=[])
    assert (await measure_of(world, request_no)).state == "ended"
    assert (await world.court.submit(SEAL, payload, case_no=CASE)).status == 202


async def test_what_was_reopened_and_then_done_is_live(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    request_no = await answered(world, payload, CASE, outcome="impossible", items=[])
    await _done_after_all(world, police, request_no, payload)
    assert (await measure_of(world, request_no)).state == "active"


async def test_done_after_all_beside_a_second_request_is_for_somebody_to_look_at(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    request_no = await answered(world, payload, CASE, outcome="impossible", items=[])
    second = await world.court.ask(SEAL, payload, case_no=CASE)
    await _done_after_all(world, police, request_no, payload)
    await world.told(request_no, "incident", f"measure-conflict:{request_no}-1")
    assert (await measure_of(world, second)).state == "requested"


async def _done_after_all(world: World, police: Agency, request_no: str, payload: dict[str, Any]) -> None:
    why = {"why": "请再核对", "reason_code": "incomplete"}
    assert (await world.court.say(request_no, "reopen", why)).status == 202
    await world.reaches(request_no, "in-progress")
    await police.answer(request_no, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(request_no, "completed")


# --- renewed and ended --------------------------------------------------------------------------------------------


async def test_a_renewal_moves_the_end_of_a_live_seal_when_it_is_done(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    request_no = await answered(world, payload, CASE)
    live = await measure_of(world, request_no)
    renewal = _about(payload, live, action="renew", start_on="2028-03-24", end_on="2030-03-23", debt_amount=None)
    renewing = await world.court.ask(SEAL, renewal, case_no=CASE)
    assert (await measure_of(world, request_no)).end_on == "2028-03-23"
    await police.answer(renewing, "result", answer_to(SEAL, renewal, world.clock.now()))
    await world.reaches(renewing, "completed")
    renewed = await measure_of(world, request_no)
    assert (renewed.state, renewed.end_on) == ("active", "2030-03-23")


async def test_only_a_live_seal_can_be_renewed(world: World) -> None:
    payload = fresh_payload(SEAL)
    asked_for = await world.court.ask(SEAL, payload, case_no=CASE)
    not_yet = await measure_of(world, asked_for)
    renewal = _about(payload, not_yet, action="renew", start_on="2028-03-24", end_on="2030-03-23", debt_amount=None)
    refused = await world.court.submit(SEAL, renewal, case_no=CASE)
    assert (refused.status, refused.reason) == (409, "measure-not-live")


async def test_a_seal_ends_when_its_release_is_done_and_not_before(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(SEAL)
    request_no = await answered(world, payload, CASE)
    live = await measure_of(world, request_no)
    release = _about(payload, live, action="release", start_on=None, end_on=None, debt_amount=None)
    releasing = await world.court.ask(SEAL, release, case_no=CASE)
    assert (await measure_of(world, request_no)).state == "active"
    done = answer_to(SEAL, release, world.clock.now(), items=[item(payload, status="done")])
    await police.answer(releasing, "result", done)
    await world.reaches(releasing, "completed")
    ended = await measure_of(world, request_no)
    assert (ended.state, ended.ended_by) == ("ended", releasing)
    assert (await world.court.submit(SEAL, payload, case_no=CASE)).status == 202


@pytest.mark.parametrize(("outcome", "state"), [("done", "ended"), ("impossible", "active")])
async def test_a_control_ends_when_its_cancelling_is_done(world: World, outcome: str, state: str) -> None:
    police = await world.agency()
    request_no, control = await controlled(world, police)
    case_no = (await world.request(request_no)).case_no
    cancel = fresh_payload(CANCEL, vehicle=control["vehicle"], control_no=control["control_no"])
    cancelling = await world.court.ask(CANCEL, cancel, case_no=case_no, urgency="immediate")
    await police.answer(cancelling, "result", answer_to(CANCEL, cancel, world.clock.now(), outcome=outcome))
    await world.reaches(cancelling, {"done": "completed"}.get(outcome, outcome))
    assert (await measure_of(world, request_no)).state == state


def _about(payload: dict[str, Any], measure: Measure, **members: Any) -> dict[str, Any]:
    original = {"measure_no": measure.measure_no, "start_on": measure.start_on, "end_on": measure.end_on}
    changed = copy.deepcopy(payload) | {"original": original} | members
    return {name: value for name, value in changed.items() if value is not None}


# --- hits ---------------------------------------------------------------------------------------------------------


async def raised(world: World, code: str, control: dict[str, Any], **payload: Any) -> Any:
    """A hit raised by hand: (agency, what was said, its request number)."""
    agency = await world.agency(code)
    opening = hit(control)
    opening["payload"] |= payload
    talk = agency.begin(HIT)
    return agency, await agency.say(talk, "open", opening), talk.request_no


async def test_a_hit_belongs_to_the_control_and_to_its_case(world: World) -> None:
    police = await world.agency()
    request_no, control = await controlled(world, police)
    _, _, alert_no = await raised(world, police.code, control)
    alert = await world.reaches(alert_no, "delivered")
    assert (alert.related, alert.case_no) == (request_no, (await world.request(request_no)).case_no)


async def test_a_hit_on_another_vehicle_or_after_the_end_is_refused(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    request_no, control = await controlled(world, police)
    _, wrong, alert_no = await raised(world, police.code, control, ref="zzzzzzzz")
    assert (await world.quarantined(wrong)).reason == "unknown-ref"
    assert await world.store.request(alert_no) is None

    case_no = (await world.request(request_no)).case_no
    cancel = fresh_payload(CANCEL, vehicle=control["vehicle"], control_no=control["control_no"])
    cancelling = await world.court.ask(CANCEL, cancel, case_no=case_no)
    await police.answer(cancelling, "result", answer_to(CANCEL, cancel, world.clock.now()))
    await world.reaches(cancelling, "completed")
    _, late, _ = await raised(world, police.code, control)
    assert (await world.quarantined(late)).reason == "unknown-control"


async def test_a_hit_may_come_in_one_batch_with_the_control_that_it_hits(world: World) -> None:
    police = await world.agency()
    vehicle = (await sealed(world, police))["vehicle"]
    payload = fresh_payload(CONTROL, vehicle=vehicle)
    request_no = await world.court.ask(CONTROL, payload)
    result = answer_to(CONTROL, payload, world.clock.now())
    control = {"vehicle": vehicle, "control_no": result["items"][0]["control_no"]}
    await police.opened(request_no)
    world.gates.together = 2
    await police.answer(request_no, "result", result)
    opening = hit(control)
    talk = police.begin(HIT)
    await police.say(talk, "open", opening, lane="normal")
    await world.reaches(talk.request_no, "delivered")


async def test_measures_are_listed_without_the_object(world: World) -> None:
    police = await world.agency()
    payload = await sealed(world, police)
    listing = await world.court.get("/v1/measures?state=active&limit=200")
    found = [m for m in listing["measures"] if m["ref"] == payload["vehicle"]["ref"]]
    assert found
    assert payload["vehicle"]["vin"] not in str(listing)
    assert FUPING not in str(listing)
