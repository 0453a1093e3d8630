"""Keeps the clocks of a request (`core.clocks`) in step with what happens to it: the one place that sets and clears
them. `apply_decision.carry_out` calls it for every decision, whoever opens a request calls it once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.core import clocks
from gateway.core.deadlines import day_of, due
from gateway.core.main_clock import Basis, opened
from gateway.core.records import Changes, Request
from schemas.catalogue import Deadline
from schemas.law.answer_terms import own_term


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
