"""What a message does to measures: it opens, renews or ends them, or marks one as hit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.application.conversation.alert_effects import follow_alert
from gateway.application.conversation.measure_changes import (
    begin_measure,
    change_measure,
    current,
    measure_events,
    the_measure,
)
from gateway.application.events import own_events
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.control import measures, seizures
from gateway.core.control.moves import OPEN_STATES
from gateway.core.control.renewals import renewals
from gateway.core.records import Measure, Request


async def settle_measures(unit: UnitOfWork, request: Request, said: Mapping[str, Any]) -> None:
    """What an answer makes of the measures that this request opens, renews or ends (facts `measure`), or hit (facts
    `control`). said: its canonical data."""
    await follow_alert(unit, request, said)
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
