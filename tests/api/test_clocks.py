"""Deadlines as a court system sees them, and what the clock says when time passes; a real store, a moved clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from inspect import getmembers, iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from gateway.application.context import Calendars
from gateway.application.deadlines.calendars import CalendarKeeper, import_year
from gateway.core.records import Changes, Event, Measure, Request
from gateway.core.routing import Participant
from gateway.core.settings import Settings
from gateway.core.time.calendar import SHANGHAI, Year
from gateway.store import SqlStore
from lianzhi.protocol.envelope import parse_timestamp
from schemas.catalogue import Kind, catalogue
from tests.api.test_read import commissioned
from tests.api.world import CASE, COURT, POLICE, Keys, World, grid_request, participants, seal_request, serving

DELIVERED = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}
RECEIPT = {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵演示", "badge": "061234"}
SUPERIOR = "court-sn"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


async def asked(world: World, *, answered: int = 0, **members: Any) -> str:
    """A verification that the grid has: it has said so many of delivered, receipt, accept."""
    number = await world.accepted(await world.submit(grid_request(backup_handler="sn0199-0011", **members)))
    await world.sent()
    replies = [("delivered", DELIVERED), ("receipt", RECEIPT), ("accept", {"handler": "周演示"})]
    for seqno, (verb, data) in enumerate(replies[:answered], 1):
        await world.reply(number, verb, data, seqno=seqno)
    return number


async def tick(world: World, to: str | None = None) -> None:
    """The clock works until nothing is due."""
    if to is not None:
        world.clock.moment = at(to)
    while await world.clockwork.once():
        pass


async def timeline(world: World, number: str) -> list[Event]:
    return [e for e in await world.store.timeline(number) if e.audience == COURT]


async def said(world: World, number: str) -> list[tuple[str, str, Any]]:
    """kind, detail, when it was due in Shanghai; of an urge its level."""
    found = []
    for event in await timeline(world, number):
        head = event.head or {}
        if event.verb == "urge":
            found.append(("urge", "", head["level"]))
        elif "due_at" in head:
            due = parse_timestamp(head["due_at"]).astimezone(SHANGHAI)
            found.append((event.kind, event.detail or "", f"{due:%m-%d %H:%M}"))
    return found


# --- the deadline


async def test_a_request_shows_its_deadline(world: World) -> None:
    view = (await world.get(f"/v1/requests/{await asked(world)}")).json
    assert (view["due_at"], view["due_on"]) == ("2026-03-27T16:00:00.000Z", "2026-03-27")
    assert (view["backup_handler"], view.get("provisional"), view.get("paused")) == ("sn0199-0011", None, None)
    urgent = (await world.get(f"/v1/requests/{await asked(world, urgency='urgent')}")).json
    assert urgent["due_at"] == "2026-03-25T02:10:00.000Z"


async def test_a_commission_is_due_by_the_days_that_it_asks_for(world: World) -> None:
    number = await commissioned(world)
    view = (await world.get(f"/v1/requests/{number}")).json
    assert view["due_on"] == "2026-04-08"  # fifteen days
    assert (await world.get(f"/v1/requests/{number}", "cms2")).json["due_on"] == "2026-04-08"


async def test_a_supplement_pauses_it(world: World) -> None:
    number = await asked(world, answered=2)
    world.clock.advance(days=1)
    why = {"missing": [{"field": "address", "why": "门牌号不清"}], "reply_by": "2026-03-27T12:00:00+08:00"}
    await world.reply(number, "supplement-request", why, seqno=3)
    assert (await world.get(f"/v1/requests/{number}")).json["paused"] is True
    await tick(world, "2026-04-10T09:00")
    assert await said(world, number) == [("reminder", "supplement", "03-31 00:00")]
    act = {"verb": "supplement", "by": "sn0199-0007", "data": {"fields": [{"field": "address", "value": "东街2号"}]}}
    assert (await world.post(f"/v1/requests/{number}/messages", act)).status == 202
    view = (await world.get(f"/v1/requests/{number}")).json
    assert (view["due_on"], view.get("paused")) == ("2026-04-14", None)  # two working days were left


# --- what the clock says


async def test_nobody_signs_for_it(world: World) -> None:
    number = await asked(world, answered=1)
    await tick(world, "2026-03-25T10:05")
    assert await said(world, number) == []
    await tick(world, "2026-03-25T10:15")
    assert await said(world, number) == [("overdue", "receipt", "03-25 10:10"), ("urge", "", 1)]
    urge = await world.stored(number, "urge")
    assert (urge.sender, urge.seqno) == (COURT, 2)
    messages = (await world.get(f"/v1/requests/{number}/messages")).json["messages"]
    assert messages[-1]["head"] == {"level": 1, "reply_by": "2026-03-27T00:00:00+08:00"}


EVERYTHING = [
    ("reminder", "due", "03-27 00:00"),
    ("overdue", "urge", "03-28 00:00"),
    ("urge", "", 1),
    ("overdue", "urge-again", "03-31 00:00"),
    ("urge", "", 2),
    ("overdue", "supervise", "04-02 00:00"),
    ("escalate", "due", "04-04 00:00"),
]


async def test_after_days_away_each_is_said_once_in_order_of_due_time(world: World) -> None:
    """Requests of two days: what they say comes between each other's, as if somebody had been there."""
    first = await asked(world, answered=3)
    world.clock.advance(days=1)
    second = await asked(world, answered=3)
    before = await world.store.last_event()
    await tick(world, "2026-04-07T09:00")
    assert await said(world, first) == EVERYTHING
    assert (
        await said(world, second)
        == [
            ("reminder", "due", "03-30 00:00"),
            ("overdue", "urge", "03-31 00:00"),
            ("urge", "", 1),
            ("overdue", "urge-again", "04-01 00:00"),
            ("urge", "", 2),
            ("overdue", "supervise", "04-03 00:00"),
            ("escalate", "due", "04-07 00:00") if False else ("escalate", "due", "04-08 00:00"),
        ][:6]
    )
    events = await world.store.events(COURT, before, 1000)
    due = [e.head["due_at"] for e in events if e.head and "due_at" in e.head]
    assert due == sorted(due)
    assert len(due) == 5 + 4
    assert {e.at for e in events} == {world.clock.now()}
    assert await world.clockwork.once() == 0
    again = await world.store.events(COURT, before, 1000)
    assert again == events


