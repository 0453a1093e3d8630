"""A control measure through anything: done, queued, renewed, hit, cleared, ended, in any order and twice, days apart.

- while it is in force it has an end that somebody is told of: its timers are there, none of them twice;
- past its last day it is no longer in force, and that was said once;
- what has ended stays ended, unless it had come to nothing and its partner did it after all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gateway.core.control import expiry
from gateway.core.control.measures import settled
from gateway.core.control.moves import CAME_TO_NOTHING, LIVE, MOVES, STATES, is_live, moved
from gateway.core.control.renewals import renewals
from gateway.core.records import Changes, Measure, Request, Timer
from gateway.core.time.calendar import local_day

START = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
DAYS, HOUR, REF = (30, 15, 7, 3, 1), 8, "v5t9c2hb"
RENEWAL = Request(
    "court-sn0199-20260401-000002", "police.vehicle-seal.request", 1, "ask", "completed", "court-sn0199",
    "police-610199", START, START,
)  # fmt: skip
ANSWERS = [
    ("completed", {"outcome": "done", "items": [{"ref": REF, "status": "done"}]}),
    ("completed", {"outcome": "done", "items": [{"ref": REF, "status": "failed"}]}),
    ("partial", {"outcome": "partial", "items": [{"ref": REF, "status": "queued", "rank": 2}]}),
    ("completed", {"outcome": "none"}),
    ("withdrawn", {"effect": "reversed"}),
    ("refused", {}),
]
WORDS = sorted({row.move for row in MOVES if row.by != "clock"} - {"done", "queued", "failed", "nothing", "renewed"})


class MeasureLife(RuleBasedStateMachine):
    """One measure, its timers, and what was said when they fell due."""

    @initialize(term=st.integers(1, 90), action=st.sampled_from(["seal", "control", "grace"]))
    def asked_for(self, term: int, action: str) -> None:
        self.now = START
        self.measure = Measure(
            measure_no="court-sn0199-20260324-000001-1",
            request_no="court-sn0199-20260324-000001",
            type="police.vehicle-seal.request",
            action=action,
            case_no="（2026）陕0199执900001号",
            object_key="0" * 64,
            ref=REF,
            state="requested",
            asked="police-610199",
            end_on=(local_day(START) + timedelta(days=term)).isoformat(),
        )
        self.timers: dict[str, Timer] = {}
        self.told: Counter[tuple[str, int]] = Counter()
        self.over: Counter[str] = Counter()

    @rule(answer=st.sampled_from(ANSWERS), copies=st.integers(1, 2))
    def answered(self, answer: tuple[str, dict[str, object]], copies: int) -> None:
        """The answer of the request that asked for it, perhaps twice."""
        state, said = answer
        for _ in range(copies):
            for new in settled([self.measure], state, said):
                self._becomes(new)

    @rule(word=st.sampled_from(WORDS), copies=st.integers(1, 2))
    def happens(self, word: str, copies: int) -> None:
        if self.measure.action in expiry.ENDS_BY_ITSELF and word != "ended":
            return  # a grace is met by nobody and handed over to nobody
        for _ in range(copies):
            new = moved(self.measure, word)
            if new is not None:
                self._becomes(replace(new, ended_by="another-request") if new.state == "ended" else new)

    @rule(days=st.integers(1, 400), before=st.integers(0, 60))
    def is_renewed(self, days: int, before: int) -> None:
        """The partner registers a later end: today, or some days ago, which it tells only now."""
        assert self.measure.end_on is not None
        registered = (local_day(self.now) - timedelta(days=before)).isoformat()
        later = max(date.fromisoformat(self.measure.end_on), local_day(self.now)) + timedelta(days=days)
        item = {"ref": REF, "status": "done", "end_on": later.isoformat(), "registered_on": registered}
        found = renewals([self.measure], RENEWAL, {"outcome": "done", "as_of": "-", "items": [item]}, self.now)
        for _, new in (*found.continued, *found.lapsed):
            self._becomes(new)
        for _, new in found.anew:  # another measure: this one stays lapsed
            assert (self.measure.state, new.state) == ("lapsed", "active")
            assert registered > self.measure.end_on and new.start_on == registered

    @rule(hours=st.sampled_from([0.5, 7, 24, 72, 24 * 20, 24 * 200]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        while due := [timer for timer in self.timers.values() if timer.due_at <= self.now]:
            timer = min(due, key=lambda t: t.due_at)
            del self.timers[timer.kind]
            _, days = expiry.timer_of(timer)
            assert self.measure.state in LIVE, (timer, self.measure)
            assert self.measure.end_on is not None
            if days == expiry.LAPSE:
                self._lapses()
            else:
                self.told[self.measure.end_on, days] += 1

    def _lapses(self) -> None:
        new = moved(self.measure, "over" if self.measure.action in expiry.ENDS_BY_ITSELF else "lapsed")
        if new is not None:
            self.over[str(self.measure.end_on)] += 1
            self._becomes(replace(new, ended_by="term-over") if new.state == "ended" else new)

    def _becomes(self, new: Measure) -> None:
        before, self.measure, changes = self.measure, new, Changes()
        if before.state == "ended":
            assert new.state == "ended" or before.ended_by in CAME_TO_NOTHING
        expiry.reschedule(before, new, changes, self.now, days=DAYS, hour=HOUR)
        for _, kind in changes.timers_clear:
            self.timers.pop(kind, None)
        self.timers |= {timer.kind: timer for timer in changes.timers}

    @invariant()
    def it_is_in_a_known_state(self) -> None:
        assert self.measure.state in STATES

    @invariant()
    def in_force_it_has_an_end_that_is_watched(self) -> None:
        ends = [timer for timer in self.timers.values() if expiry.timer_of(timer)[1] == expiry.LAPSE]
        assert self.measure.end_on is not None
        if is_live(self.measure):
            assert [timer.due_at for timer in ends] == [expiry.over_at(self.measure.end_on)]
        else:
            assert not self.timers

    @invariant()
    def past_its_end_it_is_not_in_force(self) -> None:
        assert self.measure.end_on is not None
        caught_up = not [timer for timer in self.timers.values() if timer.due_at <= self.now]
        if caught_up and expiry.over_at(self.measure.end_on) <= self.now:
            assert not is_live(self.measure)

    @invariant()
    def nothing_is_said_twice(self) -> None:
        assert max(self.over.values(), default=0) <= 1, self.over


@pytest.mark.slow
def test_no_measure_lapses_unnoticed() -> None:
    run_state_machine_as_test(
        MeasureLife,
        settings=settings(max_examples=120, stateful_step_count=30),
    )
