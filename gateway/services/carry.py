"""Carries out a decision of the state machine: the one place where a request's row is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.core import measures
from gateway.core.lifecycle import Decision
from gateway.core.records import Changes, Measure, Message, Request, Timer
from gateway.services.booking import book_state
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.ports import Transaction
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


async def settle_measures(
    context: Context, tx: Transaction, request: Request, said: Mapping[str, Any], changes: Changes, now: datetime
) -> None:
    """What an answer makes of the measures that this request opens, renews or ends (facts `measure`). said: its
    canonical data."""
    effect = request.facts.get("measure")
    if effect is None:
        return
    own = await _measures_of(tx, request.request_no, changes)
    for measure in measures.settled(own, request.state, said):
        if await _place_taken(tx, measure):
            detail = f"measure-conflict:{measure.measure_no}"
            changes.events += request_events(context, request, "incident", now, detail=detail)
        else:
            changes.measures.append(measure)
    items = measures.items_done(said)
    for number in request.facts.get("targets", ()) if items else ():
        found = [m for m in await _measures_of(tx, number.rsplit("-", 1)[0], changes) if m.measure_no == number]
        if effect == "end":
            changes.measures += measures.ended(found, request.request_no, items)
        elif effect == "renew":
            changes.measures += measures.renewed(found, items)


async def _measures_of(tx: Transaction, request_no: str, changes: Changes) -> list[Measure]:
    """As they stand after what this unit has decided already."""
    decided = {m.measure_no: m for m in changes.measures}
    return [decided.get(m.measure_no, m) for m in await tx.measures_of(request_no)]


async def _place_taken(tx: Transaction, measure: Measure) -> bool:
    """Done after all, but meanwhile another request has a measure on the same object open: somebody must look."""
    if measure.state == "ended":
        return False
    there = await tx.open_measures([(measure.object_key, measure.action, measure.case_no)])
    return any(other.measure_no != measure.measure_no for other in there)