async def test_one_unit_of_a_few_timers_keeps_the_order_too(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    """More is due than one unit takes: no step overtakes what a later unit will say."""
    async with serving(store, tmp_path / "papers", keys, settings=Settings(batch=2)) as world:
        for _ in range(5):
            await asked(world, answered=3)
            world.clock.advance(days=1)
        before = await world.store.last_event()
        await tick(world, "2026-05-20T09:00")
        events = await world.store.events(COURT, before, 1000)
        due = [e.head["due_at"] for e in events if e.head and "due_at" in e.head]
        assert due == sorted(due)
        assert len(due) == 5 * 5


async def test_b_is_reminded_of_a_result_that_nobody_confirms(world: World) -> None:
    number = await asked(world, answered=3)
    await world.reply(number, "result", dict(catalogue()["grid.verify.request"].example_result), seqno=4)
    await tick(world, "2026-04-20T09:00")
    assert await said(world, number) == [("reminder", "confirm", "03-28 00:00")]
    [event] = [e for e in await timeline(world, number) if e.kind == "reminder"]
    assert event.head is not None
    assert event.head["to"] == "sn0199-0011"
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "completed"


async def test_what_the_broker_does_not_take_is_an_incident_once(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await tick(world, "2026-03-24T10:30")
    await tick(world, "2026-03-24T15:00")
    details = [e.detail for e in await timeline(world, number) if e.kind == "incident"]
    assert details == ["unconfirmed"]
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "approved"


async def test_a_withdrawal_without_answer_is_an_incident(world: World) -> None:
    number = await asked(world, answered=2)
    act = {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "paid"}}
    assert (await world.post(f"/v1/requests/{number}/messages", act)).status == 202
    await world.sent()
    await tick(world, "2026-03-26T00:00")
    assert ("incident", "withdrawal-unanswered", "03-26 00:00") in await said(world, number)
    assert (await world.get(f"/v1/requests/{number}")).json["paused"] is True


async def test_what_is_over_is_silent(world: World) -> None:
    number = await asked(world, answered=2)
    await world.reply(number, "refuse", {"reason_code": "homonym", "explanation": "非同一人"}, seqno=3)
    assert (await world.store.counts())["timers"] == {}
    await tick(world, "2026-05-20T09:00")
    assert await said(world, number) == []


# --- between courts


def parties(*, superior: bool) -> list[Participant]:
    known = participants()
    if superior:
        high = Participant(
            code=SUPERIOR,
            kind=Kind.COURT,
            zh="陕西省高级人民法院（演示）",
            en="High Court (demo)",
            channel="amqp",
            dialect="court/1",
            court_code="陕",
            accepts=("entrust.supervision.request",),
        )
        known.append(high)
    return known


async def test_the_lowest_common_superior_is_asked(store: SqlStore, tmp_path: Path) -> None:
    keys = Keys.fresh(SUPERIOR)
    async with serving(store, tmp_path / "papers", keys, parties=parties(superior=True)) as world:
        number = await commissioned(world)
        await tick(world, "2026-04-13T23:00")
        assert [e.kind for e in await timeline(world, number) if e.kind == "supervised"] == []
        await tick(world, "2026-04-14T00:30")
        [event] = [e for e in await timeline(world, number) if e.kind == "supervised"]
        assert event.detail is not None
        view = (await world.get(f"/v1/requests/{event.detail}")).json
        assert (view["type"], view["asked"], view["state"]) == ("entrust.supervision.request", SUPERIOR, "approved")
        assert (view["related"], view["case_no"], view["handler"]) == (number, CASE, "sn0199-0007")
        assert view["due_on"] == "2026-04-21"
        await world.sent()
        [opened] = (await world.get(f"/v1/requests/{event.detail}/messages")).json["messages"]
        overdue = opened["data"]["payload"]["overdue"]
        assert (overdue["request_no"], overdue["due_on"], overdue["entrusted"]) == (number, "2026-04-08", "陕0528")
        feed = (await world.get("/v1/events", "cms2")).json["events"]
        assert [e["head"]["level"] for e in feed if e.get("verb") == "urge"] == [1, 1, 2]
        await tick(world, "2026-06-14T00:30")
        kinds = [e.kind for e in await timeline(world, event.detail) if e.head and "due_at" in e.head]
        assert kinds == ["reminder", "overdue", "overdue", "escalate"]


async def test_without_a_registered_superior_somebody_is_told(world: World) -> None:
    number = await commissioned(world)
    await tick(world, "2026-04-14T00:30")
    assert [e.detail for e in await timeline(world, number) if e.kind == "incident"] == ["no-superior"]


# --- alerts


async def test_a_hold_that_ends_lapses(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    ours, neighbour, police, grid = participants()
    hits = ("police.person-hit.alert",)
    known = [replace(ours, accepts=hits), neighbour, replace(police, opens=hits), grid]
    async with serving(store, tmp_path / "papers", keys, parties=known) as world:
        payload = {**catalogue()["police.person-hit.alert"].example_request}
        hit_at = at("2026-03-24T09:00")
        payload |= {
            "hit_at": hit_at.isoformat(),
            "held": True,
            "hold_until": (hit_at + timedelta(hours=12)).isoformat(),
        }
        control = Request(
            request_no=f"{COURT}-20260320-000001",
            type="police.person-control.request",
            version=1,
            shape="ask",
            state="completed",
            asker=COURT,
            asked=POLICE,
            created_at=hit_at,
            updated_at=hit_at,
            case_no=CASE,
        )
        measure = Measure(
            measure_no=f"{control.request_no}-1",
            request_no=control.request_no,
            type=control.type,
            action="control",
            case_no=CASE,
            object_key="k",
            ref=payload["ref"],
            state="active",
            asked=POLICE,
            control_no=payload["control_no"],
        )
        async with store.begin() as unit:
            await unit.apply(Changes(new_requests=[control], new_measures=[measure]))
        number = f"{POLICE}-20260324-000001"
        await world.raised("police.person-hit.alert", payload, number)
        assert (await world.get(f"/v1/requests/{number}")).json["state"] == "delivered"
        await tick(world, "2026-03-24T20:59")
        assert (await world.get(f"/v1/requests/{number}")).json["state"] == "delivered"
        await tick(world, "2026-03-24T21:00")
        assert (await world.get(f"/v1/requests/{number}")).json["state"] == "lapsed"
        assert (await world.store.counts())["timers"] == {}


# --- calendars

NEXT = Year(
    2027, "国办发明电〔2026〕演示号", date(2026, 11, 4), frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset()
)


async def test_a_deadline_beyond_the_published_year_is_provisional_until_its_calendar_comes(world: World) -> None:
    world.clock.moment = at("2026-12-30T10:00")
    number = await asked(world, answered=3)
    view = (await world.get(f"/v1/requests/{number}")).json
    assert (view["due_on"], view.get("provisional")) == ("2027-01-04", True)
    assert await import_year(world.context, NEXT) == 1
    view = (await world.get(f"/v1/requests/{number}")).json
    assert (view["due_on"], view.get("provisional")) == ("2027-01-06", None)
    [event] = [e for e in await timeline(world, number) if e.kind == "deadline"]
    assert (event.detail, event.head) == ("calendar", {"due_at": "2027-01-06T16:00:00.000Z"})
    assert await import_year(world.context, NEXT) == 0
    await tick(world, "2027-01-06T01:00")
    assert (await said(world, number))[-1] == ("reminder", "due", "01-06 00:00")


async def test_an_amended_notice_moves_what_was_certain(world: World) -> None:
    """As in January 2020: the holiday was made longer when it had begun."""
    world.clock.moment = at("2026-09-28T10:00")
    number, other = await asked(world, answered=3), await asked(world, answered=3, urgency="urgent")
    assert (await world.get(f"/v1/requests/{number}")).json["due_on"] == "2026-10-08"
    published = world.context.calendars.now.years[2026]
    longer = replace(published, notice="演示", rest=published.rest | {date(2026, 10, 8), date(2026, 10, 9)})
    assert await import_year(world.context, longer) == 1
    assert (await world.get(f"/v1/requests/{number}")).json["due_on"] == "2026-10-10"  # a Saturday that is worked
    assert (await world.get(f"/v1/requests/{other}")).json["due_on"] == "2026-09-29"
    await tick(world, "2026-10-10T23:00")
    assert await said(world, number) == [("deadline", "calendar", "10-11 00:00"), ("reminder", "due", "10-10 00:00")]


async def test_another_process_notices_and_counts_again_what_was_set_meanwhile(world: World) -> None:
    other = replace(world.context, calendars=Calendars(world.context.calendars.shipped))
    await import_year(world.context, NEXT)
    world.context.calendars.now = world.context.calendars.shipped  # as a process that has not looked yet
    world.clock.moment = at("2026-12-30T10:00")
    number = await asked(world, answered=3)
    assert (await world.get(f"/v1/requests/{number}")).json.get("provisional") is True
    await CalendarKeeper(other, counts=False).once()
    assert 2027 in other.calendars.now.years
    assert (await world.get(f"/v1/requests/{number}")).json.get("provisional") is True
    await CalendarKeeper(other, counts=True).once()
    assert (await world.get(f"/v1/requests/{number}")).json["due_on"] == "2027-01-06"


async def test_the_feed_says_which_clock_ran_out(world: World) -> None:
    number = await asked(world, answered=3, urgency="urgent")
    await tick(world, "2026-03-25T10:10")
    feed = (await world.get("/v1/events")).json["events"]
    [event] = [e for e in feed if e["kind"] == "overdue"]
    assert (event["request_no"], event["state"]) == (number, "accepted")
    assert event["head"] == {"clock": "due", "step": "urge", "due_at": "2026-03-25T02:10:00.000Z", "level": 1}


async def test_a_unit_reads_by_its_own_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second connection out of the same pool, inside a unit, could wait for ever under load."""
    number = await world.accepted(await world.submit_signed(seal_request()))
    await world.put_pdf()
    world.clock.advance(minutes=1)

    async def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("read beside the unit")

    beside = [name for name, _ in getmembers(SqlStore, iscoroutinefunction) if name[0] != "_"]
    assert {"request", "messages", "timeline", "documents_readable"} <= {*beside}
    with monkeypatch.context() as shut:
        for name in beside:
            shut.setattr(SqlStore, name, refuse)
        assert await world.clockwork.once() == 1
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "approved"


async def test_a_block_that_lasts_is_an_incident_once(world: World) -> None:
    number = await world.accepted(await world.submit_signed(seal_request()))
    for _ in range(3):
        world.clock.advance(minutes=40)
        await tick(world)
    assert [e.detail for e in await timeline(world, number) if e.kind == "incident"] == ["blocked"]
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "blocked"


@pytest.mark.parametrize("kind", ["due", "unsent"])
async def test_metrics_count_the_clocks_by_kind(world: World, kind: str) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    if kind == "due":
        await world.sent()
    text = await world.metrics()
    assert f'lianzhi_timers{{kind="{kind}"}} 1.0' in text, number
