"""Pages: which ones are due, who sends them, what became of them. `due_at` is also the end of a lease, as in the
outbox: one that ran out is sent by another worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, case, exists, select, text, update

from gateway.core.records import Page
from gateway.store import bulk
from gateway.store.columns import Instant, among, micros
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import PAGE
from gateway.store.tables import pages

_p = pages.c
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
TAKE_PAGES = bulk.update(pages, [_p.due_at], [_p.id], also=", attempts = pages.attempts + 1")
# What was answered while it was under way stays cancelled; that it went out is kept.
MARK_PAGE = Query(
    update(pages)
    .where(_p.page_id == bindparam("page"))
    .values(
        state=case((_p.state == "waiting", bindparam("new")), else_=_p.state),
        sent_at=bindparam("sent", type_=Instant()),
        due_at=bindparam("due", type_=Instant()),
    )
)
CANCEL_PAGES = Query(
    update(pages).where(among(_p.alert, "alerts"), text("pages.state = 'waiting'")).values(state="cancelled")
)
ACKNOWLEDGE_PAGE = Query(update(pages).where(_p.page_id == bindparam("page")).values(state="acknowledged"))
PAGE_BY_ID = Query(select(*PAGE.columns).where(_p.page_id == bindparam("page")))


async def lease(connection: Connection, now: datetime, term: timedelta, limit: int) -> list[Page]:
    """Due ones in their order, each counted as attempted and nobody else's for `term`."""
    rows = [PAGE.read(row) for row in await connection.fetch(PAGES_DUE, now=now, limit=limit)]
    await connection.run(TAKE_PAGES, [(micros(now + term), page.id) for page in rows])
    for page in rows:
        page.attempts += 1
    return sorted(rows, key=lambda page: page.id or 0)


async def mark(connection: Connection, page: Page) -> None:
    """What became of a sending: its state, when it went out, when it is tried again."""
    if page.state == "acknowledged":
        await connection.fetch(ACKNOWLEDGE_PAGE, page=page.page_id)
        return
    await connection.fetch(MARK_PAGE, page=page.page_id, new=page.state, sent=page.sent_at, due=page.due_at)
