"""A model of a whole life: messages that are doubled and late on the wire, days that pass, measures that begin and end.

The pure core decides; what it must never do is watched after every step:

- every state that is reached has an exit, and what is over stays over;
- nothing takes effect twice: a message by its id, a reminder by its clock and step, a measure by its number;
- no deadline is lost: a clock that runs has a timer, or has said its last word; one that does not run has none.
"""

from __future__ import annotations

import copy
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.core.control import measures
from gateway.core.records import Measure, Request, Timer
from gateway.core.requests.lifecycle import FIRST, STATES, TABLE, TERMINAL, Step, decide
from gateway.core.settings import Terms
from gateway.core.time import clocks
from gateway.core.time.clocks import DUE, ESCALATE, URGE, Basis
from gateway.core.time.deadlines import Duty
from gateway.registry.calendars import shipped
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import Deadline, DeadlineKind

START = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
ASKER, ASKED, REF = "court-sn0199", "police-610199", "v5t9c2hb"
CALENDAR = shipped()
DEADLINES = [
    Deadline(DeadlineKind.WORKING_DAYS, 3),
    Deadline(DeadlineKind.LEGAL_DAYS, 10),
    Deadline(DeadlineKind.CLOCK_HOURS, 24),
]
WORDS: dict[str, list[dict[str, Any]]] = {
    "result": [
        {"outcome": "done", "items": [{"ref": REF, "status": "done", "end_on": "2028-03-23"}]},
        {"outcome": "done", "items": [{"ref": REF, "status": "failed"}]},
        {"outcome": "partial", "items": [{"ref": REF, "status": "queued", "rank": 2}]},
        {"outcome": "none"},
        {"outcome": "impossible"},
    ],
    "delivered": [{"stored_at": "2026-03-24T10:00:00+08:00"}],
    "receipt": [{"received_at": "2026-03-24T10:00:00+08:00"}, {"received_at": "2026-03-24T11:00:00+08:00"}],
    "withdraw-ack": [{"effect": effect} for effect in ("not-started", "reversed", "too-late")],
    "identity-check": [{"plate_ok": ok, "vin_ok": True, "photo_ok": True} for ok in (True, False)],
}
MOVES = ["dispatched", "dispatched", "mended", "undeliverable"]


