"""Collects what the weekly or monthly report counts; the counting is `core.figures.indicators`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from gateway.application.context import Context
from gateway.application.queries.ledgers import ENDING_STATES
from gateway.core.figures import histories, indicators
from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.indicators import ENDING_DAYS, Report
from gateway.core.figures.ledgers import LedgerItem, ending, items
from gateway.core.figures.periods import Period
from gateway.core.figures.rows import Rows, Working
from gateway.core.records import Event
from gateway.core.time.calendar import DAY, local_day, midnight


class Reporting:
    """Counts on the calendar of the day on which the report is asked for."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def report(self, period: Period) -> Report:
        """Raises StoreUnavailableError."""
        now = self._ctx.clock.now()
        as_of = min(now, period.end)
        asks, alerts = await self._requests(midnight(indicators.since(period)), as_of)
        rows = Rows(asks, alerts, await self._measures(period, as_of), await self._items(period, as_of))
        figures = await self._ctx.store.court_figures(period.name)
        imported = {figure.name: figure.value for figure in figures}
        silences = await self._ctx.store.operating.silences()
        working = Working(self._ctx.calendars.now, self._ctx.settings.office_hours)
        # Counting thousands of rows takes a second or more; the API answers others meanwhile.
        return await asyncio.to_thread(indicators.report, period, rows, now, working, imported, silences)

    async def _requests(self, since: datetime, as_of: datetime) -> tuple[list[Ask], list[Alert]]:
        """What changed since then or is open: read once, page by page; of each page only what is counted is kept."""
        store, home = self._ctx.store, self._ctx.home.code
        asks: list[Ask] = []
        alerts: list[Alert] = []
        async for page in store.living_requests(since):
            events = _by_request(await store.events_of(home, [request.request_no for request in page]))
            for request in page:
                said = events[request.request_no]
                if request.shape == "ask":
                    asks.append(histories.ask(request, said, home, as_of))
                else:
                    alerts.append(histories.alert(request, said, home))
        return asks, alerts

    async def _measures(self, period: Period, as_of: datetime) -> list[LedgerItem]:
        """Those that lapsed in the period (the day after their last) or end within 30 days of its end, with whose their
        request is."""
        today = _last_day(as_of)
        until = today + timedelta(days=ENDING_DAYS)
        found = await self._ctx.store.measures_ending(
            ENDING_STATES, (period.first - DAY).isoformat(), until.isoformat()
        )
        opened = await self._ctx.store.requests_named(sorted({measure.request_no for measure in found}))
        whose = {request.request_no: histories.whose(request, self._ctx.home.code) for request in opened}
        return [replace(ending(measure, today), **whose[measure.request_no]) for measure in found]

    async def _items(self, period: Period, as_of: datetime) -> list[LedgerItem]:
        today = _last_day(as_of)
        lines = await self._ctx.store.standing_lines(period.first.isoformat(), today.isoformat())
        return items(lines, today, self._ctx.settings.ledgers)


def _by_request(events: Sequence[Event]) -> defaultdict[str, list[Event]]:
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.request_no is not None:
            found[event.request_no].append(event)
    return found


def _last_day(as_of: datetime) -> date:
    """The day that is over, or nearly, at `as_of`."""
    return local_day(as_of - timedelta(microseconds=1))
