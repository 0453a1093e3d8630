"""One database connection as the queries see it: named statements in, tuples out. Two drivers, one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import aiosqlite

from gateway.store.bulk import Bulk
from gateway.store.faults import translated
from gateway.store.query import Query
from lianzhi.errors import MisuseError, StoreUnavailableError

Row = Sequence[Any]
WENT_ON = "a unit of work went on after a statement had failed"


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


class SqliteConnection:
    """Each statement is one change to the driver's thread and back."""

    locks = False

    def __init__(self, driver: aiosqlite.Connection) -> None:
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