class Life(RuleBasedStateMachine):
    """One request, both its parties, the wire between them, and the store's timers."""

    shape = "ask"

    @initialize(deadline=st.sampled_from(DEADLINES), urgency=st.sampled_from(["normal", "urgent"]), begins=st.data())
    def opened(self, deadline: Deadline, urgency: str, begins: st.DataObject) -> None:
        self.now = START
        self.basis = Basis(Terms(), CALENDAR, Duty())
        first = FIRST[self.shape]
        states = [s for s in ("awaiting-approval", "approved", "blocked", first) if s in STATES[self.shape]]
        self.request = Request(
            request_no="court-sn0199-20260324-000001",
            type="police.vehicle-seal.request",
            version=1,
            shape=self.shape,
            state=begins.draw(st.sampled_from(states)),
            asker=ASKER,
            asked=ASKED,
            created_at=START,
            updated_at=START,
            marks={"open": ["open", "O"]},
        )
        self.request.facts["due"] = clocks.opened(deadline, urgency, self.basis, self.now)
        self.measures = [
            Measure(
                measure_no="court-sn0199-20260324-000001-1",
                request_no=self.request.request_no,
                type=self.request.type,
                action="seal",
                case_no="（2026）陕0199执900001号",
                object_key="0" * 64,
                ref=REF,
                state="requested",
                asked=ASKED,
                end_on="2028-03-23",
            )
        ]
        self.timers: dict[str, Timer] = {}
        self.wire: list[tuple[Step, int]] = []  # the sender keeps its bytes: anything may come again at any time
        self.sent: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.waiting: dict[tuple[str, int], Step] = {}
        self.applied: Counter[str | None] = Counter()
        self.fired: Counter[tuple[str, int, datetime | None]] = Counter()
        self.silent: set[str] = set()
        self.numbers = 0
        self.before = copy.deepcopy(self.request)
        self._keep({}, None)

    # --- what the parties say, and what the wire makes of it

    @rule(data=st.data(), at_once=st.booleans())
    def says(self, data: st.DataObject, at_once: bool) -> None:
        """Mostly what leads on from here, sometimes what ends it, sometimes anything."""
        here = {self.request.state, self.request.facts.get("resume", self.request.state)}
        rows = [r for r in TABLE if r.shape == self.shape and here & set(r.states) and r.by != "gateway"]
        on = [(r.verb, r.by) for r in rows if r.to not in ("=", "withdrawing", *TERMINAL[self.shape])]
        anything = [(v.name, v.by) for v in VERBS.values() if v.name != "open"]
        verb, by = data.draw(st.sampled_from(on * 6 + [(r.verb, r.by) for r in rows] * 2 + anything))
        self.numbers += 1
        self.sent[by] += 1
        words = data.draw(st.sampled_from(WORDS.get(verb, [{}])))
        known = ["open", *(mark[0] for mark in self.request.marks.values())]
        name = f"m{self.numbers}"
        step = Step(verb, by, self.now, name, name, data.draw(st.sampled_from(known)), words, attempted=True)
        if at_once:
            self._takes(step, self.sent[by])
        self.wire.append((step, self.sent[by]))

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), copies=st.integers(1, 3))
    def arrives(self, data: st.DataObject, copies: int) -> None:
        """In any order and several times; what is lost is sent again, so a loss is only a delay."""
        step, seqno = self.wire[data.draw(st.integers(0, len(self.wire) - 1))]
        for _ in range(copies):
            self._takes(step, seqno)

    @rule()
    def everything_arrives(self) -> None:
        for step, seqno in self.wire:
            self._takes(step, seqno)

    def _takes(self, step: Step, seqno: int) -> None:
        """As `apply_messages` orders them: known ids change nothing, early ones wait, only `withdraw` overtakes."""
        if self.applied[step.message_id] or seqno <= self.taken[step.by]:
            return
        if step.verb == "withdraw" and step.by == "asker" and self._can(step):
            for early in [key for key in self.waiting if key[0] == "asker" and key[1] < seqno]:
                del self.waiting[early]
            self.taken["asker"] = seqno
            self._apply(step)
        else:
            self.waiting[step.by, seqno] = step
        while (following := self.waiting.pop((step.by, self.taken[step.by] + 1), None)) is not None:
            self.taken[step.by] += 1
            self._apply(following)

    @rule(move=st.sampled_from(MOVES))
    def the_gateway_moves(self, move: str) -> None:
        self._apply(Step(move, "gateway", self.now))

    def _can(self, step: Step) -> bool:
        try:
            decide(self.request, step)
        except RejectedError:
            return False
        return True

    def _apply(self, step: Step) -> None:
        self.before = copy.deepcopy(self.request)
        self.applied[step.message_id] += step.message_id is not None
        was = clocks.running(self.request, self.basis)
        try:
            decision = decide(self.request, step)
        except RejectedError as error:
            assert error.code in ("not-allowed", "not-now", "contradicts")
            return
        self.request.state, self.request.marks = decision.state, decision.marks
        self.request.facts, self.request.updated_at = decision.facts, self.now
        self._keep(was, step.verb if step.message_id else None)
        changed = {m.measure_no: m for m in measures.settled(self.measures, self.request.state, step.data)}
        self.measures = [changed.get(m.measure_no, m) for m in self.measures]

    def _keep(self, was: dict[str, str], verb: str | None) -> None:
        change = clocks.change(self.request, was, verb, self.basis, self.now)
        for kind in change.clear:
            self.timers.pop(kind, None)
        runs = clocks.running(self.request, self.basis)
        self.silent -= {kind for kind, about in runs.items() if was.get(kind) != about}
        self.timers |= {timer.kind: timer for timer in change.set}
        if self.request.facts["due"]["step"] > (ESCALATE if self.shape == "ask" else URGE):
            self.silent.add(DUE)  # it may run again after its last word: a withdrawal that came too late

    # --- time

    @rule(hours=st.sampled_from([0.2, 1, 5, 24, 72, 24 * 15, 24 * 60]))
    def time_passes(self, hours: float) -> None:
        """What has become due meanwhile is said, in order of when it was due."""
        self.now += timedelta(hours=hours)
        last = datetime.min.replace(tzinfo=UTC)
        while due := [t for t in self.timers.values() if t.due_at <= self.now]:
            timer = min(due, key=lambda t: t.due_at)
            assert timer.due_at >= last or timer.kind != DUE
            last = max(last, timer.due_at)
            del self.timers[timer.kind]
            self._falls_due(timer)

    def _falls_due(self, timer: Timer) -> None:
        assert timer.kind in clocks.running(self.request, self.basis)
        self.fired[timer.kind, timer.count, timer.start_at] += 1
        said = clocks.fallen_due(timer, self.request, self.basis)
        if said.following is not None:
            assert said.following.due_at > timer.due_at
            self.timers[timer.kind] = said.following
        else:
            self.silent.add(timer.kind)
        if said.lapse:
            self._apply(Step("lapse", "gateway", self.now))

    # --- what must hold

    @invariant()
    def the_state_has_an_exit(self) -> None:
        state, shape = self.request.state, self.shape
        assert state in STATES[shape]
        if state not in TERMINAL[shape]:
            assert any(state in row.states and row.to not in ("=", state) for row in TABLE if row.shape == shape), state

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if self.before.state in TERMINAL[self.shape]:
            assert self.request.state == self.before.state
            assert not self.timers

    @invariant()
    def nothing_happens_twice(self) -> None:
        assert max(self.applied.values(), default=0) <= 1
        assert max(self.fired.values(), default=0) <= 1, self.fired

    @invariant()
    def no_deadline_is_lost(self) -> None:
        runs = set(clocks.running(self.request, self.basis))
        assert set(self.timers) <= runs
        assert runs <= set(self.timers) | self.silent, (self.request.state, runs, self.timers, self.silent)

    @invariant()
    def a_measure_rests_on_what_was_said(self) -> None:
        (measure,) = self.measures
        if "result" not in self.request.marks:
            assert measure.state in ("requested", "ended")
        if self.request.state in ("refused", "returned", "rejected"):
            assert measure.state != "requested"


class Alert(Life):
    shape = "alert"


class Notice(Life):
    shape = "notice"


@pytest.mark.parametrize("life", [Life, *(pytest.param(life, marks=pytest.mark.slow) for life in (Alert, Notice))])
def test_any_life_keeps_its_promises(life: type[Life]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(max_examples=80, stateful_step_count=40),
    )
