"""Carries out a decision of the state machine: the one place where a request's row is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.ledger_entries import book_state
from gateway.application.events import request_events
from gateway.application.timers import keep_time, running
from gateway.core.lifecycle import Decision
from gateway.core.records import Changes, Message, Request, Timer

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
    was = running(context, request)
    if request.state == UNDELIVERABLE != decision.state:
        request.reason = None  # why it could not be delivered: it has been now, or nobody wants it any more
    request.state = decision.state
    request.marks = decision.marks
    request.facts = decision.facts
    request.updated_at = now
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
