"""What was said in a request makes of measures: those that it opens, renews or ends, and the one that it hit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.core import measures
from gateway.core.measure_moves import OPEN_STATES
from gateway.core.records import Changes, Measure, Request
from gateway.services.alerting import follow_alert
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.measuring import change_measure, current, the_measure
from gateway.services.ports import Transaction


async def settle_measures(
    context: Context, tx: Transaction, request: Request, said: Mapping[str, Any], changes: Changes, now: datetime
) -> None:
    """What an answer makes of the measures that this request opens, renews or ends (facts `measure`), or hit (facts
    `control`). said: its canonical data."""
    await follow_alert(context, tx, request, said, changes, now)
    effect = request.facts.get("measure")
    if effect is None:
        return
    own = current(changes, await tx.measures_of(request.request_no))
    for measure in measures.settled(own, request.state, said):
        before = next(m for m in own if m.measure_no == measure.measure_no)
        await _change(context, tx, request, before, measure, changes, now)
    items = measures.items_done(said)
    for number in request.facts.get("targets", ()) if items else ():
        found = await the_measure(tx, changes, number)
        if found is None:
            continue
        if effect == "end":
            changed = measures.ended([found], request.request_no, items)
        else:
            changed = measures.renewed([found], items) if effect == "renew" else []
        for measure in changed:
            await _change(context, tx, request, found, measure, changes, now)


async def _change(
    context: Context,
    tx: Transaction,
    request: Request,
    before: Measure,
    after: Measure,
    changes: Changes,
    now: datetime,
) -> None:
    if await _place_taken(tx, before, after):
        detail = f"measure-conflict:{after.measure_no}"
        changes.events += request_events(context, request, "incident", now, detail=detail)
        return
    await change_measure(context, tx, before, after, changes, now, by=request.request_no)


async def _place_taken(tx: Transaction, before: Measure, after: Measure) -> bool:
    """Done after all, but meanwhile another request has a measure on the same object open: somebody must look."""
    if before.state in OPEN_STATES or after.state not in OPEN_STATES:
        return False
    there = await tx.open_measures([(after.object_key, after.action, after.case_no)])
    return any(other.measure_no != after.measure_no for other in there)
