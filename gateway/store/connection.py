"""One database connection as the queries see it: named statements in, tuples out. Two drivers, one form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import aiosqlite

from gateway.errors import MisuseError
from gateway.store.bulk import Bulk
from gateway.store.query import Query

Row = Sequence[Any]


class Connection(Protocol):
    """locks: whether rows are locked (on SQLite the whole unit is alone). broken: not to be used again."""

    locks: bool
    broken: bool

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        """All rows. Raises the driver's errors, which `Database` translates."""
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
        self.broken = False
        self._driver = driver
        self._failed = False

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        text = query.sqlite
        try:
            return await self._driver.execute_fetchall(text.sql, text.values(parameters))
        except BaseException:
            self._failed = True
            raise

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        try:
            return (await self._driver.executemany(bulk.sqlite, rows)).rowcount
        except BaseException:
            self._failed = True
            raise

    async def begin(self) -> None:
        await self._driver.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        if self._failed:
            raise MisuseError("a unit of work went on after a statement had failed")
        await self._driver.commit()

    async def rollback(self) -> None:
        await self._driver.rollback()

    def closed(self) -> bool:
        return False


class PostgresConnection:
    """The driver prepares each text once; a failed statement ends the transaction by itself."""

    locks = True

    def __init__(self, driver: Any) -> None:  # asyncpg.Connection, untyped
        self.broken = False
        self._driver = driver

    async def fetch(self, query: Query, **parameters: Any) -> Iterable[Row]:
        text = query.postgresql
        rows: Iterable[Row] = await self._driver.fetch(text.sql, *text.values(parameters))
        return rows

    async def run(self, bulk: Bulk, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        status: str = await self._driver.execute(bulk.postgresql, *zip(*rows, strict=True))
        return int(status.rpartition(" ")[2])

    async def begin(self) -> None:
        await self._driver.execute("BEGIN")

    async def commit(self) -> None:
        if await self._driver.execute("COMMIT") != "COMMIT":
            raise MisuseError("a unit of work went on after a statement had failed")

    async def rollback(self) -> None:
        await self._driver.execute("ROLLBACK")

    def closed(self) -> bool:
        return bool(self._driver.is_closed())
