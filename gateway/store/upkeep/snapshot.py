"""Reads one moment of a database beside the serving processes: writes nothing, and makes nobody wait.

SQLite: a connection of this process's own, in a read transaction (WAL: the writer goes on; the log cannot be reset
before this one ends). PostgreSQL: REPEATABLE READ, READ ONLY. Rows come in pieces, so memory does not depend on how
many there are. Not the store's own pool: its settings are for short statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import asyncpg
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.store.engine import postgres_url
from gateway.store.engine.columns import json_text
from gateway.store.engine.database import BUSY_TIMEOUT_MS, database_url, sqlite_path
from gateway.store.engine.faults import translated
from lianzhi.errors import StoreUnavailableError

CONNECT_SECONDS = 10.0
PIECE = 1000  # rows in memory for each statement
POSTGRES_SETTINGS = {
    "application_name": "lianzhi-snapshot",  # not `lianzhi`: those are serving processes
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "0",  # a copy may take long
    "statement_timeout": "0",
}
Row = Sequence[Any]


class DamagedStoreError(StoreUnavailableError):
    """The database can be reached and is broken: pages that cannot be read, or no database at all."""


class Snapshot(Protocol):
    """is_sqlite: which SQL it speaks."""

    is_sqlite: bool

    def rows(self, sql: str, keys: Collection[str] = ()) -> AsyncIterator[Row]:
        """Rows of a statement. keys: what `{keys}` in it stands for. Raises StoreUnavailableError."""
        ...


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """The database as it is now, until the block ends. Raises ConfigurationError (bad URL), StoreUnavailableError."""
    where = database_url(url)
    path = sqlite_path(where)
    if path is not None:
        found = SqliteSnapshot(path)
        try:
            yield found
        finally:
            found.close()
    else:
        async with _postgres(where) as snapshot:
            yield snapshot


class SqliteSnapshot:
    """connection: in a read transaction. A file that does not exist is not made."""

    is_sqlite = True

    def __init__(self, path: Path) -> None:
        if not path.is_file():  # asked by name: the file is not opened but by SQLite (its locks: lianzhi.files)
            raise StoreUnavailableError(f"{path}：没有这个数据库文件 there is no such database file")
        with broken_file():
            self.connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None
            )
            self.connection.execute("PRAGMA query_only=ON")
            self.connection.execute("BEGIN")
            self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the moment is now

    async def rows(self, sql: str, keys: Collection[str] = ()) -> AsyncIterator[Row]:
        values = (json_text(list(keys)),) if "{keys}" in sql else ()
        with broken_file():
            cursor = self.connection.execute(sql.replace("{keys}", "(SELECT value FROM json_each(?1))"), values)
        while True:
            with broken_file():
                piece = cursor.fetchmany(PIECE)
            if not piece:
                return
            for row in piece:
                yield row

    def close(self) -> None:
        self.connection.close()


@contextmanager
def broken_file() -> Iterator[None]:
    """Whatever SQLite says against reading: the store is unavailable, or damaged."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        kind = DamagedStoreError if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) else StoreUnavailableError
        raise kind(f"{name} {error}".strip()) from error


@contextmanager
def _read() -> Iterator[None]:
    """As `translated`; class XX is PostgreSQL's word for a damaged file."""
    try:
        with translated():
            yield
    except asyncpg.PostgresError as error:
        if not str(error.sqlstate).startswith("XX"):
            raise
        raise DamagedStoreError(f"{error.sqlstate} {error}") from error


class PostgresSnapshot:
    is_sqlite = False

    def __init__(self, driver: Any) -> None:  # asyncpg.Connection, untyped
        self._driver = driver

    async def rows(self, sql: str, keys: Collection[str] = ()) -> AsyncIterator[Row]:
        values = (list(keys),) if "{keys}" in sql else ()
        text = sql.replace("{keys}", "(SELECT UNNEST($1::TEXT[]))")
        with _read():
            cursor = await self._driver.cursor(text, *values)
        while True:
            with _read():
                piece = await cursor.fetch(PIECE)
            if not piece:
                return
            for row in piece:
                yield row

    async def exported(self) -> str:
        """A name under which another session sees the same moment, as long as this one lasts."""
        with translated():
            name: str = await self._driver.fetchval("SELECT pg_export_snapshot()")
        return name


@asynccontextmanager
async def _postgres(where: URL) -> AsyncIterator[PostgresSnapshot]:
    engine = create_async_engine(
        postgres_url.placed(where),
        poolclass=NullPool,
        connect_args=postgres_url.arguments(where, POSTGRES_SETTINGS, CONNECT_SECONDS),
    )
    try:
        with translated():
            pooled = await engine.raw_connection()
        driver: Any = pooled.driver_connection
        transaction = driver.transaction(isolation="repeatable_read", readonly=True)
        with translated():
            await transaction.start()
            await driver.fetchval("SELECT 1")  # the moment is now
        try:
            yield PostgresSnapshot(driver)
        finally:
            pooled.invalidate()  # closed: nothing was written, there is nothing to end
    finally:
        await engine.dispose()


@asynccontextmanager
async def session(url: str) -> AsyncIterator[Any]:
    """An asyncpg connection of its own that may write, for what is no unit of work: a restore."""
    where = database_url(url)
    engine = create_async_engine(
        postgres_url.placed(where),
        poolclass=NullPool,
        connect_args=postgres_url.arguments(where, {"application_name": "lianzhi-restore"}, CONNECT_SECONDS),
    )
    try:
        with translated():
            pooled = await engine.raw_connection()
        try:
            yield pooled.driver_connection
        finally:
            pooled.invalidate()
    finally:
        await engine.dispose()
