"""What a registered renewal makes of the measure that it names (查封扣押冻结规定 26, 27).

A measure that was not renewed has no effect any more from its end on. So a renewal continues it only when it was
registered before that end, however late that is told. What was registered afterwards is a new measure with its own
beginning and its own rank: others may have come first meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from gateway.core.control.measures import items_done
from gateway.core.control.moves import LIVE, moved
from gateway.core.records import Measure, Request
from gateway.core.time.calendar import SHANGHAI


@dataclass(slots=True)
class Renewed:
    """continued: (as it was, as it is now). lapsed: live ones whose end has passed although nobody noted it yet.
    anew: (the old one, the new one). gaps: numbers of those that a renewal was registered for which begins only after
    their end: nothing is done, somebody must look."""

    continued: list[tuple[Measure, Measure]] = field(default_factory=list)
    lapsed: list[tuple[Measure, Measure]] = field(default_factory=list)
    anew: list[tuple[Measure, Measure]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


def renewals(measures: Sequence[Measure], request: Request, said: Mapping[str, Any], now: datetime) -> Renewed:
    """measures: those that `request`, a renewal, names. said: canonical data of its answer."""
    found = Renewed()
    answered = [i for i in items_done(said) if i.get("end_on")]
    item = next((i for i in answered if i.get("status", "done") in ("done", "queued")), None)
    if item is None:
        return found
    today = now.astimezone(SHANGHAI).date().isoformat()
    for measure in measures:
        _one(found, measure, request, item, registered_on(item, said), today)
    return found


def registered_on(item: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """The day on which the register entered it (YYYY-MM-DD, Shanghai): as it says, else its first day, but not later
    than the day of the answer, which tells of it."""
    if item.get("registered_on"):
        return str(item["registered_on"])
    answered = datetime.fromisoformat(item.get("effective_at") or said["as_of"])
    told = answered.astimezone(SHANGHAI).date().isoformat()
    return min(item.get("start_on") or told, told)


def _one(
    found: Renewed, measure: Measure, request: Request, item: Mapping[str, Any], registered: str, today: str
) -> None:
    in_time = measure.end_on is None or registered <= measure.end_on
    done = item.get("status", "done") == "done"
    if in_time and _leaves_gap(measure, item):
        found.gaps.append(measure.measure_no)
    elif in_time:
        after = moved(measure, "renewed", **_answered(measure, item)) if done else None
        if after is not None and after != measure:
            found.continued.append((measure, after))
    elif measure.end_on is not None and measure.end_on >= today and measure.state in LIVE:
        found.gaps.append(measure.measure_no)
    elif measure.state == "lapsed" or measure.state in LIVE:
        if (lapsed := moved(measure, "lapsed")) is not None:
            found.lapsed.append((measure, lapsed))
        found.anew.append((measure, _new(measure, request, item, registered, len(found.anew) + 1)))


def _leaves_gap(measure: Measure, item: Mapping[str, Any]) -> bool:
    """Registered in time, but to begin later than on the day after the end."""
    if measure.end_on is None or not item.get("start_on"):
        return False
    return str(item["start_on"]) > (date.fromisoformat(measure.end_on) + timedelta(days=1)).isoformat()


def _answered(measure: Measure, item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "end_on": item["end_on"],
        "seized": item.get("amount") or measure.seized,
        "appraised": item.get("appraised") or measure.appraised,
    }


def _new(measure: Measure, request: Request, item: Mapping[str, Any], registered: str, index: int) -> Measure:
    """Under the number of the renewal. Rank, sums and numbers are those of this answer alone; a lookout keeps the
    number that the renewal named it by, for the answer gives none."""
    named = measure.control_no if item.get("effective_at") else None
    return replace(
        measure,
        measure_no=f"{request.request_no}-{index}",
        request_no=request.request_no,
        type=request.type,
        case_no=request.case_no or measure.case_no,
        ref=item["ref"],
        state="active" if item.get("status", "done") == "done" else "requested",
        control_no=item.get("control_no") or item.get("registry_no") or named,
        receipt_no=item.get("receipt_no"),
        rank=item.get("rank"),
        start_on=max(registered, item.get("start_on") or registered),
        end_on=item["end_on"],
        ended_by=None,
        seized=item.get("amount"),
        appraised=item.get("appraised"),
        published_at=None,
    )
