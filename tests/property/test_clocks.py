"""The state machine and its clocks together, driven by random verbs and jumps of time (the pure core only).

What must hold after every step: exactly the timers that run are set; what is over has none, and whatever is owed has
one; a step of the main clock is said once, in order, and begins anew only for work that was sent back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.core.records import Request, Timer
from gateway.core.requests.lifecycle import TABLE, TERMINAL, Step, decide, is_done
from gateway.core.settings import Terms
from gateway.core.time.clocks import DUE, ESCALATE, HOLD, URGE, Basis, change, fallen_due, opened, running
from gateway.core.time.deadlines import Duty
from gateway.registry.calendars import shipped
from lianzhi.errors import RejectedError
from schemas.catalogue import Deadline, DeadlineKind

START = datetime(2026, 2, 10, 3, 0, tzinfo=UTC)  # before the Spring Festival
CALENDAR = shipped()
DATA: dict[str, list[dict[str, Any]]] = {
    "result": [{"outcome": outcome} for outcome in ("done", "none", "partial", "impossible")],
    "withdraw-ack": [{"effect": effect} for effect in ("not-started", "reversed", "too-late")],
    "identity-check": [{"id_ok": True, "photo_ok": True}, {"id_ok": False, "photo_ok": True}],
    "delivered": [{"stored_at": "t"}],
    "receipt": [{"received_at": "t"}],
}


class Clocked(RuleBasedStateMachine):
    @initialize(
        shape=st.sampled_from(sorted(TERMINAL)),
        kind=st.sampled_from(DeadlineKind),
        amount=st.integers(1, 30),
        urgency=st.sampled_from(["normal", "urgent"]),
        reads_feed=st.booleans(),
        blocked=st.booleans(),
    )
    def open(self, shape: str, kind: DeadlineKind, amount: int, urgency: str, reads_feed: bool, blocked: bool) -> None:
        self.basis, self.now = Basis(Terms(), CALENDAR, Duty(), reads_feed), START
        self.said: list[int] = []
        self.timers: dict[str, Timer] = {}
        state = "blocked" if blocked else "approved"
        self.request = Request("n", "t", 1, shape, state, "asker", "asked", START, START)
        self.request.facts["due"] = opened(Deadline(kind, amount), urgency, self.basis, START)
        if shape == "alert":
            self.request.facts["hold_until"] = (START + timedelta(days=amount)).isoformat()
        self._moved({}, None)

    @rule(data=st.data(), minutes=st.integers(0, 3000))
    def say(self, data: st.DataObject, minutes: int) -> None:
        """A verb that may be refused; most are not."""
        self.now += timedelta(minutes=minutes)
        rows = [r for r in TABLE if r.shape == self.request.shape and self.request.state in r.states]
        if not rows:
            return
        chosen = data.draw(st.sampled_from(rows))
        words = data.draw(st.sampled_from(DATA.get(chosen.verb, [{}])))
        self._decide(Step(chosen.verb, chosen.by, self.now, origin="o", data=words, attempted=True))

    @precondition(lambda self: bool(self.timers))
    @rule(days=st.integers(0, 20))
    def pass_by(self, days: int) -> None:
        """Away for days; then everything that is due, in order."""
        self.now += timedelta(days=days)
        while due := sorted((t for t in self.timers.values() if t.due_at <= self.now), key=lambda t: t.due_at):
            timer = due[0]
            del self.timers[timer.kind]
            fallen = fallen_due(timer, self.request, self.basis)
            if timer.kind == DUE:
                self.said.append(timer.count)
            if timer.kind == HOLD:
                self._decide(Step("lapse", "gateway", self.now))
            elif fallen.following is not None:
                assert fallen.following.due_at > timer.due_at
                self.timers[DUE] = fallen.following
            self.quiet.add(timer.kind)

    def _decide(self, step: Step) -> None:
        was = running(self.request, self.basis)
        try:
            decision = decide(self.request, step)
        except RejectedError:
            return
        if step.verb == "reopen":
            self.said = [count for count in self.said if count < URGE]
        self.request.state, self.request.facts = decision.state, decision.facts
        self._moved(was, step.verb)

    def _moved(self, was: dict[str, str], verb: str | None) -> None:
        if verb is None:
            self.quiet: set[str] = set()
        found = change(self.request, was, verb, self.basis, self.now)
        for kind in found.clear:
            self.timers.pop(kind, None)
            self.quiet.discard(kind)
        for timer in found.set:
            self.timers[timer.kind] = timer
            self.quiet.discard(timer.kind)
        if self.request.facts["due"]["step"] > (ESCALATE if self.request.shape == "ask" else URGE):
            self.quiet.add(DUE)

    @invariant()
    def the_timers_are_those_that_run(self) -> None:
        if not hasattr(self, "request"):
            return
        runs = running(self.request, self.basis).keys()
        assert self.timers.keys() <= runs
        assert runs - self.timers.keys() <= self.quiet  # it has said what it had to say
        if self.request.state in TERMINAL[self.request.shape]:
            assert not self.timers
        elif not is_done(self.request):
            assert runs

    @invariant()
    def each_step_is_said_once_in_order(self) -> None:
        said = getattr(self, "said", [])
        assert said == sorted(set(said))

    @invariant()
    def the_main_clock_runs_or_stands_still(self) -> None:
        if not hasattr(self, "request") or self.request.state in (*TERMINAL[self.request.shape], "approved", "blocked"):
            return
        runs = DUE in running(self.request, self.basis)
        assert runs != ("paused" in self.request.facts["due"])


TestClocked = Clocked.TestCase
TestClocked.settings = settings(max_examples=40, stateful_step_count=25)
