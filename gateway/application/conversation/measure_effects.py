"""What was said in a request makes of measures: those that it opens, renews or ends, and the one that it hit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.alert_effects import follow_alert
from gateway.application.conversation.measure_changes import (
    begin_measure,
    change_measure,
    current,
    measure_events,
    the_measure,
)
from gateway.application.events import own_events, request_events
from gateway.application.ports import Transaction
from gateway.core import measures, seizures, shares
from gateway.core.measure_moves import OPEN_STATES
from gateway.core.records import Changes, Measure, Request
from gateway.core.renewals import renewals


async def settle_measures(
    context: Context, tx: Transaction, request: Request, said: Mapping[str, Any], changes: Changes, now: datetime
) -> None:
    """What an answer makes of the measures that this request opens, renews or ends (facts `measure`), or hit (facts
    `control`). said: its canonical data."""
    await follow_alert(context, tx, request, said, changes, now)
    effect = request.facts.get("measure")
    if effect is None:
        return
    settling = _Settling(context, tx, request, changes, now)
    own = current(changes, await tx.measures_of(request.request_no))
    for measure in measures.settled(own, request.state, said):
        before = next(m for m in own if m.measure_no == measure.measure_no)
        await settling.change(before, measure)
    items = measures.items_done(said)
    if not items:
        return
    found = [await the_measure(tx, changes, number) for number in request.facts.get("targets", ())]
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

    def __init__(self, context: Context, tx: Transaction, request: Request, changes: Changes, now: datetime) -> None:
        self._ctx, self._tx, self._request, self._changes, self._now = context, tx, request, changes, now

    async def change(self, before: Measure, after: Measure) -> None:
        if before.state not in OPEN_STATES and after.state in OPEN_STATES and await self._place_taken(after):
            return
        by = self._request.request_no
        await change_measure(self._ctx, self._tx, before, after, self._changes, self._now, by=by)

    async def renew(self, targets: list[Measure], said: Mapping[str, Any], *, again: bool) -> None:
        """again: an earlier answer has opened new measures already; they are settled as any that a request opens."""
        found = renewals(targets, self._request, said, self._now)
        for before, after in (*found.continued, *found.lapsed):
            await self.change(before, after)
        for number in found.gaps:
            self._incident(f"renewal-gap:{number}")
        for old, new in () if again else found.anew:
            if await self._place_taken(new):
                continue
            begin_measure(self._ctx, new, self._changes, self._now)
            others = seizures.elsewhere(new, await self._tx.measures_on([new.object_key]))
            self._changes.events += measure_events(
                self._ctx, new, "measure-anew", self._now, detail=f"others-may-be-first:{old.measure_no}",
                after=old.measure_no, lapsed_on=old.end_on, start_on=new.start_on, rank=new.rank, others=len(others),
            )  # fmt: skip

    async def publish(self, items: list[Mapping[str, Any]]) -> None:
        """Of shares: the first that was published is the first, and the company is told (法释〔2021〕20号 6)."""
        refs = {item["ref"]: item for item in items if item.get("published_at")}
        for measure in [m for m in self._changes.measures if m.ref in refs and self._is_own(m)]:
            on_share = current(self._changes, await self._tx.measures_on([measure.object_key]))
            for after in shares.ranked(m for m in on_share if m.action == measure.action):
                locked = await the_measure(self._tx, self._changes, after.measure_no)  # may be another case's
                if locked is not None:
                    await self.change(locked, replace(locked, rank=after.rank))
            if refs[measure.ref].get("company_told_on") is None:
                self._changes.events += own_events(
                    self._ctx, self._request, "company-to-be-told", self._now, head={"measure_no": measure.measure_no}
                )

    def _is_own(self, measure: Measure) -> bool:
        return measure.request_no == self._request.request_no

    async def _place_taken(self, after: Measure) -> bool:
        """Done after all, but meanwhile another request has a measure on the same object open: somebody must look."""
        there = current(self._changes, await self._tx.open_measures([(after.object_key, after.action, after.case_no)]))
        if any(m.measure_no != after.measure_no and m.opener == after.opener and m.state in OPEN_STATES for m in there):
            self._incident(f"measure-conflict:{after.measure_no}")
            return True
        return False

    def _incident(self, detail: str) -> None:
        self._changes.events += request_events(self._ctx, self._request, "incident", self._now, detail=detail)
