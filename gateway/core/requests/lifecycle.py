"""The state machine of requests: one table, one pure function.

A request lives in one of three shapes (docs/domain.md section 3). `TABLE` says which verb, sent by whom, moves
which states where; `decide` applies it and returns the new state and the effects as values. Nothing here knows
the store, the broker or the clock on the wall. `docs/states.md` is drawn from `TABLE` and a test compares them.

Three things that a table alone does not say, in the order in which `decide` looks at them:
1. While a withdrawal is unanswered (`withdrawing`), what the asked side says moves the state that the request
   would come back to (`resume`), not the state itself.
2. A second answer to the same question contradicts the first, unless it says the same (`_contradicts`).
3. Where the next state depends on what was said (an outcome, an effect, a failed check), the table names a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from gateway.core.records import Request
from gateway.core.requests.facts import Facts
from lianzhi.errors import RejectedError
from lianzhi.protocol.ordering import marked

By = Literal["asker", "asked", "gateway"]

SAME = "="
BY_OUTCOME = "by outcome"
BY_EFFECT = "by effect"
BY_CHECK = "by check"


@dataclass(frozen=True, slots=True)
class Row:
    """In `states`, `verb` said by `by` leads to `to` (a state, SAME, or a rule named BY_…)."""

    shape: str
    states: tuple[str, ...]
    verb: str
    by: By
    to: str


BEFORE = ("awaiting-approval", "approved", "blocked")
IN_FLIGHT = ("approved", "dispatched", "undeliverable")
REACHED = (*IN_FLIGHT, "delivered", "received")
WORKING = ("accepted", "in-progress")
ANSWERED = ("partial", "completed", "impossible")
ALERT_FLIGHT = ("approved", "raised", "undeliverable")
ALERT_OPEN = (*ALERT_FLIGHT, "delivered", "acknowledged", "team-sent", "identity-checked")
NOTICE_FLIGHT = ("approved", "sent", "undeliverable")

TERMINAL: Mapping[str, frozenset[str]] = {
    "ask": frozenset({"refused", "returned", "rejected", "withdrawn", "closed"}),
    "alert": frozenset({"handed-over", "false-hit", "withdrawn", "lapsed"}),
    "notice": frozenset({"withdrawn", "rejected"}),
}
FIRST: Mapping[str, str] = {"ask": "dispatched", "alert": "raised", "notice": "sent"}


def _rows(shape: str, *rows: tuple[tuple[str, ...], str, By, str]) -> tuple[Row, ...]:
    return tuple(Row(shape, *row) for row in rows)


TABLE: tuple[Row, ...] = (
    *_rows(
        "ask",
        (("awaiting-approval",), "approve", "gateway", "approved"),
        (("awaiting-approval",), "reject", "gateway", "rejected"),
        (("approved",), "dispatched", "gateway", "dispatched"),
        (("undeliverable",), "dispatched", "gateway", "dispatched"),
        (("approved", "dispatched"), "undeliverable", "gateway", "undeliverable"),
        (("blocked",), "mended", "gateway", "approved"),
        (IN_FLIGHT, "delivered", "asked", "delivered"),
        (("delivered", "received", *WORKING, "supplement-wanted", *ANSWERED), "delivered", "asked", SAME),
        ((*IN_FLIGHT, "delivered"), "receipt", "asked", "received"),
        (("received", *WORKING, "supplement-wanted", *ANSWERED), "receipt", "asked", SAME),
        (REACHED, "accept", "asked", "accepted"),
        (REACHED, "supplement-request", "asked", "supplement-wanted"),
        ((*REACHED, "supplement-wanted"), "refuse", "asked", "refused"),
        ((*REACHED, "supplement-wanted"), "return", "asked", "returned"),
        (("supplement-wanted",), "supplement", "asker", "received"),
        ((*REACHED, *WORKING), "progress", "asked", "in-progress"),
        ((*REACHED, "supplement-wanted", *WORKING, "partial"), "result", "asked", BY_OUTCOME),
        (("delivered", "received", *WORKING, "supplement-wanted"), "objection", "asked", SAME),
        (
            ("delivered", "received", *WORKING, "supplement-wanted", *ANSWERED),
            "objection-answer",
            "asker",
            SAME,
        ),
        ((*ANSWERED, "closed"), "correct", "asked", SAME),
        (ANSWERED, "confirm", "asker", "closed"),
        (ANSWERED, "reopen", "asker", "in-progress"),
        (("dispatched", "delivered", "received", *WORKING, "partial"), "urge", "asker", SAME),
        ((*ANSWERED, "closed", "refused", "returned"), "evaluate", "asker", SAME),
        ((*REACHED, *WORKING, *ANSWERED, "closed", "refused", "returned"), "complain", "asker", SAME),
        (BEFORE, "withdraw", "asker", "withdrawn"),
        (
            (
                "dispatched",
                "undeliverable",
                "delivered",
                "received",
                *WORKING,
                "supplement-wanted",
                *ANSWERED,
            ),
            "withdraw",
            "asker",
            "withdrawing",
        ),
        (("withdrawing",), "withdraw-ack", "asked", BY_EFFECT),
    ),
    *_rows(
        "alert",
        (("approved", "undeliverable"), "dispatched", "gateway", "raised"),
        (("approved", "raised"), "undeliverable", "gateway", "undeliverable"),
        (("blocked",), "mended", "gateway", "approved"),
        (ALERT_FLIGHT, "delivered", "asked", "delivered"),
        (("delivered", "acknowledged", "team-sent", "identity-checked"), "delivered", "asked", SAME),
        (ALERT_OPEN, "receipt", "asked", SAME),
        ((*ALERT_FLIGHT, "delivered"), "acknowledge", "asked", "acknowledged"),
        ((*ALERT_FLIGHT, "delivered", "acknowledged"), "send-team", "asked", "team-sent"),
        (("acknowledged", "team-sent"), "identity-check", "asked", BY_CHECK),
        (("identity-checked",), "handover", "asked", "handed-over"),
        (ALERT_OPEN, "false-hit", "asked", "false-hit"),
        (ALERT_OPEN, "lapse", "gateway", "lapsed"),
        (("approved", "blocked"), "withdraw", "asker", "withdrawn"),
        (("raised", "undeliverable", *ALERT_OPEN[3:]), "withdraw", "asker", "withdrawing"),
        (("withdrawing",), "withdraw-ack", "asked", BY_EFFECT),
    ),
    *_rows(
        "notice",
        (("awaiting-approval",), "approve", "gateway", "approved"),
        (("awaiting-approval",), "reject", "gateway", "rejected"),
        (("approved", "undeliverable"), "dispatched", "gateway", "sent"),
        (("approved", "sent"), "undeliverable", "gateway", "undeliverable"),
        (("blocked",), "mended", "gateway", "approved"),
        (NOTICE_FLIGHT, "delivered", "asked", "delivered"),
        (("delivered", "read"), "delivered", "asked", SAME),
        ((*NOTICE_FLIGHT, "delivered", "read"), "receipt", "asked", SAME),
        ((*NOTICE_FLIGHT, "delivered"), "read", "asked", "read"),
        (BEFORE, "withdraw", "asker", "withdrawn"),
        (("sent", "undeliverable", "delivered", "read"), "withdraw", "asker", "withdrawing"),
        (("withdrawing",), "withdraw-ack", "asked", BY_EFFECT),
    ),
)

_BY_KEY: Mapping[tuple[str, str, str, str], Row] = {
    (row.shape, state, row.verb, row.by): row for row in TABLE for state in row.states
}
_WHO: Mapping[tuple[str, str], By] = {(row.shape, row.verb): row.by for row in TABLE if row.by != "gateway"}
STATES: Mapping[str, frozenset[str]] = {
    shape: frozenset(
        [s for r in TABLE if r.shape == shape for s in r.states]
        + [r.to for r in TABLE if r.shape == shape and r.to != SAME and not r.to.startswith("by ")]
    )
    | TERMINAL[shape]
    for shape in FIRST
}

OUTCOMES = {"done": "completed", "none": "completed", "partial": "partial", "impossible": "impossible"}
_ONCE = {"delivered": "stored_at", "receipt": "received_at"}
_STEPS = {
    "ask": ("dispatched", "delivered", "received", "accepted"),
    "alert": ("raised", "delivered", "acknowledged", "team-sent"),
    "notice": ("sent", "delivered"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to a request.

    verb: of `lianzhi.protocol.verbs.VERBS`, or a move of the gateway's own (`dispatched`, `undeliverable`, `mended`,
    `lapse`). origin: id of the message that it answers. data: canonical data (empty where the body is sealed to
    somebody else). attempted: whether the `open` may already be on its way; matters to `withdraw` alone.
    """

    verb: str
    by: By
    at: datetime
    message_id: str | None = None
    digest: str | None = None
    origin: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    attempted: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state and what else has to happen.

    marks, facts: replace the request's. watch: message verbs whose `delivered` or ack is now awaited; unwatch:
    no longer. answer: a verb with data that the gateway owes at once. cancel: what was never attempted is not
    sent any more. notes: (event kind, detail) beside the event of the message itself.
    """

    state: str
    marks: dict[str, list[str]]
    facts: Facts
    implied: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    unwatch: tuple[str, ...] = ()
    cancel: bool = False
    notes: tuple[tuple[str, str], ...] = ()


def decide(request: Request, step: Step) -> Decision:
    """What `step` does to `request`. Raises RejectedError: not-allowed (the wrong side says it), not-now (not in
    this state), contradicts (a second, other answer)."""
    shape, state = request.shape, request.state
    who = _WHO.get((shape, step.verb))
    if who is not None and step.by != who:
        raise RejectedError("not-allowed", pointer="/type")
    facts = request.facts.copy()
    resumed = state == "withdrawing" and step.by == "asked" and step.verb != "withdraw-ack"
    before = facts.get("resume", state) if resumed else state
    row = _BY_KEY.get((shape, before, step.verb, step.by))
    if row is None and step.verb in ("dispatched", "undeliverable"):
        return Decision(state, request.marks, facts)
    _contradicts(before, step, facts)
    if row is None:
        raise RejectedError("not-now", pointer="/type")
    after, cancel = before, False
    notes: tuple[tuple[str, str], ...] = ()
    if row.to == BY_OUTCOME:
        after = OUTCOMES[step.data["outcome"]]
    elif row.to == BY_EFFECT:
        after, notes = _withdrawn(step, facts)
    elif row.to == BY_CHECK:
        after = (
            "identity-checked"
            if all(ok for name, ok in step.data.items() if name.endswith("_ok") and ok is not None)
            else before
        )
    elif step.verb == "withdraw":
        after, cancel = _withdraw(row, before, step, facts)
    elif row.to != SAME:
        after = row.to
    implied = _skipped(shape, before, after) if step.by == "asked" else ()
    if resumed:
        facts["resume"], after = after, state
    marks = request.marks
    if step.message_id is not None and step.digest is not None:
        marks = marked(marks, step.verb, [step.message_id, step.digest])
    watch, unwatch = _watching(step, cancel)
    return Decision(after, marks, facts, implied, watch, unwatch, cancel, notes)


def _contradicts(state: str, step: Step, facts: Facts) -> None:
    if step.verb == "result" and state in ("completed", "impossible", "closed"):
        raise RejectedError("contradicts", pointer="/type")
    member = _ONCE.get(step.verb)
    if member is None:
        return
    said = dict(facts.get("said", {}))
    key = f"{step.verb}:{step.origin}"
    if key in said and said[key] != step.data[member] and "again" not in facts:
        raise RejectedError("contradicts", pointer=f"/{member}")
    said[key] = step.data[member]
    facts["said"] = said


def _withdraw(row: Row, state: str, step: Step, facts: Facts) -> tuple[str, bool]:
    """Before dispatch the request is withdrawn at once and never sent; a row that a dispatcher may already have
    in hand counts as sent."""
    if row.to == "withdrawn" and not (state == "approved" and step.attempted):
        return "withdrawn", True
    facts["resume"] = state
    return "withdrawing", False


def _withdrawn(step: Step, facts: Facts) -> tuple[str, tuple[tuple[str, str], ...]]:
    if step.data["effect"] == "not-started" and facts["resume"] in ANSWERED:
        raise RejectedError("contradicts", pointer="/effect")
    if step.data["effect"] == "too-late":
        facts["too_late"] = True
        return facts.pop("resume"), (("too-late", "withdraw"),)
    facts.pop("resume", None)
    return "withdrawn", ()


def _skipped(shape: str, before: str, after: str) -> tuple[str, ...]:
    """Steps that the asked side jumped over: recorded as implied, never as its word."""
    steps = _STEPS[shape]
    if before == after or after in ("refused", "returned", "false-hit", "withdrawn"):
        return ()
    start = (
        steps.index(before) + 1 if before in steps else (0 if before in ("approved", "undeliverable") else len(steps))
    )
    stop = steps.index(after) if after in steps else len(steps)
    return steps[start:stop]


def _watching(step: Step, cancel: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if step.verb == "dispatched":
        return ("open",), ()
    if step.by == "asker" and step.verb in ("supplement", "withdraw") and not cancel:
        return (step.verb,), ()
    if step.verb == "withdraw-ack":
        return (), ("open", "supplement", "withdraw")
    if step.by == "asked":
        return (), ("open", "supplement")
    return (), ()


def is_done(request: Request) -> bool:
    """Whether nothing more is owed by either side."""
    return request.state in TERMINAL[request.shape] or (request.shape == "notice" and request.state == "read")
