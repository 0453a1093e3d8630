"""The database: reads that need no lock, units of work, leases. `application.ports.Store`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.application.ports import LONGEST_WAITS, LedgerFilter, MeasureFilter, RequestFilter
from gateway.core.doubts import Doubt
from gateway.core.forgotten import Forgotten, ForgottenRequest
from gateway.core.marks import Standing
from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    CaseDebt,
    CourtFigure,
    DocumentRow,
    EarlyMessage,
    Event,
    IdempotencyRow,
    LeasedMessage,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    Page,
    PartnerClock,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    Submission,
)
from gateway.core.retry import LongestWaits
from gateway.store import (
    books,
    budgets,
    counts,
    doubts,
    early,
    faults,
    forgotten,
    hung,
    leasing,
    paging,
    papers,
    probe,
    reads,
    standing,
    wal,
)
from gateway.store.columns import moment
from gateway.store.connection import Row
from gateway.store.engine import Database, database_url, sqlite_path
from gateway.store.lock import SingleProcessLock
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
    CALENDAR,
    CASE_DEBT,
    COURT_FIGURE,
    DOCUMENT,
    EVENT,
    FORGOTTEN,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    PAGE,
    PARTNER_CLOCK,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBMISSION,
)
from gateway.store.transaction import APPROVALS_OF, SqlTransaction
from gateway.store.version import is_current
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.faults import cause_of

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
        await store.check_direct()
        if not await is_current(store.database.engine):
            raise ConfigurationError(
                "数据库结构不是本版本的，请先运行 lianzhi db migrate。"
                " The database schema is not this version's; run `lianzhi db migrate` first."
            )
    except BaseException as error:
        await store.close()
        if isinstance(error, StoreUnavailableError) and faults.is_refusal(error.__cause__):
            raise ConfigurationError(
                f"[store] url：数据库拒绝连接（{cause_of(error)}），请核对用户、密码与库名。"
                " The database refuses the connection; see to user, password and database name."
            ) from error
        raise
    return store


class SqlStore:
    """SQLite or PostgreSQL; one instance for one event loop."""

    def __init__(self, database: Database, lock: SingleProcessLock | None = None) -> None:
        self.database = database
        self._lock = lock
        self._turns = leasing.Turns()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlTransaction]:
        async with self.database.writer() as connection:
            yield SqlTransaction(connection)

    async def lease_outbox(
        self, owner: str, now: datetime, term: timedelta, limit: int, longest: LongestWaits = LONGEST_WAITS
    ) -> list[LeasedMessage]:
        async with self.database.reader() as connection:
            routes = await leasing.ready_routes(connection, now, longest)
        if not routes:
            return []  # an idle poll is one read: no write lock, no transaction
        async with self.database.writer() as connection:
            return await leasing.lease(connection, owner, now, term, limit, routes, self._turns, longest)

    async def request(self, request_no: str) -> Request | None:
        rows = await self._rows(reads.REQUEST_BY_NUMBER, number=request_no)
        return REQUEST.read(rows[0]) if rows else None

    async def requests(self, where: RequestFilter) -> list[Request]:
        query, parameters = reads.page_of_requests(where)
        return [REQUEST.read(row) for row in await self._rows(query, **parameters)]

    async def messages(self, request_no: str) -> list[Message]:
        return [MESSAGE.read(row) for row in await self._rows(reads.MESSAGES_OF, number=request_no)]

    async def message_page(self, request_no: str, after: tuple[datetime, str], limit: int) -> list[Message]:
        at, last = after
        rows = await self._rows(reads.MESSAGE_PAGE, number=request_no, at=at, last=last, limit=limit)
        return [MESSAGE.read(row) for row in rows]

    async def submission_of(self, request_no: str) -> Submission | None:
        rows = await self._rows(reads.SUBMISSION_OF, number=request_no)
        return SUBMISSION.read(rows[0]) if rows else None

    async def remembered(
        self, keys: Sequence[tuple[str, str]], signed: Sequence[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], IdempotencyRow], dict[tuple[str, str], Submission]]:
        async with self.database.reader() as connection:
            tx = SqlTransaction(connection)
            return await tx.idempotency(keys), await tx.submissions(signed)

    async def events(self, audience: str, after: int, limit: int) -> list[Event]:
        rows = await self._rows(reads.EVENTS_AFTER, to=audience, after=after, limit=limit)
        return [EVENT.read(row) for row in rows]

    async def first_event(self) -> int | None:
        first: int | None = await self._scalar(reads.FIRST_EVENT)
        return first

    async def last_event(self) -> int:
        return await self._scalar(reads.LAST_EVENT) or 0

    async def newest_event_at(self) -> datetime | None:
        at: int | None = await self._scalar(reads.NEWEST_EVENT_AT)
        return None if at is None else moment(at)

    async def doubt(self, client: str, key: str) -> Doubt | None:
        rows = await self._rows(doubts.DOUBT, which=key, whose=client)
        return doubts.read(rows[0]) if rows else None

    async def doubts(self, limit: int) -> list[Doubt]:
        return [doubts.read(row) for row in await self._rows(doubts.DOUBTS, limit=limit)]

    async def doubts_ended(self, incarnation: str) -> bool:
        return await self._scalar(doubts.ENDED, incarnation=incarnation) is not None

    async def standing(self, since: str) -> Standing:
        async with self.database.reader() as connection:
            return await standing.standing(connection, since)

    async def audiences(self, after: int, until: int) -> set[str]:
        return {row[0] for row in await self._rows(reads.AUDIENCES, after=after, until=until)}

    async def timeline(self, request_no: str) -> list[Event]:
        return [EVENT.read(row) for row in await self._rows(reads.TIMELINE, number=request_no)]

    async def requests_of_case(self, opener: str, case_no: str) -> list[Request]:
        rows = await self._rows(reads.OPENED_IN_CASE, opener=opener, case=case_no, **reads.range_of(opener))
        return [REQUEST.read(row) for row in rows]

    async def requests_of_group(self, opener: str, group_no: str) -> list[Request]:
        rows = await self._rows(reads.OPENED_IN_GROUP, opener=opener, group=group_no, **reads.range_of(opener))
        return [REQUEST.read(row) for row in rows]

    async def timeline_page(self, request_no: str, audience: str, after: int, limit: int) -> list[Event]:
        rows = await self._rows(reads.TIMELINE_PAGE, number=request_no, to=audience, after=after, limit=limit)
        return [EVENT.read(row) for row in rows]

    async def find_measures(self, *, states: Sequence[str]) -> list[Measure]:
        return [MEASURE.read(row) for row in await self._rows(reads.MEASURES_IN, states=states)]

    async def measures_of_case(self, opener: str, case_no: str, states: Sequence[str]) -> list[Measure]:
        rows = await self._rows(reads.MEASURES_OF_CASE, states=states, case=case_no, court=opener)
        return [MEASURE.read(row) for row in rows]

    async def debts_of_case(self, court: str, case_no: str) -> list[CaseDebt]:
        return [CASE_DEBT.read(row) for row in await self._rows(reads.DEBTS_OF_CASE, case=case_no, court=court)]

    async def measures(self, where: MeasureFilter) -> list[Measure]:
        if not where.states:
            return []
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
        rows = await self._rows(papers.DOCUMENT_BY_DIGEST, digest=sha256)
        return DOCUMENT.read(rows[0]) if rows else None

    async def document_put(self, sha256: str, participant: str) -> DocumentRow | None:
        rows = await self._rows(papers.PUT_BY, digest=sha256, whose=participant)
        return DOCUMENT.read(rows[0]) if rows else None

    async def documents_unnamed(self, participant: str) -> tuple[int, int]:
        count, used = (await self._rows(budgets.UNNAMED, whose=participant))[0]
        return count, int(used)

    async def document_readers(self, sha256: str) -> set[str]:
        return {participant for (participant,) in await self._rows(papers.READERS, digest=sha256)}

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        rows = await self._rows(papers.READABLE, digests=digests, whose=participant) if digests else ()
        return {sha256 for (sha256,) in rows}

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        return {
            what: {row[0]: row[1] for row in await self._rows(query, most=counts.MOST)}
            for what, query in counts.COUNTS.items()
        }

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

    async def early_due(self, until: datetime, limit: int) -> list[EarlyMessage]:
        async with self.database.reader() as connection:
            return await early.due(connection, until, limit)

    async def forgotten(self, limit: int) -> list[ForgottenRequest]:
        return [forgotten.read(row) for row in await self._rows(forgotten.LIST, limit=limit)]

    async def forgotten_of(self, request_no: str) -> list[Forgotten]:
        return [FORGOTTEN.read(row) for row in await self._rows(forgotten.OF_REQUEST, number=request_no)]

    async def submitted_as(self, submissionhash: str) -> list[str]:
        return [row[0] for row in await self._rows(forgotten.SUBMITTED_AS, digest=submissionhash)]

    async def partner_clocks(self) -> list[PartnerClock]:
        return [PARTNER_CLOCK.read(row) for row in await self._rows(early.PARTNER_CLOCKS)]

    async def backlog(self) -> int:
        waiting: int = await self._scalar(reads.BACKLOG)
        return waiting

    async def oldest_unsent(self) -> datetime | None:
        stored_at: int | None = await self._scalar(reads.OLDEST_UNSENT)
        return None if stored_at is None else moment(stored_at)

    async def check_direct(self) -> None:
        """Raises ConfigurationError: the session lacks the settings that we asked for, so something stands between us
        and the database."""
        if not self.database.is_sqlite and await self._scalar(reads.SESSION_SETTING) != "off":
            raise ConfigurationError(faults.POOLER)

    async def ping(self) -> None:
        """Raises StoreUnavailableError."""
        await self._rows(reads.PING)

    async def try_writing(self, now: datetime) -> None:
        """Raises StoreUnavailableError."""
        async with self.database.writer() as connection:
            await probe.write(connection, now)

    async def watch(self, stop: asyncio.Event) -> None:
        watch = wal.watch if self.database.is_sqlite else hung.watch
        await watch(self.database, stop)

    def wal_bytes(self) -> int | None:
        return wal.wal_bytes(self.database.path) if self.database.path is not None else None

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
