"""Imported calendars: every process notices them, and what had to be guessed is computed again (docs/domain.md 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time

import structlog

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import basis_of
from gateway.application.set_aside import incident
from gateway.application.unit_of_work import one_by_one, request_events
from gateway.core.records import CalendarYear, Changes
from gateway.core.time.calendar import SHANGHAI, Calendar, Year
from gateway.core.time.clocks import counted_again
from gateway.core.time.deadlines import day_of
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of
from lianzhi.protocol.envelope import timestamp

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
                    log.warning("store-unavailable", error=cause_of(error))

    async def once(self) -> None:
        """Reads what was imported. Another process may still have set a timer by the calendar before, so provisional
        ones are looked at each time. Raises StoreUnavailableError."""
        before = self._ctx.calendars.now
        amended = await load(self._ctx)
        if self._ctx.calendars.now is not before:
            log.info("calendar", years=sorted(self._ctx.calendars.now.years), amended=amended)
        if self._counts:
            await count_again(self._ctx, amended)


async def load(context: Context) -> list[int]:
    """What was imported holds before what was shipped. A calendar that says the same stays the same object.

    The years that were known already and now say something else, or nothing: a notice was amended, as in January 2020,
    or an import was taken back.
    """
    imported = [_year(row) for row in await context.store.calendars()]
    calendars = context.calendars
    found, before = Calendar([*calendars.shipped.years.values(), *imported]), calendars.now.years
    if found.years == before:
        return []
    calendars.now = found
    return sorted(n for n, year in before.items() if found.years.get(n) != year)


async def import_year(context: Context, year: Year) -> int:
    """Keeps the calendar of a year and counts again what depends on it; how many deadlines moved or became certain.

    Importing a year once more replaces it. Raises StoreUnavailableError.
    """
    row = CalendarYear(
        year=year.year,
        notice=year.notice,
        issued_on=year.issued_on.isoformat(),
        rest=sorted(day.isoformat() for day in year.rest),
        work=sorted(day.isoformat() for day in year.work),
        at=context.clock.now(),
    )
    await load(context)
    async with context.store.begin() as tx:
        await tx.apply(Changes(calendars=[row]))
    return await count_again(context, await load(context))


async def remove_year(context: Context, year: int) -> int | None:
    """Takes an imported year back: the shipped one holds again, if there is one. How many deadlines moved; None: that
    year was never imported. Raises StoreUnavailableError."""
    await load(context)
    async with context.store.begin() as tx:
        if not await tx.remove_calendar(year):
            return None
    return await count_again(context, await load(context))


async def count_again(context: Context, amended: Sequence[int] = ()) -> int:
    """Every provisional deadline that the calendar now reaches (those beyond it wait), and everything that falls due
    from the beginning of the first amended year on. How many of them are different now."""
    known = context.calendars.now.known_until(day_of(context.clock.now()))
    numbers = await context.store.provisional(_midnight(known))
    if amended:
        from_there = await context.store.due_from(_midnight(date(min(amended), 1, 1)))
        numbers = sorted({*numbers, *from_there})
    size, total = context.settings.batch, 0
    for first in range(0, len(numbers), size):
        total += await _counted(context, numbers[first : first + size])
    return total


async def _counted(context: Context, numbers: Sequence[str]) -> int:
    """Together; or each alone when one of them cannot be counted, and that one is told and keeps its deadline.

    Raises StoreUnavailableError.
    """

    async def together(some: Sequence[str]) -> list[int | Exception]:
        return [await _batch(context, some)]

    total = 0
    for number, outcome in zip(numbers, await one_by_one(together, numbers), strict=False):
        if isinstance(outcome, StoreUnavailableError):
            raise outcome
        if isinstance(outcome, int):
            total += outcome
            continue
        context.faults.set_aside("calendar", number, outcome)
        now = context.clock.now()
        if context.faults.to_be_told("calendar", number, now):
            event = incident(context.home.code, number, "deadline-not-counted", outcome, now)
            async with context.store.begin() as tx:
                await tx.apply(Changes(events=[event]))
    return total


async def _batch(context: Context, numbers: Sequence[str]) -> int:
    now, changes, different = context.clock.now(), Changes(), 0
    async with context.store.begin() as tx:
        requests = await tx.lock_requests(numbers)
        for timer in await tx.timers_of(numbers):
            request = requests.get(timer.request_no)
            if request is None:
                continue  # it waits for the `open` of a request that we do not have
            before = request.facts.get("due")
            again = counted_again(timer, request, basis_of(context, request))
            if again is None or again == timer:
                continue
            changes.set_timer(again)
            different += 1
            if request.facts.get("due") != before:
                head = {"due_at": timestamp(datetime.fromisoformat(request.facts["due"]["at"]))}
                changes.events += request_events(context, request, "deadline", now, head=head, detail="calendar")
                changes.requests.append(request)
        await tx.apply(changes)
    return different


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _year(row: CalendarYear) -> Year:
    days = (frozenset(map(date.fromisoformat, found)) for found in (row.rest, row.work))
    return Year(row.year, row.notice, date.fromisoformat(row.issued_on), *days)
