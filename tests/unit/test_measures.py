"""The life of a measure: its table, its end, what is too much, and whom a hit pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control import expiry, seizures
from gateway.core.control.moves import CAME_TO_NOTHING, MOVES, OPEN_STATES, SAME, STATES, TERMINAL, is_live, moved
from gateway.core.records import Changes, Measure, Request, Timer
from gateway.core.requests import paging
from gateway.core.requests.facts import Facts
from gateway.core.routing import Staff
from gateway.core.settings import Settings

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
DAYS = Settings().measure_reminders
NUMBER = "court-sn0199-20260324-000001"
MOVE_NAMES = sorted({row.move for row in MOVES})


def measure(**members: Any) -> Measure:
    values: dict[str, Any] = {
        "measure_no": f"{NUMBER}-1",
        "request_no": NUMBER,
        "type": "police.vehicle-seal.request",
        "action": "seal",
        "case_no": "（2026）陕0199执900001号",
        "object_key": "k",
        "ref": "v5t9c2hb",
        "state": "active",
        "asked": "police-610199",
        "end_on": "2026-05-31",
    }
    return Measure(**(values | members))


def renewal(state: str, *, minutes: int = 0, **facts: Any) -> Request:
    at = NOW + timedelta(minutes=minutes)
    return Request(
        request_no=f"court-sn0199-20260324-{minutes + 2:06d}",
        type="police.vehicle-seal.request",
        version=1,
        shape="ask",
        state=state,
        asker="court-sn0199",
        asked="police-610199",
        created_at=at,
        updated_at=at,
        facts=cast(Facts, {"measure": "renew", "targets": [measure().measure_no], **facts}),
    )


# --- the table ----------------------------------------------------------------------------------------------------


def test_no_pair_of_moves_disagrees() -> None:
    keys = [(state, row.move) for row in MOVES for state in row.states]
    assert len(keys) == len(set(keys))
    assert {s for s, _ in keys} | {r.to for r in MOVES if r.to != SAME} == set(STATES)


def test_every_state_that_is_not_terminal_has_an_exit() -> None:
    leaving = {s for row in MOVES if row.to != SAME for s in row.states}
    assert set(STATES) - TERMINAL <= leaving


@pytest.mark.parametrize("state", OPEN_STATES)
def test_from_every_open_state_an_end_is_reached_by_the_clock_or_a_partner(state: str) -> None:
    assert moved(measure(state=state), "ended", ended_by="x") is not None


@given(st.lists(st.sampled_from(MOVE_NAMES), max_size=30), st.sampled_from(["request-9", "refused"]))
def test_what_an_ending_request_has_ended_never_lives_again(moves: list[str], ended_by: str) -> None:
    """Whatever is said, in whatever order: only what had come to nothing comes back."""
    one = measure(state="requested")
    finally_ended = False
    for move in moves:
        after = moved(one, move, ended_by=ended_by)
        assert not (finally_ended and after is not None)
        one = after or one
        assert one.state in STATES
        finally_ended = one.state == "ended" and one.ended_by not in CAME_TO_NOTHING


@pytest.mark.parametrize(
    ("state", "move", "to"),
    [
        ("requested", "done", "active"),
        ("active", "hit", "hit"),
        ("hit", "hit", "hit"),
        ("hit", "cleared", "active"),
        ("hit", "handed-over", "handed-over"),
        ("handed-over", "hit", "handed-over"),
        ("handed-over", "lapsed", "ended"),
        ("hit", "lapsed", "lapsed"),
        ("lapsed", "renewed", "active"),
        ("lapsed", "hit", None),
        ("requested", "hit", None),
        ("requested", "lapsed", None),
        ("handed-over", "cleared", None),
    ],
)
def test_moves(state: str, move: str, to: str | None) -> None:
    after = moved(measure(state=state), move)
    assert (None if after is None else after.state) == to
    assert is_live(measure(state=state)) == (state in ("active", "hit", "handed-over"))


# --- its end ------------------------------------------------------------------------------------------------------


def scheduled(before: Measure | None, after: Measure, now: datetime = NOW) -> list[tuple[int, datetime]]:
    changes = Changes()
    expiry.reschedule(before, after, changes, now, days=DAYS, hour=8)
    return [(expiry.timer_of(t)[1], t.due_at) for t in sorted(changes.timers, key=lambda t: t.due_at)]


def test_reminders_before_the_end_and_the_end_itself() -> None:
    due = scheduled(measure(state="requested"), measure())
    assert [days for days, _ in due] == [30, 15, 7, 3, 1, 0]
    assert due[0][1] == datetime(2026, 5, 1, 0, 0, tzinfo=UTC)  # eight o'clock in Shanghai
    assert due[-1][1] == datetime(2026, 5, 31, 16, 0, tzinfo=UTC)  # the midnight after the last day


@given(st.integers(-400, 800))
def test_only_what_is_ahead_is_announced_and_the_end_always_comes(days: int) -> None:
    end = date(2026, 3, 24) + timedelta(days=days)
    due = scheduled(None, measure(end_on=end.isoformat()))
    assert due[-1][0] == expiry.LAPSE
    assert all(at > NOW for left, at in due if left != expiry.LAPSE)
    assert [left for left, _ in due] == sorted((left for left, _ in due), reverse=True)
    assert {left for left, _ in due} - {0} == {n for n in DAYS if expiry.remind_at(end.isoformat(), n, 8) > NOW}


def test_a_hit_keeps_the_timers_a_renewal_moves_them_and_an_end_clears_them() -> None:
    live = measure()
    for before, after in ((live, replace(live, state="hit")), (replace(live, state="hit"), live)):
        changes = Changes()
        expiry.reschedule(before, after, changes, NOW, days=DAYS, hour=8)
        assert (changes.timers, changes.timers_clear) == ([], [])
    assert scheduled(live, replace(live, end_on="2027-05-31"))[0][1] == datetime(2027, 5, 1, 0, 0, tzinfo=UTC)
    assert [left for left, _ in scheduled(live, replace(live, state="handed-over"))] == [0]
    assert scheduled(live, replace(live, state="ended")) == []
    changes = Changes(timers=[Timer(NUMBER, expiry.timer_kind(live.measure_no, 30), NOW)])
    expiry.reschedule(live, replace(live, state="ended"), changes, NOW, days=DAYS, hour=8)
    assert changes.timers == []
    assert len(changes.timers_clear) == len(DAYS) + 1


def test_what_ends_by_itself_is_not_announced_and_what_has_no_end_has_no_timer() -> None:
    assert [left for left, _ in scheduled(None, measure(action="grace"))] == [0]
    assert scheduled(None, measure(end_on=None)) == []
    assert scheduled(None, measure(state="requested")) == []


@pytest.mark.parametrize(
    ("renewals", "cause"),
    [
        ([], "renewal-not-asked"),
        ([renewal("closed", targets=["another"])], "renewal-not-asked"),
        ([renewal("closed", measure="end")], "renewal-not-asked"),
        ([renewal("accepted")], "renewal-unanswered"),
        ([renewal("refused")], "renewal-refused"),
        ([renewal("refused"), renewal("delivered", minutes=5)], "renewal-unanswered"),
        ([renewal("accepted"), renewal("returned", minutes=5)], "renewal-refused"),
        ([renewal("withdrawing")], "renewal-withdrawn"),
        ([renewal("blocked")], "renewal-not-sent"),
        ([renewal("impossible")], "renewal-not-done"),
    ],
)
def test_a_lapse_has_a_named_cause(renewals: list[Request], cause: str) -> None:
    assert expiry.lapse_cause(measure(), renewals) == cause
    assert expiry.lapse_cause(measure(action="dishonest"), renewals) == "term-over"


# --- too much, twice, left behind -----------------------------------------------------------------------------------


def test_who_waits_behind_and_who_is_elsewhere() -> None:
    first = measure(rank=1)
    waiting = measure(measure_no="b-1", case_no="other", state="requested", rank=2)
    others = [
        first,
        waiting,
        measure(measure_no="c-1", state="requested", rank=None),
        measure(measure_no="d-1", state="requested", rank=2, asked="police-610198"),
        measure(measure_no="e-1", state="requested", rank=2, action="control"),
        measure(measure_no="f-1", case_no="other", state="ended"),
    ]
    assert seizures.behind(first, others) == [waiting]
    assert seizures.behind(waiting, others) == []
    assert seizures.elsewhere(first, others) == ["b-1"]


def test_a_case_with_a_live_measure_stays_open() -> None:
    states = [measure(measure_no=state, state=state) for state in STATES]
    assert seizures.keeps_case_open(states) == ["active", "hit", "handed-over"]


# --- pages --------------------------------------------------------------------------------------------------------


def person(no: str, *roles: str, **more: Any) -> Staff:
    return Staff(no, "某", "p", frozenset(roles), date(2026, 1, 1), **more)


STAFF = {
    s.no: s
    for s in (
        person("a", "handler"),
        person("b", "handler", revoked=True),
        person("desk", "clerk", mail="desk@court.example"),
        person("chief", "bureau-chief"),
        person("deputy", "bureau-chief"),
        person("gone", "bureau-chief", until=date(2026, 2, 1)),
    )
}


def who(level: str, desk: list[str] | None = None) -> list[str]:
    return paging.persons(level, {"A": "a", "B": "b"}, desk or [], STAFF, date(2026, 3, 24))


def test_whom_a_level_pages() -> None:
    assert (who("A"), who("B"), who("desk"), who("chief")) == (["a"], [], [], ["chief", "deputy"])
    assert who("desk", ["desk", "nobody", "desk"]) == ["desk"]
    assert paging.persons("B", {}, [], STAFF, date(2026, 3, 24)) == []
    assert [n for n in STAFF if paging.reaches("mail", STAFF[n])] == ["desk"]
    assert all(paging.reaches("webhook", one) for one in STAFF.values())


def test_levels_follow_each_other() -> None:
    assert list(paging.waits(Settings())) == list(paging.LEVELS)
    assert sorted(paging.waits(Settings()).values()) == list(paging.waits(Settings()).values())
    assert [paging.next_level(level) for level in paging.LEVELS] == ["B", "desk", "chief", None]


def shift(begins: int, ends: int) -> tuple[datetime, datetime]:
    return NOW + timedelta(hours=begins), NOW + timedelta(hours=ends)


@pytest.mark.parametrize(
    ("shifts", "gap"),
    [
        ([], 0),
        ([(-1, 30)], None),
        ([(0, 12), (12, 24)], None),
        ([(12, 24), (-5, 12)], None),
        ([(0, 12), (13, 30)], 12),
        ([(0, 12), (1, 3)], 12),
        ([(1, 30)], 0),
    ],
)
def test_an_hour_without_anybody_is_found(shifts: list[tuple[int, int]], gap: int | None) -> None:
    found = paging.empty_until([shift(*one) for one in shifts], NOW, NOW + timedelta(hours=24))
    assert found == (None if gap is None else NOW + timedelta(hours=gap))
