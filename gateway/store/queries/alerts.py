"""Pages: which ones are due, who sends them, what became of them; and the duty roster.

`due_at` is also the end of a lease, as in the outbox: one that ran out is sent by another worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, case, delete, exists, select, text, update

from gateway.core.records import DutyShift, Page
from gateway.store.engine import statements
from gateway.store.engine.columns import Instant, among, micros
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import DUTY_SHIFT, PAGE

_p, _d = PAGE.c, DUTY_SHIFT.c
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
