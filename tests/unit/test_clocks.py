"""Which clocks run, how long, what they say, and that none is lost, doubled or stopped for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.records import Request, Timer
from gateway.core.requests.lifecycle import STATES, TERMINAL
from gateway.core.settings import Terms
from gateway.core.time import clocks
from gateway.core.time.calendar import SHANGHAI, Calendar, Year
from gateway.core.time.clocks import Basis, FallenDue, change, counted_again, fallen_due, opened, running
from gateway.core.time.deadlines import Duty
from gateway.registry.calendars import shipped
from schemas.catalogue import Deadline, DeadlineKind, catalogue
from tools.pages.clocks import clocks_document

BASIS = Basis(Terms(), shipped(), Duty())
OF_A_REGISTER = replace(BASIS, objection_pauses=True)
NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai
FIVE_DAYS = Deadline(DeadlineKind.WORKING_DAYS, 5)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def request(state: str = "dispatched", shape: str = "ask", **members: Any) -> Request:
    facts = {"due": opened(members.pop("deadline", FIVE_DAYS), members.pop("urgency", "normal"), BASIS, NOW)}
    given: dict[str, Any] = {
        "request_no": "court-sn0199-20260324-000001",
        "type": "grid.verify.request",
        "version": 1,
        "shape": shape,
        "state": state,
        "asker": "court-sn0199",
        "asked": "grid-610199",
        "created_at": NOW,
        "updated_at": NOW,
        "handler": "sn0199-0007",
        "facts": facts | members.pop("facts", {}),
    }
    return Request(**given | members)


def move(one: Request, to: str, now: datetime, verb: str | None = None, basis: Basis = BASIS) -> dict[str, Any]:
    """As `carry_out` does; the timers that were set."""
    was = running(one, basis)
    one.state = to
    found = change(one, was, verb, basis, now)
    return {timer.kind: timer for timer in found.set} | dict.fromkeys(found.clear)


def test_the_documented_clocks_are_the_table() -> None:
    assert Path("docs/clocks.md").read_text(encoding="utf-8") == clocks_document(Terms())


def test_every_rule_names_states_of_its_shape() -> None:
    for rule in clocks.RULES:
        assert set(rule.states) <= STATES[rule.shape], rule


@pytest.mark.parametrize("shape", ["ask", "alert", "notice"])
def test_a_clock_runs_in_every_state_in_which_something_is_owed(shape: str) -> None:
    for state in STATES[shape] - TERMINAL[shape] - {"read"}:
        assert running(request(state, shape), BASIS), state
    for state in TERMINAL[shape]:
        assert not running(request(state, shape), BASIS), state


def test_a_whole_life() -> None:
    one = request("approved")
    assert change(one, {}, None, BASIS, NOW).set[0].due_at == NOW + timedelta(minutes=15)
    due = at("2026-04-01T00:00")  # five working days after Tuesday end with Tuesday
    set_ = move(one, "dispatched", NOW)
    assert set_["unsent"] is None
    assert (set_["due"].due_at, set_["due"].count) == (due - timedelta(days=1), clocks.REMIND)
    assert move(one, "delivered", NOW)["receipt"].due_at == at("2026-03-25T10:00")
    assert move(one, "received", NOW) == {"receipt": None}
    assert move(one, "accepted", NOW) == {}
    answered = move(one, "completed", at("2026-03-27T15:00"))
    assert answered["due"] is None
    assert answered["confirm"].due_at == at("2026-04-02T00:00")
    assert move(one, "closed", NOW) == {"confirm": None}
    assert one.facts["due"]["at"] == due.astimezone(UTC).isoformat()


def test_whoever_reads_a_feed_is_waited_for_from_the_commit_on() -> None:
    feed = replace(BASIS, reads_feed=True)
    assert {timer.kind for timer in change(request(), {}, None, feed, NOW).set} == {"due", "receipt"}
    assert {timer.kind for timer in change(request(), {}, None, BASIS, NOW).set} == {"due"}


@pytest.mark.parametrize(
    ("duty", "due"),
    [
        (Duty(), "2026-03-25T10:00"),
        (Duty(always=("grid.*",)), "2026-03-24T10:10"),
    ],
)
def test_a_receipt_is_awaited_while_somebody_is_there(duty: Duty, due: str) -> None:
    assert move(request(), "delivered", NOW, basis=replace(BASIS, duty=duty))["receipt"].due_at == at(due)


@pytest.mark.parametrize(
    ("type", "due"),
    [
        ("police.person-control.request", "2026-03-24T11:00"),
        ("police.vehicle-control.cancel", "2026-03-24T11:00"),
        ("police.vehicle-seal.request", "2026-03-26T00:00"),
    ],
)
def test_a_withdrawal_of_what_stops_people_is_urgent(type: str, due: str) -> None:
    assert move(request(type=type), "withdrawing", NOW)["withdrawal"].due_at == at(due)


@pytest.mark.parametrize(("lane", "due"), [("normal", "2026-03-26T00:00"), ("urgent", "2026-03-24T14:00")])
def test_an_approval_is_awaited_by_its_lane(lane: str, due: str) -> None:
    [timer] = change(request("awaiting-approval", lane=lane), {}, None, BASIS, NOW).set
    assert (timer.kind, timer.due_at) == ("approval", at(due))


# --- the deadline


@pytest.mark.parametrize(
    ("deadline", "urgency", "due"),
    [
        (FIVE_DAYS, "normal", "2026-04-01T00:00"),
        (FIVE_DAYS, "urgent", "2026-03-25T10:00"),
        (FIVE_DAYS, "immediate", "2026-03-25T10:00"),
        (Deadline(DeadlineKind.CLOCK_HOURS, 2), "urgent", "2026-03-24T12:00"),
        (Deadline(DeadlineKind.LEGAL_DAYS, 10), "normal", "2026-04-04T00:00"),
    ],
)
def test_the_deadline_follows_the_matter_and_the_urgency(deadline: Deadline, urgency: str, due: str) -> None:
    assert datetime.fromisoformat(opened(deadline, urgency, BASIS, NOW)["at"]) == at(due)


def test_an_expiry_is_never_the_deadline() -> None:
    three_days = Deadline(DeadlineKind.CLOCK_HOURS, 72)
    one = request(deadline=three_days)
    assert clocks.expiry(2, one, NOW) == NOW + timedelta(days=2)
    assert clocks.expiry(3, one, NOW) == NOW + timedelta(days=4)
    assert clocks.expiry(4, one, NOW) == NOW + timedelta(days=4)


def say(one: Request, timer: Timer) -> FallenDue:
    return fallen_due(timer, one, BASIS)


def steps(one: Request) -> list[tuple[str, str, int | None, datetime]]:
    """Everything that the main clock says when nobody answers."""
    [timer] = [t for t in change(one, {}, None, BASIS, NOW).set if t.kind == "due"]
    said = []
    following: Timer | None = timer
    while following is not None:
        this = following
        fallen = say(one, this)
        said.append((fallen.event, fallen.detail, fallen.level, this.due_at))
        following = fallen.following
    return said


def test_an_answer_that_does_not_come_is_urged_supervised_and_escalated() -> None:
    assert steps(request()) == [
        ("reminder", "due", None, at("2026-03-31T00:00")),
        ("overdue", "urge", 1, at("2026-04-01T00:00")),
        ("overdue", "urge-again", 2, at("2026-04-02T00:00")),
        ("overdue", "supervise", None, at("2026-04-04T00:00")),
        ("escalate", "due", None, at("2026-04-09T00:00")),  # over 清明: 4 to 6 April
    ]


def test_hours_keep_their_time_of_day_and_are_not_reminded_before_they_begin() -> None:
    assert [(detail, due) for _, detail, _, due in steps(request(urgency="urgent"))] == [
        ("urge", at("2026-03-25T10:00")),
        ("urge-again", at("2026-03-26T10:00")),
        ("supervise", at("2026-03-30T10:00")),
        ("due", at("2026-04-01T10:00")),
    ]


@pytest.mark.parametrize(("shape", "state"), [("alert", "delivered"), ("notice", "sent")])
def test_alerts_and_notices_are_overdue_once_and_never_urged(shape: str, state: str) -> None:
    assert [said[:3] for said in steps(request(state, shape))] == [("overdue", "urge", None)]


def test_a_superior_that_is_late_is_not_brought_before_another() -> None:
    assert "supervise" not in [detail for _, detail, _, _ in steps(request(type=clocks.SUPERVISION))]


@pytest.mark.parametrize(
    ("kind", "state", "event", "detail", "to"),
    [
        ("confirm", "completed", "reminder", "confirm", "sn0199-0011"),
        ("approval", "awaiting-approval", "reminder", "approval", "sn0199-0011"),
        ("supplement", "supplement-wanted", "reminder", "supplement", "sn0199-0007"),
        ("objection", "received", "reminder", "objection", "sn0199-0007"),
        ("withdrawal", "withdrawing", "incident", "withdrawal-unanswered", None),
        ("unsent", "approved", "incident", "unconfirmed", None),
        ("blocked", "blocked", "incident", "blocked", None),
    ],
)
def test_what_each_clock_says_and_to_whom(kind: str, state: str, event: str, detail: str, to: str | None) -> None:
    one = request(state, facts={"backup": "sn0199-0011", "objection": True})
    assert say(one, Timer(one.request_no, kind, NOW)) == FallenDue(event, detail, to=to)


def test_without_a_b_the_handler_is_reminded() -> None:
    assert say(request("completed"), Timer("", "confirm", NOW)).to == "sn0199-0007"


# --- standing still


def test_a_supplement_stops_the_clock_and_it_goes_on_with_the_time_left() -> None:
    one = request("received")
    stopped = move(one, "supplement-wanted", at("2026-03-26T09:00"), "supplement-request")  # two days are used
    assert (stopped["due"], "paused" in one.facts["due"]) == (None, True)
    assert stopped["supplement"].due_at == at("2026-03-31T00:00")  # three days end on a Sunday
    again = move(one, "received", at("2026-04-07T09:00"), "supplement")
    assert again["supplement"] is None
    assert (again["due"].due_at, again["due"].count) == (at("2026-04-10T00:00"), clocks.REMIND)
    assert one.facts["due"]["on"] == "2026-04-10"
    assert "paused" not in one.facts["due"]


def test_an_objection_stops_the_clock_only_where_the_catalogue_says_so() -> None:
    one = request("accepted")
    raised = move(one, "accepted", at("2026-03-25T09:00"), "objection")
    assert "due" not in raised and "paused" not in one.facts["due"]
    assert raised["objection"].due_at == at("2026-04-10T00:00")  # it is answered all the same
    assert move(one, "accepted", at("2026-03-25T11:00"), "objection-answer") == {"objection": None}
    pausing = {name for name, matter in catalogue().items() if matter.objection_pauses}
    assert pausing == {
        "dept.property.query",
        "dept.property-control.request",
        "police.vehicle-info.query",
        "police.vehicle-seal.request",
    }


def test_a_clock_that_an_earlier_version_stopped_goes_on_with_the_answer() -> None:
    """An objection of before stopped every clock."""
    one = request("accepted")
    move(one, "accepted", at("2026-03-25T09:00"), "objection", OF_A_REGISTER)
    assert one.facts["objection"] is True
    answered = move(one, "accepted", at("2026-03-26T09:00"), "objection-answer")
    assert answered["objection"] is None and "paused" not in one.facts["due"]


def test_months_that_were_paused_go_on_as_days() -> None:
    months = opened(Deadline(DeadlineKind.LEGAL_MONTHS, 3), "normal", BASIS, at("2025-07-02T10:00"))
    assert months["on"] == "2025-10-09"
    stopped = clocks.paused(months, BASIS, at("2025-10-03T10:00"))
    assert (stopped["left"], stopped["left_kind"]) == (6, "legal_days")
    again = clocks.resumed(stopped, "supplement", BASIS, at("2025-10-20T10:00"))
    assert (again["kind"], again["on"]) == ("legal_days", "2025-10-27")  # 10-26 is a Sunday


def test_an_objection_stops_the_clock_until_it_is_answered() -> None:
    one = request("accepted")
    raised = move(one, "accepted", at("2026-03-25T09:00"), "objection", OF_A_REGISTER)
    assert raised["due"] is None
    assert raised["objection"].due_at == at("2026-04-10T00:00")
    assert move(one, "accepted", at("2026-03-25T10:00"), "objection", OF_A_REGISTER) == {}
    answered = move(one, "accepted", at("2026-03-25T11:00"), "objection-answer", OF_A_REGISTER)
    assert answered["objection"] is None
    assert one.facts["due"]["on"] == "2026-03-31"  # the same day: no time was lost
    assert answered["due"].due_at == at("2026-03-31T00:00")


def test_a_supplement_while_an_objection_is_unanswered_does_not_start_it() -> None:
    one = request("received")
    move(one, "received", NOW, "objection", OF_A_REGISTER)
    move(one, "supplement-wanted", NOW, "supplement-request", OF_A_REGISTER)
    assert "due" not in move(one, "received", NOW, "supplement", OF_A_REGISTER)
    assert "due" in move(one, "received", NOW, "objection-answer", OF_A_REGISTER)


def test_what_was_said_is_not_said_again_after_a_pause() -> None:
    one = request("accepted")
    [timer] = [t for t in change(one, {}, None, BASIS, NOW).set if t.kind == "due"]
    urged = say(one, say(one, timer).following)  # type: ignore[arg-type]
    assert urged.level == 1
    move(one, "withdrawing", at("2026-04-01T09:00"), "withdraw")
    back = move(one, "accepted", at("2026-04-02T09:00"), "withdraw-ack")
    assert (back["due"].count, back["due"].due_at) == (clocks.URGE_AGAIN, at("2026-04-04T00:00"))


def test_work_that_is_sent_back_has_the_time_left() -> None:
    one = request("accepted")
    move(one, "completed", at("2026-03-26T09:00"), "result")
    set_ = move(one, "in-progress", at("2026-03-27T09:00"), "reopen")
    assert (one.facts["due"]["on"], set_["due"].count) == ("2026-04-01", clocks.URGE)
    assert set_["confirm"] is None


def test_work_that_is_sent_back_late_has_a_working_day() -> None:
    one = request("accepted")
    move(one, "completed", at("2026-04-20T09:00"), "result")
    set_ = move(one, "in-progress", at("2026-04-24T09:00"), "reopen")
    assert (one.facts["due"]["on"], set_["due"].count) == ("2026-04-27", clocks.URGE)


# --- alerts


def test_a_hold_that_ends_lapses_and_a_hand_over_ends_the_clock() -> None:
    one = request("delivered", "alert", facts={"hold_until": "2026-03-24T22:00:00+08:00"})
    [hold] = [t for t in change(one, {}, None, BASIS, NOW).set if t.kind == "hold"]
    assert hold.due_at == at("2026-03-24T22:00")
    assert say(one, hold).lapse
    assert move(one, "acknowledged", NOW) == {}
    assert move(one, "handed-over", NOW) == {"hold": None, "due": None}


# --- calendars


def test_a_provisional_timer_is_counted_again_and_its_step_is_kept() -> None:
    new_year = datetime(2026, 12, 29, 2, 0, tzinfo=UTC)
    one = request(facts={"due": opened(FIVE_DAYS, "normal", BASIS, new_year)})
    [timer] = change(one, {}, None, BASIS, new_year).set
    assert (timer.provisional, one.facts["due"]["provisional"], one.facts["due"]["on"]) == (True, True, "2027-01-05")
    year = Year(2027, "演示", date(2026, 11, 4), frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset())
    newer = replace(BASIS, calendar=Calendar([*BASIS.calendar.years.values(), year]))
    again = counted_again(timer, one, newer)
    assert again is not None
    assert (again.count, again.provisional, again.due_at) == (timer.count, False, at("2027-01-07T00:00"))
    assert (one.facts["due"]["provisional"], one.facts["due"]["on"]) == (False, "2027-01-07")
    assert counted_again(again, one, newer) == again


def test_a_calendar_that_came_before_the_broker_confirmed_holds() -> None:
    """Opened on the older calendar, sent on the newer: no timer had to be counted again in between."""
    new_year = datetime(2026, 12, 29, 2, 0, tzinfo=UTC)
    one = request("approved", facts={"due": opened(FIVE_DAYS, "normal", BASIS, new_year)})
    year = Year(2027, "演示", date(2026, 11, 4), frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset())
    newer = replace(BASIS, calendar=Calendar([*BASIS.calendar.years.values(), year]))
    set_ = move(one, "dispatched", new_year, basis=newer)
    assert (set_["due"].provisional, set_["due"].due_at) == (False, at("2027-01-07T00:00"))
    assert (one.facts["due"]["provisional"], one.facts["due"]["on"]) == (False, "2027-01-07")


def test_long_hours_are_reminded_too() -> None:
    three_days = Deadline(DeadlineKind.CLOCK_HOURS, 72)
    assert steps(request(deadline=three_days))[0] == ("reminder", "due", None, NOW + timedelta(hours=48))


@pytest.mark.parametrize("kind", ["receipt", "confirm", "supplement", "objection", "withdrawal", "approval"])
def test_every_kind_is_counted_again_from_its_own_start(kind: str) -> None:
    one = request("delivered", facts={"objection": True})
    late = at("2026-12-30T16:00")
    sure = clocks.timer_of(one, kind, at("2026-03-24T16:00"), BASIS)
    guess = clocks.timer_of(one, kind, late + timedelta(days=1), BASIS)
    assert sure is not None
    assert guess is not None
    assert (sure.provisional, guess.provisional) == (False, True)
    assert counted_again(guess, one, BASIS) == guess


WALK = st.lists(
    st.tuples(
        st.sampled_from(
            [
                ("received", "receipt"),
                ("accepted", "accept"),
                ("supplement-wanted", "supplement-request"),
                ("received", "supplement"),
                ("same", "objection"),
                ("same", "objection-answer"),
                ("withdrawing", "withdraw"),
                ("completed", "result"),
                ("in-progress", "reopen"),
            ]
        ),
        st.integers(0, 200),
    ),
    max_size=12,
)


@given(WALK)
def test_the_timers_that_are_set_are_those_that_run(walk: list[tuple[tuple[str, str], int]]) -> None:
    """Whatever happens: no clock is lost, none runs where it should not, and the deadline never moves back."""
    one, now = request("delivered"), NOW
    rows: dict[str, Timer] = {t.kind: t for t in change(one, {}, None, BASIS, now).set}
    for (to, verb), hours in walk:
        now += timedelta(hours=hours)
        before = datetime.fromisoformat(one.facts["due"]["at"])
        for kind, timer in move(one, one.state if to == "same" else to, now, verb).items():
            rows.pop(kind, None)
            if timer is not None:
                rows[kind] = timer
        assert rows.keys() == running(one, BASIS).keys()
        assert ("due" in rows) != ("paused" in one.facts["due"])
        assert datetime.fromisoformat(one.facts["due"]["at"]) >= before
