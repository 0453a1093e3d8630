"""Deadlines, the waits that a wrong clock had set (docs/adr/0032), and imported calendars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, Text, bindparam, exists, select, text, update

from gateway.core.records import CalendarYear, Timer
from gateway.core.retry import Backoff, LongestWaits
from gateway.store.engine.columns import Instant, among
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query, delete
from gateway.store.tables import CALENDAR, PAGE, REQUEST, TIMER

_t, _p, _r = TIMER.c, PAGE.c, REQUEST.c
_timers = select(*TIMER.columns)
_now = bindparam("now", type_=Instant())
_this = (_t.request_no == bindparam("number"), _t.kind == bindparam("which"))

CALENDARS = Query(select(*CALENDAR.columns).order_by(CALENDAR.c.year))
REMOVE_CALENDAR = delete(CALENDAR.table, [CALENDAR.c.year])
PROVISIONAL = Query(
    select(_t.request_no).where(text("timers.provisional"), _t.due_at <= bindparam("until", type_=Instant()))
)
DUE_FROM = Query(select(_t.request_no).where(_t.due_at >= bindparam("since", type_=Instant())))
TIMER_OF = Query(_timers.where(*_this))
TIMERS_OF = Query(_timers.where(among(_t.request_no, "numbers")))
LONGEST_FAULT = LongestWaits().after_fault
# What cannot be taken back: an alert's end, a measure's, the destruction of a place. (A colon before a word is a
# parameter to SQLAlchemy.)
_IS_NOT_FINAL = text("NOT (timers.kind = 'hold' OR timers.kind LIKE 'destroy:%' OR timers.kind LIKE 'measure:%\\:0')")
_due_timers = (
    _timers.where(
        _t.due_at <= _now,
        (_t.due_at <= bindparam("sure", type_=Instant())) | _IS_NOT_FINAL,
        _t.retry_at.is_(None) | (_t.retry_at <= _now) | (_t.retry_at > bindparam("longest", type_=Instant())),
    )
    .order_by(_t.due_at)
    .limit(bindparam("limit", type_=Integer()))
)
DUE_TIMERS = Query(_due_timers)
# The requests are locked too, and nothing is waited for, so a clock never stands between two units.
LOCK_DUE_TIMERS = Query(
    _due_timers.join(REQUEST.table, _r.request_no == _t.request_no).with_for_update(skip_locked=True)
)
LOCK_DUE_TIMERS_OF_NONE = Query(
    _due_timers.where(~exists().where(_r.request_no == _t.request_no)).with_for_update(skip_locked=True)
)
COUNT_FAILURE = Query(update(TIMER.table).where(*_this).values(failures=_t.failures + 1).returning(_t.failures))
RETRY_TIMER = Query(update(TIMER.table).where(*_this).values(retry_at=bindparam("again", type_=Instant())))

PAGES = "pages"
_far = bindparam("far", type_=Instant())
# Once after a step, so these may read the whole table: most timers are deadlines, which are days ahead by right.
END_TIMERS = Query(
    update(TIMER.table)
    .where(_t.due_at > _far, _t.kind >= bindparam("first", type_=Text()), _t.kind < bindparam("end", type_=Text()))
    .values(due_at=_now)
    .returning(_t.kind)
)
END_PAGES = Query(
    update(PAGE.table).where(text("pages.state = 'waiting'"), _p.due_at > _far).values(due_at=_now).returning(_p.id)
)


class TimerReads(Reads):
    """`application.ports.timers.TimerReads`."""

    async def calendars(self) -> list[CalendarYear]:
        """By year."""
        return await self._all(CALENDAR, CALENDARS)

    async def provisional(self, until: datetime) -> list[str]:
        return sorted({number for (number,) in await self._rows(PROVISIONAL, until=until)})

    async def due_from(self, since: datetime) -> list[str]:
        return sorted({number for (number,) in await self._rows(DUE_FROM, since=since)})


class TimerUnit(Unit):
    """`application.ports.timers.TimerUnit`."""

    async def due_timers(self, now: datetime, limit: int, sure: datetime | None = None) -> list[Timer]:
        """Of requests, and of numbers whose `open` has not come."""
        queries = (LOCK_DUE_TIMERS, LOCK_DUE_TIMERS_OF_NONE) if self._db.locks else (DUE_TIMERS,)
        times = {"now": now, "sure": sure or now, "longest": now + LONGEST_FAULT}
        found = [timer for query in queries for timer in await self._all(TIMER, query, limit=limit, **times)]
        return found[:limit]

    async def set_timer_aside(self, timer: Timer, now: datetime, backoff: Backoff) -> int:
        which = {"number": timer.request_no, "which": timer.kind}
        failures = await self._scalar(COUNT_FAILURE, **which)
        if failures is None:
            return 0
        await self._rows(RETRY_TIMER, **which, again=now + backoff.after(failures))
        return int(failures)

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        found = await self._all(TIMER, TIMERS_OF, numbers=numbers)
        return sorted(found, key=lambda t: (t.request_no, t.kind))

    async def timer(self, request_no: str, kind: str) -> Timer | None:
        return await self._one(TIMER, TIMER_OF, number=request_no, which=kind)

    async def remove_calendar(self, year: int) -> bool:
        return await self._db.run(REMOVE_CALENDAR, [(year,)]) == 1

    async def end_waits(self, now: datetime, longest: Mapping[str, timedelta]) -> int:
        count = 0
        for kind, wait in sorted(longest.items()):
            if kind == PAGES:
                found = await self._rows(END_PAGES, now=now, far=now + wait)
            else:
                end = kind[:-1] + chr(ord(kind[-1]) + 1)
                found = await self._rows(END_TIMERS, now=now, far=now + wait, first=kind, end=end)
            count += len(found)
        return count
