"""Pages: which ones are due, who sends them, what became of them; the duty roster; alarms, and what is told of them.

`due_at` is also the end of a lease, as in the outbox: one that ran out is sent by another worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, case, delete, exists, func, literal_column, or_, select, text, update

from gateway.core.alarms.standing import Alarm
from gateway.core.alarms.tellings import Telling
from gateway.core.records import DutyShift, Page
from gateway.store.engine import statements
from gateway.store.engine.columns import Instant, among, micros
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import ALARM, DUTY_SHIFT, PAGE, TELLING

_p, _d, _a, _t = PAGE.c, DUTY_SHIFT.c, ALARM.c, TELLING.c
# A literal: with a bound parameter SQLite could not know that the partial index covers the condition.
_is_due = text("pages.state = 'waiting'") & (_p.due_at <= bindparam("now", type_=Instant()))

ANY_PAGE_DUE = Query(select(exists().where(_is_due)))
PAGES_DUE = Query(
    select(*PAGE.columns)
    .where(_is_due)
    .order_by(_p.due_at, _p.id)
    .limit(bindparam("limit", type_=Integer()))
    .with_for_update(skip_locked=True)
)
TAKE_PAGES = statements.update(PAGE.table, [_p.due_at], [_p.id], also=", attempts = pages.attempts + 1")
# What was answered while it was under way stays cancelled; that it went out is kept.
MARK_PAGE = Query(
    update(PAGE.table)
    .where(_p.page_id == bindparam("page"))
    .values(
        state=case((_p.state == "waiting", bindparam("new")), else_=_p.state),
        sent_at=bindparam("sent", type_=Instant()),
        due_at=bindparam("due", type_=Instant()),
    )
)
CANCEL_PAGES = Query(
    update(PAGE.table).where(among(_p.alert, "alerts"), text("pages.state = 'waiting'")).values(state="cancelled")
)
ACKNOWLEDGE_PAGE = Query(update(PAGE.table).where(_p.page_id == bindparam("page")).values(state="acknowledged"))
PAGE_BY_ID = Query(select(*PAGE.columns).where(_p.page_id == bindparam("page")))
PAGES_OF = Query(select(*PAGE.columns).where(_p.alert == bindparam("number")).order_by(_p.id))

# The duty roster of each participant: replaced as a whole, read by the stretch of time that is asked about.
SHIFTS = Query(
    select(*DUTY_SHIFT.columns)
    .where(
        _d.participant == bindparam("of"),
        _d.begins < bindparam("until", type_=Instant()),
        _d.ends > bindparam("since", type_=Instant()),
    )
    .order_by(_d.begins, _d.person)
)
CLEAR_SHIFTS = Query(delete(DUTY_SHIFT.table).where(_d.participant == bindparam("of")))
INSERT_SHIFTS = DUTY_SHIFT.insert()

# One row a trouble (docs/adr/0052).
ALARM_LOCK = 1_202_612
STANDING = Query(select(*ALARM.columns).order_by(_a.family, _a.subject, _a.scope))
LOCK_ALARMS = Query(select(func.pg_advisory_xact_lock(literal_column(str(ALARM_LOCK)))))
PUT_ALARM = ALARM.put("family", "subject", "scope")
END_ALARM = statements.delete(ALARM.table, [_a.family, _a.subject, _a.scope])
# A literal: with a bound parameter SQLite could not know that the partial index covers the condition.
_waits = text("tellings.outcome = 'waiting'")
_is_told = _waits & (_t.due_at <= bindparam("now", type_=Instant()))
ANY_TELLING_DUE = Query(select(exists().where(_is_told)))
TELLINGS_DUE = Query(
    select(*TELLING.columns)
    .where(_is_told)
    .order_by(_t.due_at, _t.id)
    .limit(bindparam("limit", type_=Integer()))
    .with_for_update(skip_locked=True)
)
TAKE_TELLINGS = statements.update(TELLING.table, [_t.due_at], [_t.id], also=", attempts = tellings.attempts + 1")
TELL = TELLING.insert("ON CONFLICT (alarm_id, state, way, recipient) DO NOTHING")
SUPERSEDE = Query(update(TELLING.table).where(among(_t.alarm_id, "alarms"), _waits).values(outcome="superseded"))
# What was superseded while it was under way stays so, unless it went out.
MARK_TELLING = Query(
    update(TELLING.table)
    .where(_t.id == bindparam("row"))
    .values(
        outcome=case((or_(_waits, bindparam("new") == literal_column("'sent'")), bindparam("new")), else_=_t.outcome),
        due_at=bindparam("due", type_=Instant()),
        error=bindparam("why"),
        ended_at=bindparam("ended", type_=Instant()),
    )
)
TOLD = Query(select(*TELLING.columns).where(among(_t.alarm_id, "alarms")).order_by(_t.id))


class PageReads(Reads):
    """`application.ports.alerts.PageReads`."""

    async def lease_pages(self, now: datetime, term: timedelta, limit: int) -> list[Page]:
        """Each counted as attempted and nobody else's for `term`."""
        if not await self._scalar(ANY_PAGE_DUE, now=now):
            return []  # as with the outbox: an idle poll is one read
        async with self.database.writer() as connection:
            due = [PAGE.read(row) for row in await connection.fetch(PAGES_DUE, now=now, limit=limit)]
            await connection.run(TAKE_PAGES, [(micros(now + term), page.id) for page in due])
        for page in due:
            page.attempts += 1
        return sorted(due, key=lambda page: page.id or 0)

    async def page(self, page_id: str) -> Page | None:
        return await self._one(PAGE, PAGE_BY_ID, page=page_id)

    async def pages_of(self, alert: str) -> list[Page]:
        return await self._all(PAGE, PAGES_OF, number=alert)


