"""Ledgers, the figures of the reports, releases of cases. Reports are rare and cover a whole period: some of their
queries read a whole table (`MAY_SCAN`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, bindparam, exists, func, literal_column, select

from gateway.application.ports.books import LedgerFilter
from gateway.core.records import CourtFigure, Event, LedgerLine, Release, ReleaseItem, Request
from gateway.core.requests.lifecycle import TERMINAL
from gateway.store.engine.columns import Instant, among
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import COURT_FIGURE, EVENT, LEDGER, RELEASE, RELEASE_ITEM, REQUEST

LAST_DAY = "9999-12-31"
PAGE = 500
_l, _r, _e, _f = LEDGER.c, REQUEST.c, EVENT.c, COURT_FIGURE.c
_ledger = _l.ledger == bindparam("ledger")
_place = (_l.ledger, _l.item_no, _l.source)
_other = LEDGER.table.alias("other")
OVER: list[ColumnElement[str]] = [
    literal_column(f"'{state}'") for state in sorted(frozenset().union(*TERMINAL.values()))
]

ITEM_LINES = Query(select(*LEDGER.columns).where(_ledger, _l.item_no == bindparam("item")).order_by(*_place))
# Two units that write to one item on the word of what stands there take turns.
LOCK_ITEM = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("item"), literal_column("0")))))
# Items with a line in the days asked for, by number.
ITEM_NUMBERS = Query(
    select(_l.item_no)
    .distinct()
    .where(
        _ledger,
        _l.item_no > bindparam("after"),
        _l.day >= bindparam("first"),
        _l.day <= bindparam("last"),
    )
    .order_by(_l.item_no)
    .limit(bindparam("limit", type_=Integer()))
)
LINES_OF_ITEMS = Query(select(*LEDGER.columns).where(_ledger, among(_l.item_no, "items")).order_by(*_place))
# Every item that anything happened to from `first` on, or that no line has settled; a sum always may be unsettled.
STANDING_LINES = Query(
    select(*LEDGER.columns)
    .where(
        _l.day <= bindparam("last"),
        exists().where(_other.c.ledger == _l.ledger, _other.c.item_no == _l.item_no, _other.c.day >= bindparam("first"))
        | ~exists().where(
            _other.c.ledger == _l.ledger,
            _other.c.item_no == _l.item_no,
            _other.c.settles.is_(True),
            _other.c.amount.is_(None),
        ),
    )
    .order_by(*_place)
)

# What changed since, and what is still open, from one number on. A notice is never answered, so nothing is counted of
# it. A report walks once along the numbers, so that neither its memory nor one query grows with the table.
LIVING_REQUESTS = Query(
    select(*REQUEST.columns)
    .where(
        _r.request_no > bindparam("after"),
        _r.shape != literal_column("'notice'"),
        (_r.updated_at >= bindparam("since", type_=Instant())) | _r.state.not_in(OVER),
    )
    .order_by(_r.request_no)
    .limit(bindparam("limit", type_=Integer()))
)
REQUESTS_NAMED = Query(select(*REQUEST.columns).where(among(_r.request_no, "numbers")))
# The feed is no way to them: asked for so many requests, SQLite would walk all of it, for each page of a report.
_audience: ColumnElement[str] = func.coalesce(_e.audience, "")
EVENTS_OF = Query(
    select(*EVENT.columns).where(among(_e.request_no, "numbers"), _audience == bindparam("to")).order_by(_e.id)
)
COURT_FIGURES = Query(select(*COURT_FIGURE.columns).where(_f.period == bindparam("period")))
_rel, _item = RELEASE.c, RELEASE_ITEM.c
RELEASE_BY_NUMBER = Query(select(*RELEASE.columns).where(_rel.release_no == bindparam("number")))
RELEASES_OF_CASE = Query(select(*RELEASE.columns).where(_rel.case_no == bindparam("case")).order_by(_rel.release_no))
RELEASE_ITEMS = Query(select(*RELEASE_ITEM.columns).where(_item.release_no == bindparam("number")).order_by(_item.seq))
MAY_SCAN = frozenset({"STANDING_LINES"})


class Books(Reads):
    """`application.ports.books.Books`."""

    async def ledger_page(self, where: LedgerFilter) -> list[LedgerLine]:
        found = await self._rows(
            ITEM_NUMBERS,
            ledger=where.ledger,
            after=where.after or "",
            first=where.first or "",
            last=where.last or LAST_DAY,
            limit=where.limit,
        )
        items = [item_no for (item_no,) in found]
        return await self._all(LEDGER, LINES_OF_ITEMS, ledger=where.ledger, items=items) if items else []

    async def standing_lines(self, first: str, last: str) -> list[LedgerLine]:
        return await self._all(LEDGER, STANDING_LINES, first=first, last=last)

    async def living_requests(self, since: datetime) -> AsyncIterator[list[Request]]:
        after = ""
        while page := await self._all(REQUEST, LIVING_REQUESTS, since=since, after=after, limit=PAGE):
            yield page
            after = page[-1].request_no

    async def requests_named(self, numbers: Sequence[str]) -> list[Request]:
        return [r for some in _some(numbers) for r in await self._all(REQUEST, REQUESTS_NAMED, numbers=some)]

    async def events_of(self, audience: str, numbers: Sequence[str]) -> list[Event]:
        return [e for some in _some(numbers) for e in await self._all(EVENT, EVENTS_OF, numbers=some, to=audience)]

    async def court_figures(self, period: str) -> list[CourtFigure]:
        return await self._all(COURT_FIGURE, COURT_FIGURES, period=period)

    async def release(self, release_no: str) -> Release | None:
        return await self._one(RELEASE, RELEASE_BY_NUMBER, number=release_no)

    async def releases(self, case_no: str) -> list[Release]:
        return await self._all(RELEASE, RELEASES_OF_CASE, case=case_no)

    async def release_items(self, release_no: str) -> list[ReleaseItem]:
        return await self._all(RELEASE_ITEM, RELEASE_ITEMS, number=release_no)


class BookUnit(Unit):
    """`application.ports.books.BookUnit`."""

    async def ledger_item(self, ledger: str, item_no: str) -> list[LedgerLine]:
        if self._db.locks:
            await self._rows(LOCK_ITEM, item=f"{ledger}:{item_no}")
        return await self._all(LEDGER, ITEM_LINES, ledger=ledger, item=item_no)


def _some(numbers: Sequence[str], size: int = 1000) -> list[Sequence[str]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
