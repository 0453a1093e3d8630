"""Connections: which database, how durable, who may write.

SQLite: WAL, every commit reaches the disk, one writer at a time (an asyncio lock in front, so nobody sleeps in
SQLite's busy handler), every writing unit `BEGIN IMMEDIATE`. PostgreSQL: READ COMMITTED with row locks; reads are
single statements in autocommit, which saves two round trips each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import ConfigurationError, MisuseError
from gateway.store.faults import translated

BUSY_TIMEOUT_MS = 5_000  # for a command-line tool writing beside the server
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "foreign_keys=ON",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
    "temp_store=MEMORY",
)
POSTGRES_SETTINGS = {
    "application_name": "lianzhi",
    "jit": "off",  # short statements only
    # Every query has its index, and a plan is kept while a backlog grows a thousandfold: one made when the table
    # was small, or from statistics older than the backlog, must not scan or sort it.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",  # a frozen process gives its row locks back
}
POSTGRES_COMMAND_TIMEOUT_S = 30.0
POOL_SIZE = 10
POOL_TIMEOUT_S = 10.0


def database_url(text: str) -> URL:
    """`sqlite:///path`, `postgresql://…` or the same with a driver, as a URL of our async drivers.

    Raises ConfigurationError for anything else.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigurationError(_bad_url()) from None
    match url.get_backend_name():
        case "sqlite" if url.database not in (None, "", ":memory:"):
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
        case _:
            raise ConfigurationError(_bad_url())


def _bad_url() -> str:
    # The URL may hold a password: it is not repeated.
    return (
        "数据库地址应为 sqlite:///<文件> 或 postgresql://<用户>@<主机>/<库>。"
        " The database URL must be sqlite:///<file> or postgresql://<user>@<host>/<database>."
    )


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def create_engine(url: URL) -> AsyncEngine:
    """An engine with our settings; nothing is connected yet."""
    if sqlite_path(url) is not None:
        engine = create_async_engine(url, pool_size=POOL_SIZE, pool_timeout=POOL_TIMEOUT_S)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_size=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"server_settings": POSTGRES_SETTINGS, "command_timeout": POSTGRES_COMMAND_TIMEOUT_S},
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say, and IMMEDIATE
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Database:
    """Gives connections for one writing unit or one read, with errors translated."""

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url)
        self.is_sqlite = sqlite_path(url) is not None
        # With isolation_level None the SQLite driver is in autocommit already.
        self._readers = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: commits when the block ends, rolls back when it raises.

        Raises MisuseError for a unit inside another one on SQLite, which would wait for itself.
        """
        with translated():
            if self.is_sqlite:
                async with self._alone(), self.engine.begin() as connection:
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
            else:
                async with self.engine.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if self._writer is task:
            raise MisuseError("a unit of work inside another one")
        async with self._writing:
            self._writer = task
            try:
                yield
            finally:
                self._writer = None

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AsyncConnection]:
        """For one statement."""
        with translated():
            async with self._readers.connect() as connection:
                yield connection

    async def close(self) -> None:
        await self.engine.dispose()
