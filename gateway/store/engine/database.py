"""Connections: which database, how durable, who may write.

SQLite: WAL, every commit reaches the disk, one writer at a time (an asyncio lock in front, so nobody sleeps in
SQLite's busy handler), every writing unit `BEGIN IMMEDIATE`. PostgreSQL: READ COMMITTED with row locks; reads are
single statements in autocommit, which saves two round trips each.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from gateway.store.engine import postgres_url
from gateway.store.engine.connection import Asking, Connection, PostgresConnection, Row, SqliteConnection, SqliteDriver
from gateway.store.engine.faults import translated
from gateway.store.engine.statements import Query
from lianzhi.errors import ConfigurationError, MisuseError, StoreUnavailableError
from lianzhi.filelock import InUse
from lianzhi.files import WAL_BYTES, private_file

BUSY_TIMEOUT_MS = 5_000  # for a command-line tool writing beside the server
TURN_TIMEOUT_S = 5.0  # units wait side by side while another program holds the file, not one busy time after another
WAL_PAGES = WAL_BYTES // 4096  # from here on a commit brings the log into the database; the rest: `watch`
SQLITE_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is destroyed is overwritten, not only unlinked
    "cache_size=-8192",  # KiB, of each connection; the rest lies in the cache of the system
    f"wal_autocheckpoint={WAL_PAGES}",
    f"journal_size_limit={WAL_BYTES}",
    "temp_store=MEMORY",
)
# A frozen process gives back what it has locked before those who wait for it give up.
HUNG_SECONDS = 5
POSTGRES_SETTINGS = {
    "application_name": "lianzhi",
    "jit": "off",  # short statements only
    # Every query looks up keys in an index, and a plan is kept while a backlog grows a thousandfold: one made when
    # the table was small, or from statistics older than the backlog, must not scan, join or sort all of it.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_incremental_sort": "off",  # PostgreSQL 13; of a range that is ordered by its first column only
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": f"{HUNG_SECONDS}s",  # the rest: `watch`
}
POSTGRES_CONNECT_TIMEOUT_S = 10.0  # a host that drops our packets
POSTGRES_COMMAND_TIMEOUT_S = 15.0  # longer than lock_timeout
POOL_SIZE = 10
POOL_TIMEOUT_S = 10.0
# No overflow: a connection beyond the pool would have to be closed when it is given back, which takes a coroutine.
POOL: dict[str, Any] = {
    "pool_size": POOL_SIZE,
    "max_overflow": 0,
    "pool_timeout": POOL_TIMEOUT_S,
    "pool_reset_on_return": None,
}


def database_url(text: str) -> URL:
    """`sqlite:///path`, `postgresql://…` or the same with a driver, as a URL of our async drivers.

    Raises ConfigurationError for anything else.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError(_bad_url()) from None
    match url.get_backend_name():
        case "sqlite" if url.database not in (None, "", ":memory:"):
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            postgres_url.placed(url)  # refuses what it does not know
            return url.set(drivername="postgresql+asyncpg")
        case _:
            raise ConfigurationError(_bad_url())


def _bad_url() -> str:
    # The URL may hold a password: it is not repeated.
    return (
        "数据库地址应为 sqlite:///<文件> 或 postgresql://<用户>@<主机>/<库>（只写一台主机）。"
        " The database URL must be sqlite:///<file> or postgresql://<user>@<host>/<database> (one host)."
    )


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def create_engine(url: URL) -> AsyncEngine:
    """An engine with our settings; nothing is connected yet."""
    path = sqlite_path(url)
    if path is not None:
        engine = create_async_engine(url, async_creator=partial(_sqlite_driver, path), **POOL)

        def closed_to_others(*_: object) -> None:
            with suppress(OSError):  # SQLite says the same in its own words
                private_file(path)

        event.listen(engine.sync_engine, "do_connect", closed_to_others)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    return create_async_engine(
        postgres_url.placed(url),
        **POOL,
        connect_args={
            **postgres_url.arguments(url, POSTGRES_SETTINGS, POSTGRES_CONNECT_TIMEOUT_S),
            "command_timeout": POSTGRES_COMMAND_TIMEOUT_S,
        },
    )


