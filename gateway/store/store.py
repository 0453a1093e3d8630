"""The database: reads that need no lock, units of work, leases. `services.ports.Store`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    CourtFigure,
    DocumentRow,
    Event,
    LeasedMessage,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    Page,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    Submission,
)
from gateway.errors import ConfigurationError
from gateway.services.ports import LedgerFilter, MeasureFilter, RequestFilter
from gateway.store import books, hung, outbox, paging, reads
from gateway.store.columns import moment
from gateway.store.connection import Row
from gateway.store.engine import Database, database_url, sqlite_path
from gateway.store.lock import SingleProcessLock
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
    CALENDAR,
    COURT_FIGURE,
    DOCUMENT,
    EVENT,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    PAGE,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBMISSION,
)
from gateway.store.transaction import APPROVALS_OF, SqlTransaction
from gateway.store.version import is_current

LAST_DAY = "9999-12-31"


async def open_store(url: str, *, serving: bool = False) -> SqlStore:
    """Connect to a migrated database.

    url: `sqlite:///<file>` or `postgresql://…`. serving: take the lock that lets one process serve a SQLite file
    (released by `close`); command-line tools read and write beside it without. Raises ConfigurationError (locked,
    bad URL, not migrated) and StoreUnavailableError.
    """
    where = database_url(url)
    path = sqlite_path(where)
    lock = SingleProcessLock(path) if serving and path is not None else None
    store = SqlStore(Database(where), lock)
    try:
        if not await is_current(store.database.engine):
            raise ConfigurationError(
                "数据库结构不是本版本的，请先运行 lianzhi db migrate。"
                " The database schema is not this version's; run `lianzhi db migrate` first."
            )
    except BaseException:
        await store.close()
        raise
    return store


class SqlStore:
    """SQLite or PostgreSQL; one instance for one event loop."""

    def __init__(self, database: Database, lock: SingleProcessLock | None = None) -> None:
        self.database = database
        self._lock = lock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlTransaction]:
        async with self.database.writer() as connection:
            yield SqlTransaction(connection)

    async def lease_outbox(self, owner: str, now: datetime, term: timedelta, limit: int) -> list[LeasedMessage]:
        if not await self._scalar(outbox.ANY_READY, now=now):
            return []  # an idle poll is one read: no write lock, no transaction
        async with self.database.writer() as connection:
            return await outbox.lease(connection, owner, now, term, limit)

    async def request(self, request_no: str) -> Request | None:
        rows = await self._rows(reads.REQUEST_BY_NUMBER, number=request_no)
        return REQUEST.read(rows[0]) if rows else None

    async def requests(self, where: RequestFilter) -> list[Request]:
        query, parameters = reads.page_of_requests(where)
        return [REQUEST.read(row) for row in await self._rows(query, **parameters)]

    async def messages(self, request_no: str) -> list[Message]:
        return [MESSAGE.read(row) for row in await self._rows(reads.MESSAGES_OF, number=request_no)]

    async def submission_of(self, request_no: str) -> Submission | None:
        rows = await self._rows(reads.SUBMISSION_OF, number=request_no)
        return SUBMISSION.read(rows[0]) if rows else None

    async def events(self, audience: str, after: int, limit: int) -> list[Event]:
        rows = await self._rows(reads.EVENTS_AFTER, to=audience, after=after, limit=limit)
        return [EVENT.read(row) for row in rows]

    async def oldest_event(self, audience: str) -> int | None:
        oldest: int | None = await self._scalar(reads.OLDEST_EVENT, to=audience)
        return oldest

    async def last_event(self) -> int:
        return await self._scalar(reads.LAST_EVENT) or 0

    async def timeline(self, request_no: str) -> list[Event]:
        return [EVENT.read(row) for row in await self._rows(reads.TIMELINE, number=request_no)]

    async def find_measures(self, *, states: Sequence[str], case_no: str | None = None) -> list[Measure]:
        query = reads.MEASURES_IN if case_no is None else reads.MEASURES_IN_CASE
        return [MEASURE.read(row) for row in await self._rows(query, states=states, case=case_no)]

    async def measures(self, where: MeasureFilter) -> list[Measure]:
        query, parameters = reads.page_of_measures(where)
        return [MEASURE.read(row) for row in await self._rows(query, **parameters)]

    async def measure(self, measure_no: str) -> Measure | None:
        rows = await self._rows(reads.MEASURE_BY_NUMBER, number=measure_no)
        return MEASURE.read(rows[0]) if rows else None

    async def measure_steps(self, measure_no: str) -> list[MeasureStep]:
        return [MEASURE_STEP.read(row) for row in await self._rows(reads.MEASURE_STEPS_OF, number=measure_no)]

    async def lease_pages(self, now: datetime, term: timedelta, limit: int) -> list[Page]:
        if not await self._scalar(paging.ANY_PAGE_DUE, now=now):
            return []  # as with the outbox: an idle poll is one read
        async with self.database.writer() as connection:
            return await paging.lease(connection, now, term, limit)

    async def page(self, page_id: str) -> Page | None:
        rows = await self._rows(paging.PAGE_BY_ID, page=page_id)
        return PAGE.read(rows[0]) if rows else None

    async def pages_of(self, alert: str) -> list[Page]:
        return [PAGE.read(row) for row in await self._rows(paging.PAGES_OF, number=alert)]

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        return [APPROVAL.read(row) for row in await self._rows(APPROVALS_OF, numbers=numbers)] if numbers else []

    async def release(self, release_no: str) -> Release | None:
        rows = await self._rows(reads.RELEASE_BY_NUMBER, number=release_no)
        return RELEASE.read(rows[0]) if rows else None

    async def releases(self, case_no: str) -> list[Release]:
        return [RELEASE.read(row) for row in await self._rows(reads.RELEASES_OF_CASE, case=case_no)]

    async def release_items(self, release_no: str) -> list[ReleaseItem]:
        return [RELEASE_ITEM.read(row) for row in await self._rows(reads.RELEASE_ITEMS, number=release_no)]

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]:
        """Newest first."""
        query = reads.NEWEST_QUARANTINE if owner is None else reads.NEWEST_QUARANTINE_OF
        return [QUARANTINE.read(row) for row in await self._rows(query, whose=owner, limit=limit)]

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None:
        rows = await self._rows(reads.QUARANTINE_ROW, row=row_id)
        return QUARANTINE.read(rows[0]) if rows else None

    async def document(self, sha256: str) -> DocumentRow | None:
        rows = await self._rows(reads.DOCUMENT_BY_DIGEST, digest=sha256)
        return DOCUMENT.read(rows[0]) if rows else None

    async def document_readers(self, sha256: str) -> set[str]:
        rows = await self._rows(reads.DOCUMENT_READERS, digest=sha256)
        return {participant for row in rows for participant in row}

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        return {what: {row[0]: row[1] for row in await self._rows(query)} for what, query in reads.COUNTS.items()}

    async def ledger_page(self, where: LedgerFilter) -> list[LedgerLine]:
        found = await self._rows(
            books.ITEM_NUMBERS,
            ledger=where.ledger,
            after=where.after or "",
            first=where.first or "",
            last=where.last or LAST_DAY,
            limit=where.limit,
        )
        items = [row[0] for row in found]
        rows = await self._rows(books.LINES_OF_ITEMS, ledger=where.ledger, items=items) if items else []
        return [LEDGER.read(row) for row in rows]

    async def standing_lines(self, first: str, last: str) -> list[LedgerLine]:
        return [LEDGER.read(row) for row in await self._rows(books.STANDING_LINES, first=first, last=last)]

    async def living_requests(self, since: datetime) -> list[Request]:
        return [REQUEST.read(row) for row in await self._rows(books.LIVING_REQUESTS, since=since)]

    async def requests_named(self, numbers: Sequence[str]) -> list[Request]:
        return [
            REQUEST.read(row) for some in _some(numbers) for row in await self._rows(books.REQUESTS_NAMED, numbers=some)
        ]

    async def events_of(self, audience: str, numbers: Sequence[str]) -> list[Event]:
        return [
            EVENT.read(row)
            for some in _some(numbers)
            for row in await self._rows(books.EVENTS_OF, numbers=some, to=audience)
        ]

    async def measures_ending(self, states: Sequence[str], first: str, last: str) -> list[Measure]:
        rows = await self._rows(books.MEASURES_ENDING, states=states, first=first, last=last)
        return [MEASURE.read(row) for row in rows]

    async def court_figures(self, period: str) -> list[CourtFigure]:
        return [COURT_FIGURE.read(row) for row in await self._rows(books.COURT_FIGURES, period=period)]

    async def calendars(self) -> list[CalendarYear]:
        """By year."""
        return [CALENDAR.read(row) for row in await self._rows(reads.CALENDARS)]

    async def provisional(self, until: datetime) -> list[str]:
        return sorted({row[0] for row in await self._rows(reads.PROVISIONAL, until=until)})

    async def due_from(self, since: datetime) -> list[str]:
        return sorted({row[0] for row in await self._rows(reads.DUE_FROM, since=since)})

    async def now(self) -> datetime:
        if self.database.is_sqlite:
            return datetime.now(UTC)  # SQLite's clock is this machine's
        clock: datetime = await self._scalar(reads.CLOCK)
        return clock.astimezone(UTC)

    async def backlog(self) -> int:
        waiting: int = await self._scalar(reads.BACKLOG)
        return waiting

    async def oldest_unsent(self) -> datetime | None:
        stored_at: int | None = await self._scalar(reads.OLDEST_UNSENT)
        return None if stored_at is None else moment(stored_at)

    async def ping(self) -> None:
        """Raises StoreUnavailableError."""
        await self._rows(reads.PING)

    async def watch(self, stop: asyncio.Event) -> None:
        await hung.watch(self.database, stop)

    async def close(self) -> None:
        await self.database.close()
        if self._lock is not None:
            self._lock.release()

    async def _rows(self, query: Query, **parameters: Any) -> list[Row]:
        async with self.database.reader() as connection:
            return list(await connection.fetch(query, **parameters))

    async def _scalar(self, query: Query, **parameters: Any) -> Any:
        rows = await self._rows(query, **parameters)
        return rows[0][0] if rows else None


def _some(numbers: Sequence[str], size: int = 1000) -> list[Sequence[str]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
