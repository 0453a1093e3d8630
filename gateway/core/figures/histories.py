"""From a request's row and its events to what the indicators count (docs/domain.md section 10).

Times are the gateway's own: when it stored or applied the message, never what somebody wrote into one. A step that
was skipped took place with the first word that came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.core.records import Event, Request

ANSWERS = ("receipt", "accept", "supplement-request", "refuse", "return", "objection", "progress", "result")
PARTY_DONE = ("refuse", "return")
ACKNOWLEDGES = ("acknowledge", "send-team", "identity-check", "handover", "false-hit")
FINAL = ("done", "none", "impossible")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of shape `ask`. partner: the other party; incoming: it is the one that asks us.

    created_at: when we took it. ended_at: when it was withdrawn, or its approval rejected. received_at: its first word
    of a person. decided_at, reason: when it accepted (reason None), refused or returned.
    first_result_at: the first result whatever its outcome. final_at: the refusal, return, or result that is no part.
    waiting_since: a result that was neither confirmed nor sent back. due: the day and hour by which it is owed,
    pauses included; None: nothing is owed by then (paused, withdrawn, or no deadline known).
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
    waiting_since: datetime | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One hit. acknowledged_at: the court's first word on it."""

    request_no: str
    partner: str
    team: str | None = None
    raised_at: datetime | None = None
    acknowledged_at: datetime | None = None


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
        team=team_of(request),
        incoming=incoming,
        created_at=request.created_at,
        ended_at=ended,
        delivered_at=_at(_first(said, ("delivered", *ANSWERS))),
        received_at=_at(first),
        decided_at=_at(decided),
        decision=_decision(decided),
        reason=(decided.head or {}).get("reason_code") if decided is not None and decided is refused else None,
        first_result_at=_at(_first(said, ("result",))),
        final_at=final,
        waiting_since=_waiting([event for event in said if event.at < as_of]),
        due=due if withdrawn is None or (due is not None and withdrawn >= due) else None,
    )


def alert(request: Request, events: Iterable[Event], home: str) -> Alert:
    return Alert(
        request_no=request.request_no,
        partner=request.asker if request.asked == home else request.asked,
        team=team_of(request),
        raised_at=request.created_at,
        acknowledged_at=_at(_first(list(events), ACKNOWLEDGES)),
    )


def team_of(request: Request) -> str | None:
    """办案团队, as it stood in the submission."""
    team = request.facts.get("team")
    return team if isinstance(team, str) else None


def due_of(request: Request, *, answered: bool) -> datetime | None:
    """The deadline in the request's facts, as it stands after every pause; None while the clock stands, for then it is
    not known yet. answered: it stands because the answer is there."""
    due = request.facts.get("due")
    if not isinstance(due, dict) or ("paused" in due and not answered):
        return None
    return datetime.fromisoformat(due["at"])


def _decision(event: Event | None) -> str | None:
    if event is None:
        return None
    return {"refuse": "refused", "return": "returned"}.get(event.verb or "", "accepted")


def _final(said: Sequence[Event]) -> datetime | None:
    """The last answer that stood: one that was sent back is none."""
    final: datetime | None = None
    for event in said:
        if event.verb in PARTY_DONE or (event.verb == "result" and (event.head or {}).get("outcome") in FINAL):
            final = final or event.at
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