async def _sqlite_driver(path: Path) -> SqliteDriver:
    driver = SqliteDriver(path)
    await driver
    return driver


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say, and IMMEDIATE
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        _execute_in_turn(cursor, f"PRAGMA {pragma}")
    cursor.close()


def _execute_in_turn(cursor: Any, statement: str) -> None:
    """Two connections that make one new file WAL at once would wait for each other: SQLite refuses one of them at
    once, without asking its busy handler (sqlite.org/c3ref/busy_handler). That one tries again.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


class Database:
    """Gives connections for one writing unit or one read.

    The pool is SQLAlchemy's; transactions are begun and ended here, so it has nothing to reset.
    """

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url)
        self.path = sqlite_path(url)
        self.is_sqlite = self.path is not None
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None
        self._in_use: InUse | None = None
        # SQLite's are kept aside when nobody waits for one: the pool's way there and back costs more than a statement.
        self._idle: list[tuple[Connection, PoolProxiedConnection]] = []
        self._asking = 0
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", self._opened)

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[Connection]:
        """One transaction: commits when the block ends, rolls back when it raises.

        Raises MisuseError for a unit inside another one on SQLite, which would wait for itself.
        """
        async with self._alone() if self.is_sqlite else nullcontext(), self._connection() as connection:
            try:
                await connection.begin()
                yield connection
                await connection.commit()
            except BaseException:
                await _take_back(connection)
                raise

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """While no unit of this process writes, outside any transaction (SQLite)."""
        async with self._alone(), self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Connection]:
        """For one statement, in autocommit: no BEGIN, no COMMIT."""
        async with self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        held = self._idle.pop() if self._idle else await self._from_pool()
        connection, pooled = held
        try:
            yield connection
        finally:
            if connection.broken or connection.closed():
                pooled.invalidate()
            elif self._asking or not self.is_sqlite:
                pooled.close()
            else:
                self._idle.append(held)

    async def _from_pool(self) -> tuple[Connection, PoolProxiedConnection]:
        self._asking += 1
        try:
            with translated():
                pooled = await self.engine.raw_connection()
                while (connection := self._of(pooled)).closed():  # the server went away while nobody used it
                    pooled.invalidate()
                    pooled = await self.engine.raw_connection()
        finally:
            self._asking -= 1
        return connection, pooled

    def _of(self, pooled: PoolProxiedConnection) -> Connection:
        driver: Any = pooled.driver_connection
        return SqliteConnection(driver) if self.is_sqlite else PostgresConnection(driver)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if self._writer is task:
            raise MisuseError("a unit of work inside another one")
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await self._writing.acquire()
        except TimeoutError:
            raise StoreUnavailableError("the units before this one did not end") from None
        self._writer = task
        try:
            yield
        finally:
            self._writer = None
            self._writing.release()

    def _opened(self, *_: object) -> None:
        if self._in_use is None and self.path is not None:
            self._in_use = InUse(self.path)

    async def close(self) -> None:
        while self._idle:
            _, pooled = self._idle.pop()
            pooled.close()
        await self.engine.dispose()
        if self._in_use is not None:
            self._in_use.end()
            self._in_use = None


class Reads(Asking):
    """Asks without a unit of work: each statement on a connection of its own, in autocommit."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _rows(self, query: Query, **parameters: Any) -> Sequence[Row]:
        async with self.database.reader() as connection:
            return await connection.fetch(query, **parameters)


async def _take_back(connection: Connection) -> None:
    """Roll back; a connection whose state is then unknown leaves the pool, and the database rolls back by itself.

    The error that ended the unit is the one to tell.
    """
    if connection.broken:
        return
    connection.broken = True
    try:
        await connection.rollback()
    except StoreUnavailableError:
        return
    connection.broken = False
