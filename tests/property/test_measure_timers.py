"""Whatever happens to a measure, in whatever order and with whatever pauses: its deadlines in the store are exactly
those of what it is now. None is lost, none is left behind, and every live measure comes to an end by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.core.control import expiry
from gateway.core.control.moves import LIVE, MOVES, moved
from gateway.core.records import Changes, Measure, Timer
from gateway.core.settings import Settings

START = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
DAYS = Settings().measure_reminders
SAID = sorted({row.move for row in MOVES if row.by != "clock" and row.move != "renewed"})


class MeasureAndTimers(RuleBasedStateMachine):
    """The store's timers as a dictionary; the clock takes what is due, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.timers: dict[tuple[str, str], Timer] = {}
        self.told: list[tuple[str, int]] = []
        self.one = Measure(
            measure_no="court-sn0199-20260324-000001-1",
            request_no="court-sn0199-20260324-000001",
            type="police.vehicle-seal.request",
            action="seal",
            case_no="case",
            object_key="k",
            ref="v5t9c2hb",
            state="requested",
            asked="police-610199",
            end_on="2026-06-30",
        )

    def become(self, after: Measure | None) -> None:
        if after is None or after == self.one:
            return
        changes = Changes()
        expiry.reschedule(self.one, after, changes, self.now, days=DAYS, hour=8)
        for key in changes.timers_clear:
            self.timers.pop(key, None)
        self.timers |= {(t.request_no, t.kind): t for t in changes.timers}
        self.one = after

    @rule(move=st.sampled_from(SAID))
    def said(self, move: str) -> None:
        members: dict[str, Any] = {"ended_by": "another-request"} if move in ("ended", "failed", "nothing") else {}
        self.become(moved(self.one, move, **members))

    @rule(days=st.integers(1, 900))
    def renewed(self, days: int) -> None:
        end = date.fromisoformat(self.one.end_on or "2026-06-30") + timedelta(days=days)
        if end.year < 2100:
            self.become(moved(self.one, "renewed", end_on=end.isoformat()))

    @rule(hours=st.integers(1, 24 * 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_clock_comes_round(self) -> None:
        due = sorted((t for t in self.timers.values() if t.due_at <= self.now), key=lambda t: t.due_at)
        for timer in due:
            if self.timers.pop((timer.request_no, timer.kind), None) is None:
                continue
            _, days = expiry.timer_of(timer)
            end = self.one.end_on
            assert end is not None
            if days != expiry.LAPSE:
                assert (end, days) not in self.told, "a reminder twice"
                assert not [d for e, d in self.told if e == end and d < days], "a reminder out of its order"
                self.told.append((end, days))
            else:
                self.become(moved(self.one, "lapsed", ended_by="term"))
        if due:
            assert self.one.state not in LIVE or expiry.over_at(self.one.end_on or "") > self.now

    @invariant()
    def the_deadlines_are_those_of_what_it_is_now(self) -> None:
        kinds = {expiry.timer_of(t)[1]: t.due_at for t in self.timers.values()}
        end = self.one.end_on
        assert end is not None
        if self.one.state not in LIVE:
            assert kinds == {}
            return
        assert kinds.pop(expiry.LAPSE) == expiry.over_at(end)
        if self.one.state == "handed-over":
            assert kinds == {}
        assert all(due == expiry.remind_at(end, days, 8) for days, due in kinds.items())


MeasureAndTimers.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestMeasureAndTimers = MeasureAndTimers.TestCase
