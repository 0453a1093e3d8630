"""From a request's row and its events to what the indicators count (docs/domain.md section 10).

Times are the gateway's own: when it stored or applied the message, never what somebody wrote into one. A step that
was skipped took place with the first word that came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.core.records import Event, Request
from gateway.core.requests.lifecycle import BEFORE

ANSWERS = ("receipt", "accept", "supplement-request", "refuse", "return", "objection", "progress", "result")
PARTY_DONE = ("refuse", "return")
ACKNOWLEDGES = ("acknowledge", "send-team", "identity-check", "handover", "false-hit")
FINAL = ("done", "none", "impossible")
ENDS_A_MEASURE = "end"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about a request that is late. urged_at: each urge that the partner was sent. answered: a person
    there has said something since the last one. supervised: number of the request to the superior (督办); escalated:
    the court's own leaders were told."""

    urged_at: tuple[datetime, ...] = ()
    answered: bool = False
    supervised: str | None = None
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of shape `ask`. partner: the other party; incoming: it is the one that asks us.

    created_at: when we took it. ended_at: when it was withdrawn, or its approval rejected. delivered_at: of an incoming
    one, when it stood in our court's feed. received_at: its first word of a person. decided_at, reason: when it
    accepted (reason None), refused or returned. first_result_at: the first result whatever its outcome. final_at,
    outcome: the refusal, return, or result that is no part. waiting_since: a result that was neither confirmed nor sent
    back. due: the day and hour by which it is owed, pauses included; None: nothing is owed by then (paused, withdrawn,
    or no deadline known). releases: it asks that a measure be ended. handler, lead: staff numbers.
    """

    request_no: str
    partner: str
    team: str | None = None
    incoming: bool = False
    created_at: datetime | None = None
    ended_at: datetime | None = None
    delivered_at: datetime | None = None
    received_at: datetime | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    reason: str | None = None
    first_result_at: datetime | None = None
    final_at: datetime | None = None
    outcome: str | None = None
    waiting_since: datetime | None = None
    due: datetime | None = None
    type: str | None = None
    campaign: str | None = None
    lead: str | None = None
    handler: str | None = None
    case_no: str | None = None
    releases: bool = False
    done: Done = Done()


@dataclass(frozen=True, slots=True)
class Alert:
    """One hit. acknowledged_at: the court's first word on it. lapsed_at: when nobody could act on it any more."""

    request_no: str
    partner: str
    team: str | None = None
    raised_at: datetime | None = None
    acknowledged_at: datetime | None = None
    lapsed_at: datetime | None = None
    type: str | None = None
    campaign: str | None = None
    lead: str | None = None
    handler: str | None = None
    case_no: str | None = None


def ask(request: Request, events: Iterable[Event], home: str, as_of: datetime) -> Ask:
    """events: those of `home`'s feed, in order. as_of: what waits is what waited then."""
    said = list(events)
    incoming = request.asked == home
    first = _first(said, ANSWERS)
    decided = _first(said, ("accept", *PARTY_DONE, "progress", "result"))
    refused = _first(said, PARTY_DONE)
    withdrawn = next((event.at for event in said if event.state == "withdrawn"), None)
    ended = next((event.at for event in said if event.state in ("withdrawn", "rejected")), None)
    final = _final(said)
    due = due_of(request, answered=final is not None)
    return Ask(
        request_no=request.request_no,
        partner=request.asker if incoming else request.asked,
        incoming=incoming,
        created_at=request.created_at,
        ended_at=ended,
        delivered_at=_reached_us(said) if incoming else _at(_first(said, ("delivered", *ANSWERS))),
        received_at=_at(first),
        decided_at=_at(decided),
        decision=_decision(decided),
        reason=(decided.head or {}).get("reason_code") if decided is not None and decided is refused else None,
        first_result_at=_at(_first(said, ("result",))),
        final_at=_at(final),
        outcome=None if final is None else final.verb if final.verb in PARTY_DONE else (final.head or {})["outcome"],
        waiting_since=_waiting([event for event in said if event.at < as_of]),
        due=due if withdrawn is None or (due is not None and withdrawn >= due) else None,
        releases=request.facts.get("measure") == ENDS_A_MEASURE,
        done=_done(said),
        **whose(request, home),
    )


def alert(request: Request, events: Iterable[Event], home: str) -> Alert:
    said = list(events)
    return Alert(
        request_no=request.request_no,
        partner=request.asker if request.asked == home else request.asked,
        raised_at=request.created_at,
        acknowledged_at=_at(_first(said, ACKNOWLEDGES)),
        lapsed_at=next((event.at for event in said if event.state == "lapsed"), None),
        **whose(request, home),
    )


def whose(request: Request, home: str) -> dict[str, Any]:
    """What a request is counted under. handler: of the court; whoever asks from outside names its own people."""
    return {
        "type": request.type,
        "team": _fact(request, "team"),
        "campaign": _fact(request, "campaign"),
        "lead": _fact(request, "lead"),
        "handler": request.handler if request.asker == home else None,
        "case_no": request.case_of(home),
    }


def team_of(request: Request) -> str | None:
    """办案团队, as it stood in the submission."""
    return _fact(request, "team")


def _fact(request: Request, name: str) -> str | None:
    """What the submission said; a name of blanks names nobody."""
    found = request.facts.get(name)
    return found if isinstance(found, str) and found.strip() else None


def due_of(request: Request, *, answered: bool) -> datetime | None:
    """The deadline in the request's facts, as it stands after every pause; None while the clock stands, for then it is
    not known yet. answered: it stands because the answer is there."""
    due = request.facts.get("due")
    if not isinstance(due, dict) or ("paused" in due and not answered):
        return None
    return datetime.fromisoformat(due["at"])


def _reached_us(said: Sequence[Event]) -> datetime | None:
    """When it stood in our court's feed: its asker's own approval comes before that."""
    return next((event.at for event in said if event.state is not None and event.state not in BEFORE), None)


def _done(said: Sequence[Event]) -> Done:
    urged = tuple(event.at for event in said if event.verb == "urge")
    return Done(
        urged_at=urged,
        answered=bool(urged) and any(event.verb in ANSWERS and event.at > urged[-1] for event in said),
        supervised=next((event.detail for event in reversed(said) if event.kind == "supervised"), None),
        escalated=any(event.kind == "escalate" for event in said),
    )


def _decision(event: Event | None) -> str | None:
    if event is None:
        return None
    return {"refuse": "refused", "return": "returned"}.get(event.verb or "", "accepted")


def _final(said: Sequence[Event]) -> Event | None:
    """The last answer that stood: one that was sent back is none."""
    final: Event | None = None
    for event in said:
        if event.verb in PARTY_DONE or (event.verb == "result" and (event.head or {}).get("outcome") in FINAL):
            final = final or event
        elif event.verb == "reopen":
            final = None
    return final


def _waiting(said: Sequence[Event]) -> datetime | None:
    waiting: datetime | None = None
    for event in said:
        if event.verb == "result":
            waiting = event.at
        elif event.verb in ("confirm", "reopen") or event.state == "withdrawn":
            waiting = None
    return waiting


def _first(said: Sequence[Event], verbs: Sequence[str]) -> Event | None:
    return next((event for event in said if event.verb in verbs), None)


def _at(event: Event | None) -> datetime | None:
    return event.at if event is not None else None
