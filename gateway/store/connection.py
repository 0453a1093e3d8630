"""One database connection as the queries see it: named statements in, tuples out. Two drivers, one form."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from gateway.store.bulk import Bulk
from gateway.store.faults import translated
from gateway.store.query import Query
from lianzhi.errors import MisuseError, StoreUnavailableError

Row = Sequence[Any]
Values = Sequence[Any]
FETCHED_AT_ONCE = 64  # rows, of a cursor that is walked through
WENT_ON = "a unit of work went on after a statement had failed"


@dataclass(frozen=True, slots=True)
class Write:
    """One statement for all `rows`. missing: raised where not every row of an update was found."""

    bulk: Bulk
    rows: Sequence[Values]
    missing: Exception | None = None


class Connection(Protocol):
    """locks: whether rows are locked (on SQLite the whole unit is alone). failed: the unit may not commit.
    broken: not to be used again."""

    locks: bool
    failed: bool
    broken: bool

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        """All rows. Raises ConflictError and StoreUnavailableError, as everything here does."""
        ...

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        """Execute for all rows; how many were inserted, changed or deleted. No rows: no statement."""
        ...

    async def run_all(self, writes: Sequence[Write]) -> None:
        """One after the other, where none needs an answer in between. Raises the first `missing` that is due."""
        ...

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Iterable[Row]]:
        """The rows of each, read one after the other. parameters: of all of them together."""
        ...

    async def begin(self) -> None: ...

    async def commit(self) -> None:
        """Raises MisuseError when a statement had failed: half a unit is never committed."""
        ...

    async def rollback(self) -> None: ...

    def closed(self) -> bool: ...


async def scalar(connection: Connection, query: Query, **parameters: Any) -> Any:
    """The first column of the first row; None without rows."""
    for row in await connection.fetch(query, **parameters):
        return row[0]
    return None


class SqliteDriver(aiosqlite.Connection):
    """A change to the driver's thread and back costs more than most statements: several go in one.

    Its thread lasts no longer than the process, as SQLAlchemy has it for its own."""

    def __init__(self, path: Path) -> None:
        super().__init__(partial(sqlite3.connect, path, check_same_thread=False), iter_chunk_size=FETCHED_AT_ONCE)
        self._thread.daemon = True

    async def executemany_each(self, work: Sequence[tuple[str, Sequence[Values], bool]]) -> int | None:
        """(SQL, rows, whether each must be found); the place of the first whose rows were not, where it ended."""
        place: int | None = await self._execute(_executemany_each, self._conn, work)  # type: ignore[no-untyped-call]
        return place

    async def fetchall_each(self, work: Sequence[tuple[str, Values]]) -> list[list[Row]]:
        rows: list[list[Row]] = await self._execute(_fetchall_each, self._conn, work)  # type: ignore[no-untyped-call]
        return rows


def _executemany_each(connection: sqlite3.Connection, work: Sequence[tuple[str, Sequence[Values], bool]]) -> int | None:
    for place, (sql, rows, each) in enumerate(work):
        if connection.executemany(sql, rows).rowcount != len(rows) and each:
            return place
    return None


def _fetchall_each(connection: sqlite3.Connection, work: Sequence[tuple[str, Values]]) -> list[list[Row]]:
    return [connection.execute(sql, values).fetchall() for sql, values in work]


class SqliteConnection:
    """Each call is one change to the driver's thread and back."""

    locks = False

    def __init__(self, driver: SqliteDriver) -> None:
        self.failed = self.broken = False
        self._driver = driver

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        text = query.sqlite
        with self._statement():
            return await self._driver.execute_fetchall(text.sql, text.values(parameters))

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        with self._statement():
            return (await self._driver.executemany(bulk.sqlite, rows)).rowcount

    async def run_all(self, writes: Sequence[Write]) -> None:
        due = [write for write in writes if write.rows]
        if not due:
            return
        with self._statement():
            work = [(write.bulk.sqlite, write.rows, write.missing is not None) for write in due]
            place = await self._driver.executemany_each(work)
            if place is not None and (missing := due[place].missing):
                raise missing

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Iterable[Row]]:
        texts = [query.sqlite for query in queries]
        with self._statement():
            return [*await self._driver.fetchall_each([(text.sql, text.values(parameters)) for text in texts])]

    async def pragma(self, words: str) -> Row:
        """`PRAGMA <words>`, outside a transaction; its row, empty where it has none."""
        with translated():
            return next(iter(await self._driver.execute_fetchall(f"PRAGMA {words}")), ())

    async def begin(self) -> None:
        with translated():
            await self._driver.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        if self.failed:
            raise MisuseError(WENT_ON)
        with translated():
            await self._driver.commit()

    async def rollback(self) -> None:
        with translated():
            await self._driver.rollback()

    def closed(self) -> bool:
        return False

    @contextmanager
    def _statement(self) -> Iterator[None]:
        """After a failed statement SQLite would commit the others."""
        try:
            with translated():
                yield
        except BaseException:
            self.failed = True
            raise


class PostgresConnection:
    """The driver prepares each text once; a failed statement ends the transaction by itself."""

    locks = True

    def __init__(self, driver: Any) -> None:  # asyncpg.Connection, untyped
        self.failed = self.broken = False
        self._driver = driver

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        text = query.postgresql
        with self._statement():
            rows: Iterable[Row] = await self._driver.fetch(text.sql, *text.values(parameters))
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

    async def fetch_all(self, queries: Sequence[Query], **parameters: Any) -> list[Iterable[Row]]:
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
