"""What a message or a clock does to measures: it opens, renews or ends them.

A measure changes by `change_measure` and `begin_measure` alone: its row, its history, its timers and its events are
written together. An event of a measure stands in the timeline of the request that opened it, whichever request, alert
or clock changed it. Kinds: `measure` (it moved), `measure-ending` (a reminder), `measure-ahead-ended` (one that waits
in line may have moved up: only its partner can tell), `measure-anew` (registered after a lapse: others may have come
first), and `incident` (it lapsed, with the cause).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.unit_of_work import UnitOfWork, own_events
from gateway.core.control import expiry, measures, seizures
from gateway.core.control.moves import LIVE, OPEN_STATES, is_live, moved
from gateway.core.control.renewals import renewals
from gateway.core.records import Changes, Event, Measure, MeasureStep, Request, Timer


async def settle_measures(unit: UnitOfWork, request: Request, said: Mapping[str, Any]) -> None:
    """What an answer makes of the measures that this request opens, renews or ends (facts `measure`). said: its
    canonical data."""
    effect = request.facts.get("measure")
    if effect is None:
        return
    settling = _Settling(unit, request)
    own = current(unit.changes, await unit.tx.measures_of(request.request_no))
    for measure in measures.settled(own, request.state, said):
        before = next(m for m in own if m.measure_no == measure.measure_no)
        await settling.change(before, measure)
    items = measures.items_done(said)
    if not items:
        return
    found = [await the_measure(unit, number) for number in request.facts.get("targets", ())]
    targets = [measure for measure in found if measure is not None]
    if effect == "end":
        for measure in targets:
            for after in measures.ended([measure], request.request_no, items):
                await settling.change(measure, after)
    elif effect == "renew":
        await settling.renew(targets, said, again=bool(own))
    await settling.publish(items)


class _Settling:
    """One answer to `request`."""

    def __init__(self, unit: UnitOfWork, request: Request) -> None:
        self._unit, self._request = unit, request

    async def change(self, before: Measure, after: Measure) -> None:
        if before.state not in OPEN_STATES and after.state in OPEN_STATES and await self._place_taken(after):
            return
        await change_measure(self._unit, before, after, by=self._request.request_no)

    async def renew(self, targets: list[Measure], said: Mapping[str, Any], *, again: bool) -> None:
        """again: an earlier answer has opened new measures already; they are settled as any that a request opens."""
        unit = self._unit
        found = renewals(targets, self._request, said, unit.now)
        for before, after in (*found.continued, *found.lapsed):
            await self.change(before, after)
        for number in found.gaps:
            self._incident(f"renewal-gap:{number}")
        for old, new in () if again else found.anew:
            if await self._place_taken(new):
                continue
            begin_measure(unit, new)
            others = seizures.elsewhere(new, await unit.tx.measures_on([new.object_key]))
            unit.changes.events += measure_events(
                unit.context, new, "measure-anew", unit.now, detail=f"others-may-be-first:{old.measure_no}",
                after=old.measure_no, lapsed_on=old.end_on, start_on=new.start_on, rank=new.rank, others=len(others),
            )  # fmt: skip

    async def publish(self, items: list[Mapping[str, Any]]) -> None:
        """Of shares: the first that was published is the first, and the company is told (法释〔2021〕20号 6)."""
        unit = self._unit
        refs = {item["ref"]: item for item in items if item.get("published_at")}
        for measure in [m for m in unit.changes.measures if m.ref in refs and self._is_own(m)]:
            on_share = current(unit.changes, await unit.tx.measures_on([measure.object_key]))
            for after in seizures.ranked(m for m in on_share if m.action == measure.action):
                locked = await the_measure(unit, after.measure_no)  # may be another case's
                if locked is not None:
                    await self.change(locked, replace(locked, rank=after.rank))
            if refs[measure.ref].get("company_told_on") is None:
                unit.changes.events += own_events(
                    unit.context, self._request, "company-to-be-told", unit.now, head={"measure_no": measure.measure_no}
                )

    def _is_own(self, measure: Measure) -> bool:
        return measure.request_no == self._request.request_no

    async def _place_taken(self, after: Measure) -> bool:
        """Done after all, but meanwhile another request has a measure on the same object open: somebody must look."""
        keys = [(after.object_key, after.action, after.case_no)]
        there = current(self._unit.changes, await self._unit.tx.open_measures(keys))
        if any(m.measure_no != after.measure_no and m.opener == after.opener and m.state in OPEN_STATES for m in there):
            self._incident(f"measure-conflict:{after.measure_no}")
            return True
        return False

    def _incident(self, detail: str) -> None:
        self._unit.tell(self._request, "incident", detail=detail)


# --- one measure changes


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
