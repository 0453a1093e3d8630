"""One database connection as the queries see it: named statements in, tuples out. Two drivers, one form."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from gateway.store.engine.columns import R, Stored
from gateway.store.engine.faults import translated
from gateway.store.engine.statements import Bulk, Query, Values, Write
from lianzhi.errors import MisuseError, StoreUnavailableError

Row = Sequence[Any]
FETCHED_AT_ONCE = 64  # rows, of a cursor that is walked through
WENT_ON = "a unit of work went on after a statement had failed"


class Connection(Protocol):
    """locks: whether rows are locked (on SQLite the whole unit is alone). failed: the unit may not commit.
    broken: not to be used again."""

    locks: bool
    failed: bool
    broken: bool

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Row]:
        """All rows. Raises ConflictError and StoreUnavailableError, as everything here does."""
        ...

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        """Execute for all rows; how many were inserted, changed or deleted. No rows: no statement."""
        ...

    async def run_all(self, writes: Sequence[Write]) -> None:
        """One after the other, where none needs an answer in between; on SQLite with the unit's next statement or its
        commit. Raises the first `missing` that is due, then or there."""
        ...

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Sequence[Row]]:
        """The rows of each, read one after the other. parameters: of all of them together."""
        ...

    async def begin(self) -> None: ...

    async def commit(self) -> None:
        """Raises MisuseError when a statement had failed: half a unit is never committed."""
        ...

    async def rollback(self) -> None: ...

    def closed(self) -> bool: ...


class Asking:
    """Runs named statements: `Unit` on its own connection, the store on one that it takes for each."""

    def _rows(self, query: Query, **parameters: Any) -> Awaitable[Sequence[Row]]:
        raise NotImplementedError

    async def _all(self, stored: Stored[R], query: Query, **parameters: Any) -> list[R]:
        """The records of all rows."""
        return [stored.read(row) for row in await self._rows(query, **parameters)]

    async def _one(self, stored: Stored[R], query: Query, **parameters: Any) -> R | None:
        """The record of the first row; None without rows."""
        rows = await self._rows(query, **parameters)
        return stored.read(rows[0]) if rows else None

    async def _scalar(self, query: Query, **parameters: Any) -> Any:
        """The first column of the first row; None without rows."""
        rows = await self._rows(query, **parameters)
        return rows[0][0] if rows else None


class Unit(Asking):
    """Asks on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, query: Query, **parameters: Any) -> Awaitable[Sequence[Row]]:
        return self._db.fetch(query, **parameters)


class SqliteDriver(aiosqlite.Connection):
    """A change to the driver's thread and back costs more than most statements: several go in one.

    Its thread lasts no longer than the process, as SQLAlchemy has it for its own."""

    def __init__(self, path: Path) -> None:
        super().__init__(partial(sqlite3.connect, path, check_same_thread=False), iter_chunk_size=FETCHED_AT_ONCE)
        self._thread.daemon = True

    async def work(self, work: Work) -> Done:
        done: Done = await self._execute(_worked, self._conn, work)  # type: ignore[no-untyped-call]
        return done


@dataclass(slots=True)
class Work:
    """Statements in this order: `BEGIN`, writes, reads, `COMMIT`."""

    begin: bool = False
    writes: Sequence[Write] = ()
    reads: Sequence[tuple[str, Values]] = ()
    commit: bool = False


@dataclass(slots=True)
class Done:
    """counts: of rows, by write. rows: by read. missing: of a write that did not find all of its rows; it was the last
    thing done."""

    counts: list[int]
    rows: list[list[Row]]
    missing: Exception | None = None


def _worked(connection: sqlite3.Connection, work: Work) -> Done:
    done = Done([], [])
    if work.begin:
        connection.execute("BEGIN IMMEDIATE")
    for write in work.writes:
        count = connection.executemany(write.bulk.sqlite, write.rows).rowcount
        done.counts.append(count)
        if count != len(write.rows) and write.missing is not None:
            done.missing = write.missing
            return done
    done.rows = [connection.execute(sql, values).fetchall() for sql, values in work.reads]
    if work.commit:
        connection.commit()
    return done