class AlertUnit(Unit):
    """`application.ports.alerts.AlertUnit`."""

    async def mark_page(self, page: Page) -> None:
        if page.state == "acknowledged":
            await self._rows(ACKNOWLEDGE_PAGE, page=page.page_id)
        else:
            await self._rows(MARK_PAGE, page=page.page_id, new=page.state, sent=page.sent_at, due=page.due_at)

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        return await self._all(DUTY_SHIFT, SHIFTS, of=participant, since=since, until=until)

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None:
        await self._rows(CLEAR_SHIFTS, of=participant)
        await self._db.run(INSERT_SHIFTS.bulk, INSERT_SHIFTS.rows(shifts))


class SqlAlarmUnit(Unit):
    """Inside one unit of work."""

    async def standing(self) -> list[Alarm]:
        if self._db.locks:
            await self._db.fetch(LOCK_ALARMS)
        return await self._all(ALARM, STANDING)

    async def put(self, alarms: Sequence[Alarm]) -> None:
        if alarms:
            await self._db.run(PUT_ALARM.bulk, PUT_ALARM.rows(alarms))

    async def end(self, alarms: Sequence[Alarm]) -> None:
        if alarms:
            await self._db.run(END_ALARM, [alarm.key for alarm in alarms])

    async def supersede(self, alarm_ids: Sequence[str]) -> None:
        if alarm_ids:
            await self._db.fetch(SUPERSEDE, alarms=list(alarm_ids))

    async def tell(self, tellings: Sequence[Telling]) -> None:
        if tellings:
            await self._db.run(TELL.bulk, TELL.rows(tellings))

    async def mark(self, telling: Telling) -> None:
        await self._db.fetch(
            MARK_TELLING,
            row=telling.id,
            new=telling.outcome,
            due=telling.due_at,
            why=telling.error,
            ended=telling.ended_at,
        )


class SqlAlarmReads(Reads):
    """Each read on a connection of its own."""

    async def standing(self) -> list[Alarm]:
        return await self._all(ALARM, STANDING)

    async def lease(self, now: datetime, term: timedelta, limit: int) -> list[Telling]:
        if not await self._scalar(ANY_TELLING_DUE, now=now):
            return []
        async with self.database.writer() as connection:
            due = [TELLING.read(row) for row in await connection.fetch(TELLINGS_DUE, now=now, limit=limit)]
            await connection.run(TAKE_TELLINGS, [(micros(now + term), one.id) for one in due])
        for one in due:
            one.attempts += 1
        return sorted(due, key=lambda one: one.id or 0)

    async def told(self, alarm_ids: Sequence[str]) -> list[Telling]:
        return await self._all(TELLING, TOLD, alarms=list(alarm_ids)) if alarm_ids else []
