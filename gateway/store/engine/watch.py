"""What a serving process looks after in its database until it stops.

SQLite: keeps the write-ahead log small: once the readers that held it are gone, its file is cut back. A commit that
finds `wal_autocheckpoint` pages in the log brings them into the database, but the log begins anew only when no reader
stands in it; until then it grows, and afterwards its file keeps the size of the peak (sqlite.org/wal.html, "Avoiding
Excessively Large WAL Files"). `journal_size_limit` cuts it back at the next beginning, which an idle gateway never
comes to. So whoever serves looks at the file's size and asks for the cut itself.

PostgreSQL: ends sessions of processes that hang in a transaction, so that the rows they locked are given back.
`idle_in_transaction_session_timeout` ends a session that waits for its next command. A process may also hang within
one: the driver sends Parse and Flush, reads the answer, then sends Bind, and for that the server waits without limit
(docs/adr/0018). `state_change` is when the command began.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from sqlalchemy import Float, bindparam, text

from gateway.store.engine.connection import SqliteConnection
from gateway.store.engine.database import BUSY_TIMEOUT_MS, HUNG_SECONDS, Database
from gateway.store.engine.statements import Query
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of
from lianzhi.files import WAL_BYTES

LOOK_SECONDS = 1.0
READERS_MS = 250
"""How long the cut waits for readers to leave; writers wait behind it, so it is short, and tried again."""
TOLD_EVERY = 60
"""Looks between two lines in the log about one that cannot be cut."""
MOST_BYTES = WAL_BYTES + WAL_BYTES // 4
"""A commit may pass the limit by what it writes itself."""

END_HUNG = Query(
    text(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        " AND application_name = current_setting('application_name') AND state = 'active' AND wait_event = 'ClientRead'"
        " AND state_change < clock_timestamp() - make_interval(secs => :seconds)"
    ).bindparams(bindparam("seconds", type_=Float()))
)

log = structlog.get_logger("store")


def wal_bytes(database: Path) -> int:
    """The size of its log's file; 0 where there is none."""
    try:
        return database.with_name(f"{database.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


async def watch(database: Database, stop: asyncio.Event) -> None:
    """Until `stop`."""
    await (_keep_log_small if database.is_sqlite else _end_hung)(database, stop)


async def _keep_log_small(database: Database, stop: asyncio.Event) -> None:
    assert database.path is not None
    tries = 0
    while not stop.is_set():
        if (size := wal_bytes(database.path)) > MOST_BYTES:
            try:
                cut = await truncate(database)
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                cut = False
            if not cut and tries % TOLD_EVERY == 0:
                log.warning("wal-not-cut", bytes=size, why="a reader has stood in it since")
            tries = 0 if cut else tries + 1
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue


async def truncate(database: Database) -> bool:
    """Bring all of the log into the database and cut its file to nothing; False when a reader stands in its way.

    Raises StoreUnavailableError.
    """
    async with database.alone() as connection:
        assert isinstance(connection, SqliteConnection)
        await connection.pragma(f"busy_timeout={READERS_MS}")
        try:
            busy, _, _ = await connection.pragma("wal_checkpoint(TRUNCATE)")
        finally:
            await connection.pragma(f"busy_timeout={BUSY_TIMEOUT_MS}")
    return not busy


async def _end_hung(database: Database, stop: asyncio.Event) -> None:
    """Survives a database that is away. SQLite has nothing of the kind: one process writes."""
    while not stop.is_set():
        try:
            async with database.reader() as connection:
                ((ended,),) = await connection.fetch(END_HUNG, seconds=HUNG_SECONDS)
        except StoreUnavailableError as error:
            log.warning("store-unavailable", error=cause_of(error))
        else:
            if ended:
                log.warning("hung-sessions-ended", count=ended)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