class SqliteConnection:
    """A unit begins with its first statement, and what `run_all` is given waits for the next one or the commit: so most
    units change to the driver's thread and back two or three times, not once for each of their statements."""

    locks = False

    def __init__(self, driver: SqliteDriver) -> None:
        self.failed = self.broken = False
        self._driver = driver
        self._in_unit = self._to_begin = False
        self._waiting: list[Write] = []

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Row]:
        (rows,) = await self.fetch_all((query,), **parameters)
        return rows

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Sequence[Row]]:
        texts = [query.sqlite for query in queries]
        return [*(await self._work(reads=[(text.sql, text.values(parameters)) for text in texts])).rows]

    async def run(self, bulk: Bulk, rows: Sequence[Values]) -> int:
        if not rows:
            return 0
        self._waiting.append(Write(bulk, rows))
        return (await self._work()).counts[-1]

    async def run_all(self, writes: Sequence[Write]) -> None:
        self._waiting += [write for write in writes if write.rows]
        if not self._in_unit:
            await self._work()

    async def pragma(self, words: str) -> Row:
        """`PRAGMA <words>`, outside a transaction; its row, empty where it has none."""
        with translated():
            return next(iter(await self._driver.execute_fetchall(f"PRAGMA {words}")), ())

    async def begin(self) -> None:
        self.failed, self._to_begin, self._in_unit = False, True, True

    async def commit(self) -> None:
        if self.failed:
            raise MisuseError(WENT_ON)
        if self._waiting or not self._to_begin:
            await self._work(commit=True)
        self._in_unit = self._to_begin = False

    async def rollback(self) -> None:
        self._waiting.clear()
        self.failed = self._in_unit = self._to_begin = False
        with translated():
            await self._driver.rollback()

    def closed(self) -> bool:
        return False

    async def _work(self, *, reads: Sequence[tuple[str, Values]] = (), commit: bool = False) -> Done:
        """After a failed statement nothing more is done: where `BEGIN` or the disk failed there is no transaction left,
        and SQLite would commit each further statement by itself."""
        if self.failed:
            raise MisuseError(WENT_ON)
        work = Work(self._to_begin, self._waiting, reads, commit)
        self._to_begin, self._waiting = False, []
        try:
            with translated():
                done = await self._driver.work(work)
            if done.missing is not None:
                raise done.missing
        except BaseException:
            self.failed = self._in_unit
            raise
        return done


class PostgresConnection:
    """The driver prepares each text once; a failed statement ends the transaction by itself."""

    locks = True

    def __init__(self, driver: Any) -> None:  # asyncpg.Connection, untyped
        self.failed = self.broken = False
        self._driver = driver

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Row]:
        text = query.postgresql
        with self._statement():
            rows: Sequence[Row] = await self._driver.fetch(text.sql, *text.values(parameters))
        return rows

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        with self._statement():
            status: str = await self._driver.execute(bulk.postgresql, *zip(*rows, strict=True))
        return int(status.rpartition(" ")[2])

    async def run_all(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if await self.run(write.bulk, write.rows) != len(write.rows) and write.missing is not None:
                raise write.missing

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Sequence[Row]]:
        return [await self.fetch(query, **parameters) for query in queries]

    async def begin(self) -> None:
        with self._statement():
            await self._driver.execute("BEGIN")

    async def commit(self) -> None:
        if self.failed:
            raise MisuseError(WENT_ON)
        with self._statement():
            status = await self._driver.execute("COMMIT")
        if status != "COMMIT":
            raise MisuseError(WENT_ON)

    async def rollback(self) -> None:
        with self._statement():
            await self._driver.execute("ROLLBACK")

    def closed(self) -> bool:
        return bool(self._driver.is_closed())

    @contextmanager
    def _statement(self) -> Iterator[None]:
        """A link that failed or stopped answering is given up, not asked to roll back."""
        try:
            with translated():
                yield
        except StoreUnavailableError:
            self.broken = True
            raise
