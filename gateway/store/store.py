"""The database: reads that need no lock, units of work, leases. `services.ports.Store`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, literal, select, text, union_all
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.records import (
    DocumentRow,
    Event,
    LeasedMessage,
    Measure,
    Message,
    QuarantineRow,
    Request,
    Submission,
)
from gateway.errors import ConfigurationError
from gateway.services.ports import RequestFilter
from gateway.store import outbox
from gateway.store.engine import Database, database_url, sqlite_path
from gateway.store.lock import SingleProcessLock
from gateway.store.migrate import is_current
from gateway.store.rows import DOCUMENT, EVENT, MEASURE, MESSAGE, QUARANTINE, REQUEST, SUBMISSION, Codec, R
from gateway.store.tables import (
    document_refs,
    documents,
    events,
    measures,
    messages,
    quarantine,
    requests,
    submissions,
    timers,
)
from gateway.store.tables import outbox as outbox_table
from gateway.store.transaction import SqlTransaction


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
        async with store.database.reader() as connection:
            if not await connection.run_sync(is_current):
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
        if self.database.is_sqlite:  # an idle poll takes no write lock
            async with self.database.reader() as reading:
                if not await outbox.any_ready(reading, now):
                    return []
        async with self.database.writer() as connection:
            return await outbox.lease(connection, owner, now, term, limit)

    async def request(self, request_no: str) -> Request | None:
        return await self._one(REQUEST, requests.c.request_no == request_no)

    async def requests(self, where: RequestFilter) -> list[Request]:
        rows = await self._rows(_page_of_requests(where))
        return [REQUEST.read(row) for row in rows]

    async def messages(self, request_no: str) -> list[Message]:
        rows = await self._rows(
            select(*MESSAGE.columns)
            .where(messages.c.request_no == request_no)
            .order_by(messages.c.stored_at, messages.c.id)
        )
        return [MESSAGE.read(row) for row in rows]

    async def submission_of(self, request_no: str) -> Submission | None:
        """What opened the request; the members of a group share one."""
        rows = await self._rows(
            select(*SUBMISSION.columns)
            .join(
                requests,
                (submissions.c.id == requests.c.submission_id) & (submissions.c.sender == requests.c.asker),
            )
            .where(requests.c.request_no == request_no)
        )
        return SUBMISSION.read(rows[0]) if rows else None

    async def events(self, audience: str, after: int, limit: int) -> list[Event]:
        rows = await self._rows(
            select(*EVENT.columns)
            .where(events.c.audience == audience, events.c.id > after)
            .order_by(events.c.id)
            .limit(limit)
        )
        return [EVENT.read(row) for row in rows]

    async def oldest_event(self, audience: str) -> int | None:
        oldest: int | None = await self._scalar(select(func.min(events.c.id)).where(events.c.audience == audience))
        return oldest

    async def last_event(self) -> int:
        return await self._scalar(select(func.max(events.c.id))) or 0

    async def timeline(self, request_no: str) -> list[Event]:
        rows = await self._rows(select(*EVENT.columns).where(events.c.request_no == request_no).order_by(events.c.id))
        return [EVENT.read(row) for row in rows]

    async def find_measures(self, *, states: Sequence[str], case_no: str | None = None) -> list[Measure]:
        query = select(*MEASURE.columns).where(measures.c.state.in_(states)).order_by(measures.c.measure_no)
        if case_no is not None:
            query = query.where(measures.c.case_no == case_no)
        return [MEASURE.read(row) for row in await self._rows(query)]

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]:
        """Newest first."""
        query = select(*QUARANTINE.columns).order_by(quarantine.c.id.desc()).limit(limit)
        if owner is not None:
            query = query.where(quarantine.c.owner == owner)
        return [QUARANTINE.read(row) for row in await self._rows(query)]

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None:
        return await self._one(QUARANTINE, quarantine.c.id == row_id)

    async def document(self, sha256: str) -> DocumentRow | None:
        return await self._one(DOCUMENT, documents.c.sha256 == sha256)

    async def document_readers(self, sha256: str) -> set[str]:
        rows = await self._rows(
            select(requests.c.asker, requests.c.asked)
            .join(document_refs, document_refs.c.request_no == requests.c.request_no)
            .where(document_refs.c.sha256 == sha256)
        )
        return {participant for row in rows for participant in row}

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Sent and cancelled outbox rows are not counted: there are millions, and nobody waits for them."""
        r, o, q, t = requests.c, outbox_table.c, quarantine.c, timers.c
        unsent = text("(state = 'ready' OR state = 'parked')")
        return {
            "requests": await self._tally(select(r.type + "|" + r.state, func.count()).group_by(r.type, r.state)),
            "outbox": await self._tally(select(o.state, func.count()).where(unsent).group_by(o.state)),
            "quarantine": await self._tally(select(q.reason, func.count()).group_by(q.reason)),
            "timers": await self._tally(select(t.kind, func.count()).group_by(t.kind)),
        }

    async def now(self) -> datetime:
        if self.database.is_sqlite:
            return datetime.now(UTC)  # SQLite's clock is this machine's
        value: datetime = await self._scalar(select(func.clock_timestamp()))
        return value.astimezone(UTC)

    async def backlog(self) -> int:
        return await self._scalar(select(func.count()).select_from(outbox_table).where(text("state = 'ready'"))) or 0

    async def oldest_unsent(self) -> datetime | None:
        """The first of the rows that wait: ids are given in the order of writing."""
        o, m = outbox_table.c, messages.c
        first = select(func.min(o.id)).where(text("(state = 'ready' OR state = 'parked')")).scalar_subquery()
        rows = await self._rows(
            select(m.stored_at).join(outbox_table, (m.id == o.message_id) & (m.sender == o.sender)).where(o.id == first)
        )
        return rows[0][0] if rows else None

    async def ping(self) -> None:
        """Raises StoreUnavailableError."""
        await self._rows(select(literal(1)))

    async def close(self) -> None:
        await self.database.close()
        if self._lock is not None:
            self._lock.release()

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async with self.database.reader() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows

    async def _tally(self, query: Select[Any]) -> dict[str, int]:
        return {str(row[0]): int(row[-1]) for row in await self._rows(query)}

    async def _scalar(self, query: Select[Any]) -> Any:
        async with self.database.reader() as connection:
            return await connection.scalar(query)

    async def _one(self, codec: Codec[R], condition: ColumnElement[bool]) -> R | None:
        rows = await self._rows(select(*codec.columns).where(condition))
        return codec.read(rows[0]) if rows else None


def _page_of_requests(where: RequestFilter) -> Select[Any]:
    """One page in request_no order. A participant's are two index ranges: those it opened (its code begins their
    number) and those it was asked."""
    if where.participant is None:
        return _matching(where)
    opened = _matching(where).where(
        requests.c.asker == where.participant,
        requests.c.request_no > f"{where.participant}-",
        requests.c.request_no < f"{where.participant}.",
    )
    asked = _matching(where).where(requests.c.asked == where.participant)
    both = union_all(select(opened.subquery()), select(asked.subquery())).subquery()
    return select(both).order_by(both.c.request_no).limit(where.limit)


def _matching(where: RequestFilter) -> Select[Any]:
    r = requests.c
    wanted = {r.case_no: where.case_no, r.type: where.type, r.state: where.state, r.asked: where.receiver}
    query = select(*REQUEST.columns).where(*(c == value for c, value in wanted.items() if value is not None))
    if where.group_no is not None:
        query = query.where(r.group_no == where.group_no)
    if where.after is not None:
        query = query.where(r.request_no > where.after)
    return query.order_by(r.request_no).limit(where.limit)
