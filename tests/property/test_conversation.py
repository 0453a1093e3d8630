"""The state machine under any sequence of steps, also absurd ones: it decides or refuses, and never loses its way."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.records import Request
from gateway.core.requests.lifecycle import BEFORE, FIRST, STATES, TABLE, TERMINAL, By, Decision, Step, decide
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS

START = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
TIMES = st.sampled_from(["2026-03-24T10:00:00+08:00", "2026-03-24T10:05:00+08:00"])
MOVES = sorted({row.verb for row in TABLE if row.by == "gateway"})
DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "delivered": st.fixed_dictionaries({"stored_at": TIMES}),
    "receipt": st.fixed_dictionaries({"received_at": TIMES}),
    "result": st.fixed_dictionaries({"outcome": st.sampled_from(["done", "none", "partial", "impossible"])}),
    "withdraw-ack": st.fixed_dictionaries({"effect": st.sampled_from(["not-started", "reversed", "too-late"])}),
    "identity-check": st.fixed_dictionaries({k: st.booleans() for k in ("plate_ok", "vin_ok", "photo_ok")}),
}


BYS: tuple[By, ...] = ("asker", "asked", "gateway")
EVERYTHING: list[tuple[str, By]] = [*((v.name, v.by) for v in VERBS.values()), *((move, "gateway") for move in MOVES)]


@st.composite
def steps(draw: st.DrawFn, among: list[tuple[str, By]] = EVERYTHING) -> Step:
    """Of the right side four times in five; a move of the gateway carries no message."""
    verb, by = draw(st.sampled_from(among))
    said = verb in VERBS
    if draw(st.integers(0, 4)) == 0:
        by = draw(st.sampled_from(BYS))
    number = draw(st.integers(0, 10**6))
    return Step(
        verb,
        by,
        START + timedelta(seconds=number),
        message_id=f"id-{number}" if said else None,
        digest=f"digest-{number}" if said else None,
        origin=draw(st.sampled_from(["open", "supplement"])) if said else None,
        data=draw(DATA.get(verb, st.just({}))),
        attempted=draw(st.booleans()),
    )


def begun(shape: str, state: str) -> Request:
    return Request(
        request_no="court-sn0199-20260324-000001",
        type="grid.verify.request",
        version=1,
        shape=shape,
        state=state,
        asker="court-sn0199",
        asked="grid-610199",
        created_at=START,
        updated_at=START,
        marks={"open": ["open", "O"]},
    )


def likely(request: Request) -> st.SearchStrategy[Step]:
    """What the table has for the present state, or for the one that a withdrawal would come back to."""
    here = {request.state, request.facts.get("resume", request.state)}
    rows = [(r.verb, r.by) for r in TABLE if r.shape == request.shape and here & set(r.states)]
    return steps(among=rows) if rows else steps()


def taken(request: Request, step: Step) -> Decision | None:
    """The decision, which has left its argument alone; None when it was refused."""
    before = copy.deepcopy(request)
    try:
        decision = decide(request, step)
    except RejectedError as error:
        assert error.code in ("not-allowed", "not-now", "contradicts")
        return None
    finally:
        assert request == before
    assert decide(request, step) == decision
    return decision


def follow(request: Request, decision: Decision) -> None:
    request.state, request.marks, request.facts = decision.state, decision.marks, decision.facts


each_shape = pytest.mark.parametrize(
    "shape", [shape if shape == "ask" else pytest.param(shape, marks=pytest.mark.slow) for shape in sorted(FIRST)]
)


@each_shape
@settings(max_examples=80)
@given(data=st.data())
def test_any_conversation_keeps_its_promises(shape: str, data: st.DataObject) -> None:
    request = begun(shape, data.draw(st.sampled_from(["approved", "blocked", FIRST[shape]])))
    for wild in data.draw(st.lists(st.integers(0, 2).map(lambda n: n == 0), max_size=20)):
        before, step = copy.deepcopy(request), data.draw(steps() if wild else likely(request))
        decision = taken(request, step)
        if decision is None:
            continue
        follow(request, decision)
        _the_state_is_known_and_has_an_exit(request)
        _what_is_over_stays_over(before, decision)
        _marks_hold_the_last_of_each_verb(before, step, decision)
        _facts_fit_the_state(before, step, decision)


def _the_state_is_known_and_has_an_exit(request: Request) -> None:
    assert request.state in STATES[request.shape]
    if request.state not in TERMINAL[request.shape]:
        assert any(
            (decision := taken(request, step)) is not None and decision.state != request.state for step in EXITS
        ), request


def _what_is_over_stays_over(before: Request, decision: Decision) -> None:
    if before.state in TERMINAL[before.shape]:
        assert decision.state == before.state
        assert not decision.cancel


def _marks_hold_the_last_of_each_verb(before: Request, step: Step, decision: Decision) -> None:
    if step.message_id is None:
        assert decision.marks == before.marks
        return
    others = {verb: mark for verb, mark in before.marks.items() if verb != step.verb}
    assert list(decision.marks.items()) == [*others.items(), (step.verb, [step.message_id, step.digest])]


def _facts_fit_the_state(before: Request, step: Step, decision: Decision) -> None:
    shape, facts = before.shape, decision.facts
    assert ("resume" in facts) == (decision.state == "withdrawing")
    assert facts.get("resume", "approved") in STATES[shape] - {"withdrawing"}
    if facts.get("too_late") and not before.facts.get("too_late"):
        assert step.data["effect"] == "too-late"
        assert decision.state == before.facts["resume"]
    for key, said in before.facts.get("said", {}).items():
        assert facts["said"][key] == said  # what was said once is never said otherwise
    if decision.cancel:
        assert (step.verb, decision.state) == ("withdraw", "withdrawn")
        assert before.state in BEFORE
        assert before.state != "approved" or not step.attempted
    if decision.implied:
        assert step.by == "asked"
        assert decision.state not in decision.implied


EXITS = [
    Step(verb, by, START, message_id="exit", digest="exit", origin="exit", data=words, attempted=True)
    for verb, by in EVERYTHING
    for words in (
        {
            "outcome": "done",
            "effect": "reversed",
            "stored_at": "t",
            "received_at": "t",
            **dict.fromkeys(("plate_ok", "vin_ok", "photo_ok"), True),
        },
    )
]


@each_shape
@settings(max_examples=60)
@given(data=st.data())
def test_a_withdrawal_that_came_too_late_leaves_what_was_said_meanwhile(shape: str, data: st.DataObject) -> None:
    """Withdrawn, everything that the asked side says, then too late: as if nobody had asked to withdraw."""
    request = begun(shape, FIRST[shape])
    other = copy.deepcopy(request)
    withdrawn = taken(request, Step("withdraw", "asker", START, "w", "W", "open", attempted=True))
    assert withdrawn is not None
    follow(request, withdrawn)
    for step in data.draw(st.lists(steps().filter(lambda s: s.by == "asked" and s.verb != "withdraw-ack"))):
        mine, theirs = taken(request, step), taken(other, step)
        assert (mine is None) == (theirs is None), step
        if mine is not None and theirs is not None:
            follow(request, mine)
            follow(other, theirs)
    too_late = taken(request, Step("withdraw-ack", "asked", START, "a", "A", "w", {"effect": "too-late"}))
    assert too_late is not None
    assert too_late.state == other.state
