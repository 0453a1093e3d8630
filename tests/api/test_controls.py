"""Measures over the API: hit, handed over, renewed, lapsed; what is refused before a seizure; the clock's part."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.records import Event
from gateway.core.settings import Settings
from gateway.store import SqlStore
from lianzhi.protocol.tracing import parse_traceparent
from schemas.catalogue import catalogue
from schemas.values.people import DECISION_PAPERS
from tests.api.world import (
    CASE,
    COURT,
    POLICE,
    Keys,
    World,
    document,
    gathered,
    participants,
    seal_request,
    serving,
    within,
)
from tests.faults import CANCEL, CONTROL, HIT, SEAL
from tests.recorder import Recorder
from tests.scenes import answer_to
from tests.stored import pages_of

HANDOVER, PERSON_CONTROL, PERSON_HIT = (
    "police.vehicle-handover.record",
    "police.person-control.request",
    "police.person-hit.alert",
)
ALERT = f"{POLICE}-20260324-000001"
OTHER_CASE = "（2026）陕0199执900009号"
THIRD_CASE = "（2026）陕0199执1999号"


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    """The police take and tell everything of theirs; pages go to the platform and to those who have mail."""
    parties = participants()
    ours, police = parties[0], parties[2]
    staff = dict(ours.staff)
    staff["sn0199-0011"] = replace(staff["sn0199-0011"], mail="b@court.example")
    parties[0] = replace(ours, accepts=("*",), opens=("*",), staff=staff)
    parties[2] = replace(police, accepts=("*",), opens=("police.*",))
    settings = Settings(page_channels=("webhook", "mail"))
    async with serving(store, tmp_path / "papers", keys, settings=settings, parties=parties) as world:
        yield world


async def asked(world: World, type: str, payload: dict[str, Any], **members: Any) -> str:
    """A coercive request of ours, sent."""
    await world.put_pdf()
    body = seal_request(type=type, payload=payload, **members)
    matter = catalogue()[type]
    body["documents"] = [document(kind) for kind in _papers(type, payload)]
    body["approvals"] = [
        {"by": by, "role": role, "decision": "approve", "at": "2026-03-24T09:41:00+08:00"}
        for by, role in (("sn0199-0003", "bureau-chief"), ("sn0199-0001", "president"))
    ]
    assert matter.name == type
    number = await world.accepted(await world.submit_signed(body))
    await world.sent()
    return number


def _papers(type: str, payload: dict[str, Any]) -> list[str]:
    if type == PERSON_CONTROL:
        return list(DECISION_PAPERS[payload["decision"]])
    if payload.get("action") == "release":
        return ["release-ruling", "assistance-notice"]
    return [] if type in (CANCEL, "police.vehicle-control.renew") else ["enforcement-ruling", "assistance-notice"]


def example(type: str, **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(dict(catalogue()[type].example_request)) | changes


async def done(world: World, type: str, payload: dict[str, Any], *, seqno: int = 1, **members: Any) -> str:
    number = await asked(world, type, payload, **members)
    await world.reply(number, "result", answer_to(type, payload, world.clock.now()), seqno=seqno)
    return number


async def controlled(world: World) -> tuple[str, str]:
    """(the control's request, its number)"""
    await done(world, SEAL, example(SEAL))
    number = await done(world, CONTROL, example(CONTROL))
    return number, (await one(world, number))["control_no"]


async def one(world: World, request_no: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.get(f"/v1/measures/{request_no}-1")).json
    return found


async def events(world: World, kind: str, request_no: str | None = None) -> list[Event]:
    found = await world.store.events(COURT, 0, 1000)
    return [e for e in found if e.kind == kind and request_no in (None, e.request_no)]


async def say(world: World, number: str, verb: str, **data: Any) -> None:
    at = "2026-03-24T10:30:00+08:00"
    body = {"verb": verb, "by": "sn0199-0007", "data": {"at": at, **data}}
    reply = await world.post(f"/v1/requests/{number}/messages", body)
    assert reply.status == 202, reply


async def due(world: World) -> None:
    while await world.clockwork.once():
        pass


# --- hit, cleared, handed over --------------------------------------------------------------------------------------


async def test_a_hit_finds_its_measure_and_false_hits_let_it_go(world: World) -> None:
    control, number = await controlled(world)
    await world.raised(HIT, example(HIT, control_no=number))
    assert (await one(world, control))["state"] == "hit"
    assert [m["measure_no"] for m in (await world.get("/v1/measures?state=hit")).json["measures"]] == [f"{control}-1"]
    await world.raised(HIT, example(HIT, control_no=number), f"{POLICE}-20260324-000002")
    await say(world, ALERT, "false-hit", why="套牌")
    shown = await one(world, control)
    assert shown["state"] == "active"
    assert [(s["state"], s["by"]) for s in shown["history"]] == [
        ("requested", control),
        ("active", control),
        ("hit", ALERT),
        ("active", ALERT),
    ]


async def test_the_record_of_a_handover_hands_the_measure_over_and_its_end_is_no_lapse(world: World) -> None:
    control, number = await controlled(world)
    await world.put_pdf()
    await world.raised(HANDOVER, example(HANDOVER, control_no=number), ALERT)
    assert (await one(world, control))["state"] == "active"
    result = dict(catalogue()[HANDOVER].example_result)
    reply = await world.post(f"/v1/requests/{ALERT}/messages", {"verb": "result", "by": "sn0199-0007", "data": result})
    assert reply.status == 202, reply
    shown = await one(world, control)
    assert (shown["state"], shown["history"][-1]["by"]) == ("handed-over", ALERT)
    assert "停放点" not in str(shown)
    await world.raised(HIT, example(HIT, control_no=number), f"{POLICE}-20260324-000002")  # seen once more: told
    assert (await one(world, control))["state"] == "handed-over"
    world.clock.advance(days=100)
    await due(world)
    shown = await one(world, control)
    assert (shown["state"], shown["ended_by"]) == ("ended", "handed-over")
    assert await events(world, "incident", control) == []


async def test_a_withdrawn_hit_lets_the_measure_go(world: World) -> None:
    control, number = await controlled(world)
    await world.raised(HIT, example(HIT, control_no=number))
    alert = await world.store.request(ALERT)
    assert alert is not None
    assert (await one(world, control))["state"] == "hit"
    await say(world, ALERT, "acknowledge")
    world.clock.advance(days=100)
    await due(world)
    assert (await one(world, control))["state"] == "lapsed"  # nobody came


async def test_a_person_who_is_held_no_longer_lapses_the_alert(world: World) -> None:
    control = await done(world, PERSON_CONTROL, example(PERSON_CONTROL))
    number = (await one(world, control))["control_no"]
    hit = example(PERSON_HIT, control_no=number, hit_at="2026-03-24T10:00:00+08:00")
    await world.raised(PERSON_HIT, hit | {"hold_until": "2026-03-24T22:00:00+08:00"})
    await say(world, ALERT, "acknowledge")
    await say(world, ALERT, "send-team", team="执行一团队")
    world.clock.advance(hours=11)
    await due(world)
    assert (await world.get(f"/v1/requests/{ALERT}")).json["state"] == "team-sent"
    world.clock.advance(hours=1)
    await due(world)
    assert (await world.get(f"/v1/requests/{ALERT}")).json["state"] == "lapsed"
    assert [e.detail for e in await events(world, "incident", ALERT)] == ["alert-lapsed"]
    assert (await one(world, control))["state"] == "active"


async def test_who_was_to_be_told_is_told_although_the_hold_is_over(world: World) -> None:
    """The clock was away all night: every level in order, and only then the lapse."""
    control = await done(world, PERSON_CONTROL, example(PERSON_CONTROL))
    number = (await one(world, control))["control_no"]
    hit = example(PERSON_HIT, control_no=number, hit_at="2026-03-24T10:00:00+08:00")
    await world.raised(PERSON_HIT, hit | {"hold_until": "2026-03-24T22:00:00+08:00"})
    world.clock.advance(hours=20)
    await due(world)
    pages = [(p.level, p.channel, p.state) for p in await pages_of(world.store, ALERT)]
    assert pages == [
        ("A", "webhook", "waiting"),
        ("B", "webhook", "waiting"),
        ("B", "mail", "waiting"),
        ("chief", "webhook", "waiting"),
        ("chief", "webhook", "waiting"),
    ]
    told = [e.detail for e in await events(world, "incident", ALERT)]
    assert told == ["page-nobody:desk", "alert-lapsed"]


@pytest.mark.parametrize(
    ("decision", "ends"),
    [
        ("compelled-appearance", ["2026-03-24T10:10:00.000Z", "2026-03-25T02:10:00.000Z"]),
        ("detention-order", [None, None]),
    ],
)
async def test_the_record_of_a_handover_starts_the_questioning_of_whom_a_writ_brought(
    world: World, decision: str, ends: list[str | None]
) -> None:
    control = await done(world, PERSON_CONTROL, example(PERSON_CONTROL, decision=decision))
    number = (await one(world, control))["control_no"]
    hit = example(PERSON_HIT, control_no=number, hit_at="2026-03-24T10:00:00+08:00")
    await world.raised(PERSON_HIT, hit | {"hold_until": "2026-03-24T22:00:00+08:00"})
    await say(world, ALERT, "acknowledge")
    await say(world, ALERT, "identity-check", id_ok=True, photo_ok=True)
    shown = (await world.get(f"/v1/requests/{ALERT}")).json
    assert "questioning_until" not in shown
    # The record says 10:30, the clock 10:10: it begins no later than now.
    await say(world, ALERT, "handover", place="办案中心", handed_by="赵演示", received_by="李演示")
    shown = (await world.get(f"/v1/requests/{ALERT}")).json
    assert [shown.get("questioning_until"), shown.get("questioning_longest")] == ends
    world.clock.advance(hours=30)
    await due(world)
    reminders = [e.head for e in await events(world, "reminder", ALERT) if e.detail == "questioning"]
    assert [(h or {}).get("due_at") for h in reminders] == [end for end in ends if end is not None]
    assert {(h or {}).get("to") for h in reminders} <= {"sn0199-0007"}


# --- renewed, lapsed ------------------------------------------------------------------------------------------------


def renewal(number: str, *, registered: str = "2028-03-23", end_on: str = "2030-03-22") -> dict[str, Any]:
    original = {"measure_no": f"{number}-1", "start_on": "2026-03-24", "end_on": registered}
    payload = example(SEAL, action="renew", start_on="2028-03-23", end_on=end_on, original=original)
    del payload["debt_amount"]
    return payload


async def test_a_renewal_is_asked_for_in_time_and_names_the_registered_end(world: World) -> None:
    number = await done(world, SEAL, example(SEAL))
    wrong = await world.submit_signed(seal_request(payload=renewal(number, registered="2028-03-22")))
    assert (wrong.status, wrong.code) == (409, "term-mismatch")
    long = await world.submit_signed(seal_request(payload=renewal(number, end_on="2030-03-24")))
    assert long.rules == [("/payload/end_on", "term-too-long")]
    await done(world, SEAL, renewal(number))
    assert (await one(world, number))["end_on"] == "2030-03-22"
    world.clock.advance(days=4 * 365)
    late = await world.submit_signed(
        seal_request(payload=renewal(number, registered="2030-03-22", end_on="2030-03-23"))
    )
    assert (late.status, late.code) == (409, "renewal-late")  # also when the clock has not come round yet
    await due(world)
    assert (await one(world, number))["state"] == "lapsed"
    late = await world.submit_signed(
        seal_request(payload=renewal(number, registered="2030-03-22", end_on="2030-03-23"))
    )
    assert (late.status, late.code) == (409, "renewal-late")


async def test_a_renewal_that_is_not_answered_in_time_is_the_cause_and_holds_when_it_comes(world: World) -> None:
    number = await done(world, SEAL, example(SEAL))
    world.clock.advance(days=725)
    await due(world)
    assert [e.head and e.head["days"] for e in await events(world, "measure-ending", number)] == [30, 15, 7]
    renewing = await asked(world, SEAL, renewal(number))
    world.clock.advance(days=10)
    await due(world)
    assert [e.detail for e in await events(world, "incident", number)] == [
        f"measure-lapsed:{number}-1:renewal-unanswered"
    ]
    await world.reply(renewing, "result", answer_to(SEAL, renewal(number), world.clock.now()), seqno=1)
    shown = await one(world, number)
    assert (shown["state"], shown["end_on"]) == ("active", "2030-03-22")
    world.clock.advance(days=800)
    await due(world)
    assert [e.head and e.head["days"] for e in await events(world, "measure-ending", number)][5:] == [30, 15, 7, 3, 1]
    assert (await one(world, number))["history"][-1]["cause"] == "renewal-not-done"


async def test_each_reminder_once_however_often_the_clock_comes_round(world: World) -> None:
    number = await done(world, SEAL, example(SEAL))
    for _ in range(3):
        world.clock.advance(days=243)
        await due(world)
    await due(world)
    told = await events(world, "measure-ending", number) + await events(world, "incident", number)
    assert [e.head and (e.head.get("days") or e.head["cause"]) for e in told] == [30, 15, 7, 3, 1]
    assert (await world.get("/v1/measures?expiring_within=30d")).json["measures"][0]["measure_no"] == f"{number}-1"
    world.clock.advance(days=2)
    await due(world)
    assert len(await events(world, "incident", number)) == 1


async def test_what_was_ended_is_announced_no_more(world: World) -> None:
    number = await done(world, SEAL, example(SEAL))
    original = {"measure_no": f"{number}-1", "start_on": "2026-03-24", "end_on": "2028-03-23"}
    release = example(SEAL, action="release", original=original)
    for member in ("start_on", "end_on", "debt_amount"):
        del release[member]
    await done(world, SEAL, release)
    assert (await one(world, number))["state"] == "ended"
    world.clock.advance(days=3 * 365)
    await due(world)
    assert await events(world, "measure-ending", number) + await events(world, "incident", number) == []


# --- before a seizure -----------------------------------------------------------------------------------------------


def car(vin: str, **changes: Any) -> dict[str, Any]:
    payload = example(SEAL, **changes)
    payload["vehicle"]["vin"] = vin
    return payload


async def test_no_more_is_seized_than_the_debt(world: World) -> None:
    await done(world, SEAL, car("LSVAM4187C2184801", value="150000.00"))
    over = await world.submit_signed(seal_request(payload=car("LSVAM4187C2184802", value="20000.00")))
    assert (over.status, over.code) == (409, "over-seizure")
    assert over.rules == [("/payload/debt_amount", "over-seizure")]
    elsewhere = seal_request(payload=car("LSVAM4187C2184802", value="20000.00"), case_no=OTHER_CASE)
    assert (await world.submit_signed(elsewhere)).status == 202
    more = car("LSVAM4187C2184803", value="20000.00", debt_amount="400000.00")
    differs = await world.submit_signed(seal_request(payload=more))
    assert (differs.status, differs.code) == (409, "debt-differs")
    assert "128000.00" in differs.json["errors"][0]["detail"] and "400000.00" in differs.json["errors"][0]["detail"]
    more["debt_reason"] = "interest"
    assert (await world.submit_signed(seal_request(payload=more))).status == 202
    debt = (await world.get("/v1/cases", params={"case_no": CASE})).json["debt"]
    assert (debt["debt"], debt["in_fact"], debt["asked"]) == ("400000.00", "150000.00", "20000.00")
    assert [(d["amount"], d.get("reason")) for d in debt["history"]] == [("128000.00", None), ("400000.00", "interest")]


async def test_two_cars_at_once_are_counted_together(world: World) -> None:
    """What is only asked for warns: nobody knows yet whether there is such a car."""
    await world.put_pdf()
    cars = [car(f"LSVAM4187C218482{n}", value="150000.00") for n in range(4)]
    replies = await gathered(*(world.submit_signed(seal_request(payload=payload)) for payload in cars))
    assert [reply.status for reply in replies] == [202, 202, 202, 202]
    told = [e.head for e in await events(world, "over-seizure-warning")]
    assert told == [
        {"debt": "128000.00", "in_fact": "0.00", "asked": f"{n * 150000}.00"} for n in (1, 2, 3)
    ]  # the first car may be worth more than the debt
    (debt,) = (await world.get("/v1/cases", params={"case_no": CASE})).json["debt"]["history"]
    assert debt["amount"] == "128000.00"


async def test_a_third_partys_car_needs_the_paper_that_makes_the_owner_liable(world: World) -> None:
    payload = within(example(SEAL), "vehicle.owner.role", "担保人")
    refused = await world.submit_signed(seal_request(payload=payload))
    assert refused.rules == [("/payload/vehicle/owner/obligor_evidence", "third-party-owner")]
    paper = seal_request()["documents"][0] | {"kind": "guarantee"}
    liable = within(payload, "vehicle.owner.obligor_evidence", paper)
    assert (await world.submit_signed(seal_request(payload=liable))).status == 202


async def test_the_same_car_in_another_case_is_told(world: World) -> None:
    first = await done(world, SEAL, example(SEAL))
    second = await world.accepted(await world.submit_signed(seal_request(case_no=OTHER_CASE)))
    (warning,) = await events(world, "measure-elsewhere")
    assert (warning.request_no, warning.detail) == (second, f"{first}-1")
    third = await world.accepted(await world.submit_signed(seal_request(case_no=THIRD_CASE)))
    _, warning = await events(world, "measure-elsewhere")  # one, however many others there are
    assert (warning.request_no, warning.detail) == (third, f"{first}-1+1")
    assert warning.head == {"measure_no": f"{first}-1", "count": 2}


async def test_who_waits_in_line_is_told_when_the_one_ahead_has_ended(world: World) -> None:
    first = await done(world, SEAL, example(SEAL))
    second = await asked(world, SEAL, example(SEAL), case_no=OTHER_CASE)
    queued = answer_to(SEAL, example(SEAL), world.clock.now())
    queued["items"][0] |= {"status": "queued", "rank": 2}
    await world.reply(second, "result", queued, seqno=1)
    third = await asked(world, SEAL, example(SEAL), case_no=THIRD_CASE)
    queued["items"][0] |= {"rank": 3}
    await world.reply(third, "result", queued, seqno=1)
    world.clock.advance(days=1000)
    await due(world)
    assert (await one(world, first))["state"] == "lapsed"
    assert (await one(world, second))["state"] == "requested"  # only the police can say that it moved up
    (told,) = await events(world, "measure-ahead-ended")  # not who stands behind it
    assert (told.request_no, told.head and told.head["ahead"]) == (second, f"{first}-1")


async def test_a_control_ends_no_later_than_the_seal_that_is_registered(world: World) -> None:
    await done(world, SEAL, example(SEAL, end_on="2026-05-01"))
    submission = seal_request(type=CONTROL, payload=example(CONTROL))
    submission["approvals"] = [
        {"by": by, "role": role, "decision": "approve", "at": "2026-03-24T09:41:00+08:00"}
        for by, role in (("sn0199-0003", "bureau-chief"), ("sn0199-0001", "president"))
    ]
    assert (await world.submit_signed(submission)).rules == [("/payload/end_on", "beyond-seal")]


async def test_a_measure_of_others_or_of_nobody(world: World) -> None:
    number = await done(world, SEAL, example(SEAL))
    for path, client in ((f"{number}-1", "cms2"), (f"{number}-2", "cms1"), ("abc", "cms1")):
        reply = await world.get(f"/v1/measures/{path}", client)
        assert (reply.status, reply.code) == (404, "unknown-measure")
    assert CASE in (await world.get(f"/v1/measures/{number}-1")).body.decode()


@pytest.mark.parametrize("query", ["state=lapsing", "state=active,", "states=active", "expiring_within=30"])
async def test_a_question_that_is_none(world: World, query: str) -> None:
    assert (await world.get(f"/v1/measures?{query}")).code == "invalid-field"


async def test_measures_come_page_by_page(world: World) -> None:
    for index in range(3):
        await done(world, SEAL, car(f"LSVAM4187C218481{index}"), case_no=f"（2026）陕0199执90001{index}号")
    first = (await world.get("/v1/measures?limit=2")).json
    rest = (await world.get(f"/v1/measures?limit=2&after={first['next']}")).json
    assert "next" not in rest
    numbers = [m["measure_no"] for m in first["measures"] + rest["measures"]]
    assert len(set(numbers)) == 3
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("traced", [True, False], ids=["its sender traces", "its sender does not"])
async def test_what_a_partner_opens_begins_a_trace_or_goes_on_with_its_own(world: World, traced: bool) -> None:
    told = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    _, number = await controlled(world)
    world.context.tracer = tracer = Recorder()
    await world.raised(HIT, example(HIT, control_no=number), **({"traceparent": told} if traced else {}))
    await say(world, ALERT, "false-hit", why="套牌")
    (taken,) = tracer.named(f"process lianzhi.from.{POLICE}")
    (delivered,), (answer,) = tracer.named(f"create {HIT}.delivered"), tracer.named(f"create {HIT}.false-hit")
    begun = parse_traceparent(told) if traced else delivered.context
    assert (delivered.parent, answer.parent, taken.parent) == (begun if traced else None, begun, begun)
