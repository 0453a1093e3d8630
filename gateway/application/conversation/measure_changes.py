"""A measure changes: its row, its history, its timers and its events are written together, and nowhere else.

An event of a measure stands in the timeline of the request that opened it, whichever request, alert or clock changed
it. Kinds: `measure` (it moved), `measure-ending` (a reminder), `measure-ahead-ended` (one that waits in line may have
moved up: only its partner can tell), `measure-anew` (registered after a lapse: others may have come first), and
`incident` (it lapsed, with the cause).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.unit_of_work import UnitOfWork
from gateway.core import expiry, seizures
from gateway.core.measure_moves import LIVE, is_live, moved
from gateway.core.records import Changes, Event, Measure, MeasureStep, Timer


async def change_measure(
    unit: UnitOfWork, before: Measure, after: Measure, *, by: str, cause: str | None = None
) -> None:
    """by: the request whose message changed it, or its own when the clock did."""
    context, changes, now = unit.context, unit.changes, unit.now
    changes.measures.append(after)
    changes.measure_steps.append(MeasureStep(after.measure_no, now, after.state, after.end_on, by, cause))
    settings = context.settings
    expiry.reschedule(before, after, changes, now, days=settings.measure_reminders, hour=settings.measure_remind_hour)
    changes.events += measure_events(context, after, "measure", now, end_on=after.end_on, cause=cause)
    if is_live(before) and not is_live(after):
        for waiting in seizures.behind(after, current(changes, await unit.tx.measures_on([after.object_key]))):
            changes.events += measure_events(context, waiting, "measure-ahead-ended", now, ahead=after.measure_no)


def begin_measure(unit: UnitOfWork, measure: Measure) -> None:
    """One that its partner registered without being asked for just this: a renewal that came too late."""
    changes, now, settings = unit.changes, unit.now, unit.context.settings
    note_requested(changes, [measure], now)
    expiry.reschedule(None, measure, changes, now, days=settings.measure_reminders, hour=settings.measure_remind_hour)
    changes.events += measure_events(unit.context, measure, "measure", now, end_on=measure.end_on)


def note_requested(changes: Changes, measures: Iterable[Measure], now: datetime) -> None:
    """Measures that a request of ours asks for."""
    for measure in measures:
        changes.new_measures.append(measure)
        changes.measure_steps.append(
            MeasureStep(measure.measure_no, now, measure.state, measure.end_on, measure.request_no)
        )


def current(changes: Changes, measures: Iterable[Measure]) -> list[Measure]:
    """As they stand after what this unit has decided already."""
    decided = {m.measure_no: m for m in changes.measures}
    return [decided.get(m.measure_no, m) for m in measures]


async def the_measure(unit: UnitOfWork, measure_no: str) -> Measure | None:
    """The one with that number, locked."""
    found = current(unit.changes, await unit.tx.measures_of(measure_no.rsplit("-", 1)[0]))
    return next((m for m in found if m.measure_no == measure_no), None)


async def due_measure(unit: UnitOfWork, timer: Timer) -> None:
    """A reminder, or the end of a measure that nobody renewed."""
    context, changes, now = unit.context, unit.changes, unit.now
    measure_no, days = expiry.timer_of(timer)
    measure = await the_measure(unit, measure_no)
    if measure is None or measure.end_on is None or measure.state not in LIVE:
        return
    if days != expiry.LAPSE:
        changes.events += measure_events(context, measure, "measure-ending", now, days=days, end_on=measure.end_on)
        return
    after = moved(measure, "over" if measure.action in expiry.ENDS_BY_ITSELF else "lapsed")
    if after is None:
        return
    if after.state == "ended":
        ended = replace(after, ended_by="handed-over" if measure.state == "handed-over" else "term-over")
        await change_measure(unit, measure, ended, by=measure.request_no)
        return
    cause = expiry.lapse_cause(measure, await unit.tx.requests_of_case(measure.opener, measure.case_no))
    await change_measure(unit, measure, after, by=measure.request_no, cause=cause)
    detail = f"measure-lapsed:{measure_no}:{cause}"
    changes.events += measure_events(context, after, "incident", now, detail=detail, end_on=after.end_on, cause=cause)


def measure_events(
    context: Context, measure: Measure, kind: str, now: datetime, *, detail: str | None = None, **head: Any
) -> list[Event]:
    """One for each of its parties that uses the API; the case number for the opener and the home court alone."""
    opener = measure.request_no.rsplit("-", 2)[0]
    found = [context.directory.get(code) for code in (opener, measure.asked)]
    codes = {name: value for name, value in head.items() if value is not None}
    return [
        Event(
            at=now,
            audience=party.code,
            kind=kind,
            request_no=measure.request_no,
            case_no=measure.case_no or None if party.code in (opener, context.home.code) else None,
            type=measure.type,
            head={"measure_no": measure.measure_no, "state": measure.state, **codes},
            detail=detail or f"{measure.measure_no}:{measure.state}",
        )
        for party in found
        if party is not None and party.local
    ]
