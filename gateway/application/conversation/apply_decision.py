"""Carries out a decision of the state machine: the one place where a request's row and its clocks are changed.

`carry_out` does it for every decision, and keeps the clocks (`core.time.clocks`) in step; whoever opens a request calls
`set_deadline` and `start_clocks` once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.ledger_entries import book_state
from gateway.application.unit_of_work import request_events
from gateway.core.records import Changes, Message, Request, Timer
from gateway.core.requests.lifecycle import Decision
from gateway.core.time import clocks
from gateway.core.time.clocks import Basis, opened
from gateway.core.time.deadlines import day_of, due
from schemas.catalogue import Deadline
from schemas.law.answer_terms import own_term

UNDELIVERABLE = "undeliverable"

WATCH = "redeliver:"
MENDING = "mend"
GAP = "gap:"


def carry_out(
    context: Context,
    request: Request,
    decision: Decision,
    changes: Changes,
    now: datetime,
    *,
    message: Message | None = None,
    head: Mapping[str, Any] | None = None,
) -> None:
    """State, marks, facts, timers and events of one decision, into `changes`. The request's row itself is put
    into `changes.requests` by the caller, once for all decisions of the unit."""
    was, before = running(context, request), request.state
    if request.state == UNDELIVERABLE != decision.state:
        request.reason = None  # why it could not be delivered: it has been now, or nobody wants it any more
    request.state = decision.state
    request.marks = decision.marks
    request.facts = decision.facts
    request.updated_at = now
    context.tallies.moved(request, before, context.home.code, now)
    _watch(context, request, decision, changes, now)
    keep_time(context, request, was, message.verb if message else None, changes, now)
    if decision.cancel:
        changes.outbox_cancel.append(request.request_no)
    book_state(context, request, changes, now, sent=message is None)
    kind = "message" if message is not None else "state"
    changes.events += request_events(context, request, kind, now, message=message, head=head)
    for step in decision.implied:
        changes.events += request_events(context, request, "implied", now, detail=step)
    for note, detail in decision.notes:
        changes.events += request_events(context, request, note, now, detail=detail)


def _watch(context: Context, request: Request, decision: Decision, changes: Changes, now: datetime) -> None:
    if context.participant(request.asked).local:
        return
    watching: list[str] = list(request.facts.get("watching", ()))
    for verb in decision.watch:
        changes.set_timer(Timer(request.request_no, WATCH + verb, now + context.settings.redeliver_after))
    for verb in decision.unwatch:
        if verb in watching and verb not in decision.watch:
            changes.clear_timer(request.request_no, WATCH + verb)
    left = [v for v in watching if v not in decision.unwatch and v not in decision.watch] + list(decision.watch)
    if left != watching:
        request.facts["watching"] = left
    answered = [verb for verb in request.facts.get("unanswered", ()) if verb in decision.unwatch]
    if answered:
        _answered_late(context, request, answered, changes, now)


def _answered_late(context: Context, request: Request, answered: list[str], changes: Changes, now: datetime) -> None:
    """It may have said more at the time, and that was lost with its first answer: after the same patience it hears
    which number we take next. One that has said nothing more has nothing to send."""
    left = [verb for verb in request.facts["unanswered"] if verb not in answered]
    request.facts = {**request.facts, "unanswered": left}
    if not left:
        del request.facts["unanswered"]
    ask_for_the_rest(request, "asked", changes, now + context.settings.redeliver_after)


def ask_for_the_rest(request: Request, side: str, changes: Changes, due: datetime) -> None:
    """From `due` on that side hears which number we take next, unless it hears so anyway because something waits."""
    if not request.held:
        changes.set_timer(Timer(request.request_no, GAP + side, due, 1))


# --- the clocks of a request


def basis_of(context: Context, request: Request) -> Basis:
    """What the terms of this request are counted on, now."""
    asked = context.participant(request.asked)
    pauses = context.catalogue[request.type].objection_pauses
    return Basis(context.settings.terms, context.calendars.now, asked.duty, asked.local, pauses)


def set_deadline(context: Context, request: Request, payload: Any, urgency: str, now: datetime) -> None:
    """The deadline of a request that is opened now, into its facts; and how long what was hit is held.

    payload: the validated model.
    """
    matter = context.catalogue[request.type]
    if (asked_on := matter.asked_on(payload)) is not None:
        request.facts["asked_on"] = asked_on
    begin_term(context, request, matter.asks_by(payload), urgency, now)
    hold_until = matter.hold_until(payload)
    if hold_until is not None:
        request.facts["hold_until"] = hold_until


def begin_term(context: Context, request: Request, stated: Deadline | None, urgency: str, now: datetime) -> None:
    """The deadline alone. stated: by the request itself; None: the court's own rule counts, else the catalogue's."""
    request.facts.pop("term", None)
    basis, deadline = basis_of(context, request), stated or context.catalogue[request.type].deadline
    own = own_term(request.type, day_of(now)) if stated is None else None
    if own is not None:
        deadline = own.deadline
        request.facts["term"] = {
            "kind": deadline.kind.value,
            "amount": deadline.amount,
            "source": own.source,
            "on": due(deadline, now, basis.calendar).on.isoformat(),
        }
    request.facts["due"] = opened(deadline, urgency, basis, now)


def start_clocks(context: Context, request: Request, changes: Changes, now: datetime) -> None:
    """Those that run in the state in which a request begins."""
    keep_time(context, request, {}, None, changes, now)


def running(context: Context, request: Request) -> dict[str, str]:
    """Which clocks run; taken before a decision, given to `keep_time` after it."""
    return clocks.running(request, basis_of(context, request))


def keep_time(
    context: Context, request: Request, was: Mapping[str, str], verb: str | None, changes: Changes, now: datetime
) -> None:
    """Sets and clears timers after `verb` brought `request` to where it is now. The row is the caller's to write."""
    change = clocks.change(request, was, verb, basis_of(context, request), now)
    for kind in change.clear:
        changes.clear_timer(request.request_no, kind)
    for timer in change.set:
        changes.set_timer(timer)
