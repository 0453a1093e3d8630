"""Two days of a court: somebody is listed, put right and taken off; somebody is brought by a writ at night."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from simulation.parties import CHIEF, CREDIT, DEPUTY, HANDLER, PARTNERS, POLICE, PRESIDENT
from simulation.private_broker import PrivateBroker
from tests.court_system import day, fresh_payload
from tests.scenes import PERSON_CONTROL, PERSON_HIT, answer_to, opening
from tests.words import SHANGHAI
from tests.world import World, open_world

pytestmark = pytest.mark.slow  # each lets days pass in a world of its own
LIST, CORRECT, DELETE = "sanction.dishonest.publish", "sanction.dishonest.correct", "sanction.dishonest.withdraw"
SIGNED = ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))


@pytest_asyncio.fixture
async def world(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    needed = [p for p in PARTNERS if p["code"] in (POLICE, CREDIT)]
    async with open_world(broker, tmp_path_factory.mktemp("sanctions"), needed) as world:
        await world.start()
        yield world


# --- listed, put right, over, deleted -----------------------------------------------------------------------------


def done(payload: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What a publisher answers."""
    at = now.astimezone(SHANGHAI).isoformat(timespec="seconds")
    item = {"ref": payload["debtor"]["ref"], "status": "done", "done_at": at}
    return {"outcome": "done", "as_of": at, "items": [item]}


async def answered(world: World, kind: str, payload: dict[str, Any], **members: Any) -> str:
    """Asked of the publisher and done by it; the request's number."""
    publisher = await world.office(CREDIT)
    number = await world.court.ask(kind, payload, receiver=CREDIT, **members)
    await publisher.next(number, "open")
    await publisher.answer(number, "result", done(payload, world.clock.now()))
    await world.reaches(number, "completed")
    return number


async def test_a_listing_with_the_presidents_signature_its_end_its_correction_its_deletion(world: World) -> None:
    case_no = "（2026）陕0199执970001号"
    payload = fresh_payload(LIST, publish_on=day(0), end_on=day(6))
    by_chiefs = world.court.approvals((DEPUTY, "bureau-chief"), (CHIEF, "bureau-chief"))
    refused = await world.court.submit(LIST, payload, receiver=CREDIT, case_no=case_no, approvals=by_chiefs)
    assert (refused.status, refused.rules) == (422, ["approval-role"])
    wider = copy.deepcopy(payload)
    wider["debtor"]["role"] = "法定代表人"
    parsed = await world.court.submission(LIST, payload, receiver=CREDIT, case_no=case_no)
    refused = await world.court.post("/v1/requests", *world.court.signed(parsed | {"payload": wider}))
    assert (refused.status, refused.rules) == (422, ["role-outside"])
    signed = world.court.approvals(*SIGNED)
    listed = await answered(world, LIST, payload, case_no=case_no, approvals=signed)
    (measure,) = await world.measures(listed)
    assert (measure.state, measure.end_on) == ("active", day(6))

    whose = {"debtor": payload["debtor"], "published_no": listed}
    right = {**payload["entry"], "performance": "partial"}
    correction = {**whose, "entry": right, "changed": ["performance"], "reason": "被执行人已部分履行"}
    corrected = await answered(world, CORRECT, correction, case_no=case_no)
    assert (await world.court.get(f"/v1/requests/{corrected}"))["due_on"] == "2026-03-27"  # three working days
    (measure,) = await world.measures(listed)
    assert (measure.state, measure.end_on) == ("active", day(6))

    world.clock.pass_by(days=7)
    await world.caught_up()
    (measure,) = await world.measures(listed)
    assert measure.state == "lapsed"
    told = [e.detail for e in await world.events(request_no=listed, kind="incident")]
    assert any("term-over" in str(detail) for detail in told), told

    deletion = {
        **whose,
        "card_no": payload["entry"]["card_no"],
        "reason": "expired",
        "decided_on": day(7),
    }
    number = await answered(world, DELETE, deletion, case_no=case_no, approvals=[])
    assert (await world.court.get(f"/v1/requests/{number}"))["due_on"] == "2026-04-03"
    (measure,) = await world.measures(listed)
    assert measure.state == "ended"


# --- 拘传 at 22:00 ------------------------------------------------------------------------------------------------


def spoken(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


async def test_a_writ_is_carried_out_at_ten_in_the_evening(world: World) -> None:
    police = await world.agency()
    payload = fresh_payload(PERSON_CONTROL, decision="compelled-appearance", start_on=day(0), end_on=day(20))
    lookout = await world.court.ask(PERSON_CONTROL, payload)
    result = answer_to(PERSON_CONTROL, payload, world.clock.now())
    await police.answer(lookout, "result", result)
    await world.reaches(lookout, "completed")
    world.clock.pass_by(hours=13)  # it is ten in the evening
    met_at = world.clock.now()

    async def met(hold: timedelta) -> tuple[str, Any]:
        whom = {"ref": payload["person"]["ref"], "control_no": result["items"][0]["control_no"]}
        times = {"hit_at": spoken(met_at), "hold_until": spoken(met_at + hold)}
        hit = opening(PERSON_HIT, fresh_payload(PERSON_HIT) | whom | times)
        talk = police.begin(PERSON_HIT)
        talk.refs = [whom["ref"]]
        return talk.request_no, await police.say(talk, "open", hit)

    _, ten_days = await met(timedelta(days=10))
    assert (await world.quarantined(ten_days)).reason == "invalid-field"
    assert (await police.noticed(reason="invalid-field"))["pointer"]
    alert, _ = await met(timedelta(hours=24))
    await world.reaches(alert, "delivered")

    world.clock.pass_by(minutes=10)
    for verb, data in (
        ("acknowledge", {}),
        ("send-team", {"team": "执行一团队"}),
        ("identity-check", {"id_ok": True, "photo_ok": True}),
    ):
        assert (await world.court.say(alert, verb, {"at": spoken(world.clock.now()), **data})).status == 202
    world.clock.pass_by(hours=1)
    handed_over = spoken(world.clock.now())
    place = {"place": "办案中心（演示）", "handed_by": "赵演示", "received_by": "李演示"}
    assert (await world.court.say(alert, "handover", {"at": handed_over, **place})).status == 202

    began = datetime.fromisoformat(handed_over)
    seen = await world.court.get(f"/v1/requests/{alert}")
    assert seen["state"] == "handed-over"
    assert datetime.fromisoformat(seen["questioning_until"]) == began + timedelta(hours=8)
    assert datetime.fromisoformat(seen["questioning_longest"]) == began + timedelta(hours=24)

    async def reminders() -> list[Any]:
        await world.caught_up()
        found = await world.events(request_no=alert, kind="reminder", detail="questioning")
        return [(e.head or {}).get("step") for e in found]

    assert await reminders() == []
    world.clock.pass_by(hours=7)
    assert await reminders() == ["until"]
    world.clock.pass_by(hours=16)
    assert await reminders() == ["until", "longest"]
    (told, *_) = await world.events(request_no=alert, kind="reminder", detail="questioning")
    assert told.head is not None and told.head["to"] == HANDLER
    assert datetime.fromisoformat(told.head["due_at"]) == began + timedelta(hours=8)
