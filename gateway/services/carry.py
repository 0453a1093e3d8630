"""Carries out a decision of the state machine: the one place where a request's row is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.core.lifecycle import Decision
from gateway.core.records import Changes, Message, Request, Timer
from gateway.services.booking import book_state
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.timekeeping import keep_time, running

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
