"""Keeps SQLite's write-ahead log small: once the readers that held it are gone, its file is cut back.

A commit that finds `wal_autocheckpoint` pages in the log brings them into the database, but the log begins anew only
when no reader stands in it; until then it grows, and afterwards its file keeps the size of the peak
(sqlite.org/wal.html, "Avoiding Excessively Large WAL Files"). `journal_size_limit` cuts it back at the next beginning,
which an idle gateway never comes to. So whoever serves looks at the file's size and asks for the cut itself.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from gateway.store.connection import SqliteConnection
from gateway.store.engine import BUSY_TIMEOUT_MS, Database
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

log = structlog.get_logger("store")


def wal_bytes(database: Path) -> int:
    """The size of its log's file; 0 where there is none."""
    try:
        return database.with_name(f"{database.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


async def watch(database: Database, stop: asyncio.Event) -> None:
    """Until `stop`."""
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
