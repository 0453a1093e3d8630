"""What the API reads of control measures: those of requests that a participant opened, or was asked in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from gateway.application.answers import (
    CaseMeasure,
    EndingPaperView,
    EndingView,
    MeasureChange,
    MeasureDetail,
    MeasurePage,
    MeasureView,
)
from gateway.application.context import Context
from gateway.application.cursors import page_after, page_cursor
from gateway.application.ports.lists import MeasureFilter
from gateway.core.records import Measure, Request
from gateway.core.requests.cases import ending_of
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import REQUEST_NO, timestamp
from schemas.law.ending_papers import ending_paper

_NUMBER = re.compile(rf"{REQUEST_NO}-[1-9][0-9]{{0,4}}")


class MeasureQueries:
    """who: the participant that asks. Every method raises StoreUnavailableError."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def page(self, who: Participant, where: MeasureFilter, expiring_within: int | None = None) -> MeasurePage:
        """In order of the number. expiring_within: days from today, Asia/Shanghai; `where.after` is a cursor.

        Raises RejectedError bad-cursor.
        """
        after = None if where.after is None else page_after(where.after)
        ends_by = None
        if expiring_within is not None:
            ends_by = (self._ctx.today() + timedelta(days=expiring_within)).isoformat()
        found = await self._ctx.store.measures(
            replace(where, participant=who.code, after=after, ends_by=ends_by, limit=where.limit + 1)
        )
        page = found[: where.limit]
        more = page_cursor(page[-1].measure_no) if len(found) > where.limit else None
        return MeasurePage(measures=[measure_view(who, m) for m in page], next=more)

    async def one(self, who: Participant, measure_no: str) -> MeasureDetail:
        """Raises RejectedError unknown-measure, also for one that is none of `who`'s business."""
        found = await self._ctx.store.measure(measure_no) if _NUMBER.fullmatch(measure_no) else None
        if found is None or not (found.asked == who.code or _opened(who, found)):
            raise RejectedError("unknown-measure", pointer="/measure_no")
        history = [
            MeasureChange(at=timestamp(s.at), state=cast(Any, s.state), end_on=s.end_on, by=s.by, cause=s.cause)
            for s in await self._ctx.store.measure_steps(measure_no)
        ]
        requests = await self._ctx.store.requests_of_case(who.code, found.case_no) if _opened(who, found) else []
        return MeasureDetail(**_members(who, found), **_end_of(found, requests, self._ctx.today()), history=history)


def measure_view(who: Participant, measure: Measure) -> MeasureView:
    """As `who`, one of its two sides, may see it."""
    return MeasureView(**_members(who, measure))


def case_measure(who: Participant, measure: Measure, requests: Sequence[Request], day: date) -> CaseMeasure:
    """Beside it the request that is ending it, if there is one among `requests`, those of its case."""
    return CaseMeasure(**_members(who, measure), **_end_of(measure, requests, day))


def paper_view(action: str, day: date) -> EndingPaperView | None:
    """What ends a measure of this action on `day`."""
    row = ending_paper(action, day)
    return None if row is None else EndingPaperView(paper=row.paper, zh=row.zh, en=row.en, source=row.source)


def _end_of(measure: Measure, requests: Sequence[Request], day: date) -> dict[str, Any]:
    ending = ending_of(measure, requests)
    shown = None if ending is None else EndingView(request_no=ending.request_no, state=ending.state)
    return {"ending": shown, "ended_with": paper_view(measure.action, day) if measure.state != "ended" else None}


def _opened(who: Participant, measure: Measure) -> bool:
    """A request's number begins with the code of whoever opened it."""
    return measure.request_no.rsplit("-", 2)[0] == who.code


def _members(who: Participant, measure: Measure) -> dict[str, Any]:
    """Never the object itself; case and value for whoever opened it."""
    names = ("measure_no", "request_no", "type", "action", "ref", "state", "asked", "control_no", "rank")
    answered = ("receipt_no", "seized", "appraised")
    own = ("case_no", "amount") if _opened(who, measure) else ()
    shown = {name: getattr(measure, name) for name in (*names, "start_on", "end_on", "ended_by", *answered, *own)}
    return shown | {"published_at": timestamp(measure.published_at) if measure.published_at else None}
