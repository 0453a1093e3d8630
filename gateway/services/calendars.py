"""Imported calendars: every process notices them, and what had to be guessed is computed again (docs/domain.md 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time

import structlog

from gateway.core.calendar import Calendar, Year
from gateway.core.clocks import counted_again
from gateway.core.deadlines import SHANGHAI, day_of
from gateway.core.records import CalendarYear, Changes
from gateway.errors import StoreUnavailableError
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.timekeeping import basis_of
from schemas.envelope import timestamp

log = structlog.get_logger("calendar")


class CalendarKeeper:
    """counts: whether this process also computes provisional deadlines again (the clock's business)."""

    def __init__(self, context: Context, *, counts: bool) -> None:
        self._ctx = context
        self._counts = counts

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), self._ctx.settings.calendar_poll)
            except TimeoutError:
                try:
                    await self.once()
                except StoreUnavailableError as error:
                    log.warning("store-unavailable", error=str(error))

    async def once(self) -> None:
        """Reads what was imported. Another process may still have set a timer by the calendar before, so provisional
        ones are looked at each time. Raises StoreUnavailableError."""
        await load(self._ctx)
        if self._counts:
            await count_again(self._ctx)


async def load(context: Context) -> None:
    """What was imported holds before what was shipped. A calendar that says the same stays the same object."""
    imported = [_year(row) for row in await context.store.calendars()]
    calendars = context.calendars
    found = Calendar([*calendars.shipped.years.values(), *imported])
    if found.years != calendars.now.years:
        calendars.now = found
        log.info("calendar", years=sorted(found.years))


async def import_year(context: Context, year: Year) -> int:
    """Keeps the calendar of a year and counts again what depends on it; how many deadlines that were.

    Importing a year once more replaces it: a notice can be amended. Raises StoreUnavailableError.
    """
    row = CalendarYear(
        year=year.year,
        notice=year.notice,
        issued_on=year.issued_on.isoformat(),
        rest=sorted(day.isoformat() for day in year.rest),
        work=sorted(day.isoformat() for day in year.work),
        at=context.clock.now(),
    )
    async with context.store.begin() as tx:
        await tx.apply(Changes(calendars=[row]))
    await load(context)
    return await count_again(context)


async def count_again(context: Context) -> int:
    """Every provisional deadline that the calendar now reaches; those beyond it wait. How many there were."""
    known = context.calendars.now.known_until(day_of(context.clock.now()))
    numbers = await context.store.provisional(datetime.combine(known, time(), SHANGHAI))
    size, total = context.settings.batch, 0
    for first in range(0, len(numbers), size):
        total += await _batch(context, numbers[first : first + size])
    return total


async def _batch(context: Context, numbers: Sequence[str]) -> int:
    """How many of their deadlines are certain now."""
    now, changes, certain = context.clock.now(), Changes(), 0
    async with context.store.begin() as tx:
        requests = await tx.lock_requests(numbers)
        for timer in await tx.provisional_timers(numbers):
            request = requests[timer.request_no]
            before = request.facts.get("due")
            again = counted_again(timer, request, basis_of(context, request))
            if again is None or again == timer:
                continue
            changes.set_timer(again)
            certain += not again.provisional
            if request.facts.get("due") != before:
                head = {"due_at": timestamp(datetime.fromisoformat(request.facts["due"]["at"]))}
                changes.events += request_events(context, request, "deadline", now, head=head, detail="calendar")
                changes.requests.append(request)
        await tx.apply(changes)
    return certain


def _year(row: CalendarYear) -> Year:
    days = (frozenset(map(date.fromisoformat, found)) for found in (row.rest, row.work))
    return Year(row.year, row.notice, date.fromisoformat(row.issued_on), *days)
