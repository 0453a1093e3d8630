"""A copy of the database as it was at one moment, and back: SQLite's online backup, PostgreSQL's own programs.

SQLite: `sqlite3_backup` from a connection that stays in its read transaction, so that all pieces are of one moment and
a busy writer neither waits nor makes it begin anew (sqlite.org/backup.html: it does when *another* connection writes
and the source has no transaction open). It is a process of its own: a descriptor of the database file that is closed in
the serving process would drop that one's locks. `VACUUM INTO` would be smaller, but rewrites every page, and a damaged
one ends it where a copy still saves the rest.
PostgreSQL: `pg_dump` in the custom format, in the moment that our own session exports.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from gateway.store.engine import postgres_url
from gateway.store.engine.database import database_url, sqlite_path
from gateway.store.engine.faults import translated
from gateway.store.engine.lock import SingleProcessLock
from gateway.store.tables import metadata
from gateway.store.upkeep.snapshot import PostgresSnapshot, Snapshot, SqliteSnapshot, broken_file, session
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.files import SQLITE_SUFFIXES, private_file, private_folder

PAGES = 2048  # of 4 KiB, between two words about the progress
LOCK_WAIT_MS = 60_000  # of pg_dump, behind a migration
TABLES = (*sorted(metadata.tables), "alembic_version")


def kind_of(url: str) -> str:
    """`sqlite` or `postgresql`. Raises ConfigurationError."""
    return "sqlite" if sqlite_path(database_url(url)) is not None else "postgresql"


async def copy_to(snapshot: Snapshot, url: str, target: Path, progress: Callable[[int, int], None]) -> None:
    """The database of `snapshot` into a new file, 600. progress: (done, of), in pages; never called for PostgreSQL.

    Raises ConfigurationError (no pg_dump), StoreUnavailableError, OSError.
    """
    if isinstance(snapshot, SqliteSnapshot):
        private_file(target)
        with broken_file(), closing(sqlite3.connect(target)) as copy:
            snapshot.connection.backup(copy, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
            copy.execute("PRAGMA journal_mode=DELETE")  # one file
        return
    assert isinstance(snapshot, PostgresSnapshot)
    private_file(target)
    schema = await _schema(snapshot)
    tables = [word for table in TABLES for word in ("--table", f'"{schema}"."{table}"')]
    await _run(
        "pg_dump",
        [
            *("--format", "custom", "--no-owner", "--no-privileges", "--no-password", "--file", str(target)),
            *("--snapshot", await snapshot.exported(), "--lock-wait-timeout", str(LOCK_WAIT_MS), *tables),
        ],
        database_url(url),
    )


async def _schema(snapshot: Snapshot) -> str:
    return await anext(str(row[0]) async for row in snapshot.rows("SELECT current_schema()"))


# --- back


@asynccontextmanager
async def nobody_serves(url: str) -> AsyncIterator[None]:
    """While the block runs no gateway serves this database; one that does is an error. On PostgreSQL it is looked for
    once. Raises ConfigurationError, StoreUnavailableError."""
    path = sqlite_path(database_url(url))
    if path is None:
        async with session(url) as connection:
            with translated():
                there = await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lianzhi'"
                    " AND datname = current_database()"
                )
        if there:
            raise ConfigurationError(
                "有网关进程正在使用这个数据库；请先停止所有 lianzhi serve，再恢复。"
                " A gateway is using this database: stop every `lianzhi serve` first, then restore."
            )
        yield
        return
    private_folder(path.parent)
    lock = SingleProcessLock(path) if path.exists() else None  # it lies on the file itself, and would make one
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


async def something_there(url: str) -> bool:
    """Whether the database holds our tables, empty or not, or, on SQLite, any file of its name."""
    path = sqlite_path(database_url(url))
    if path is not None:
        return any(file.exists() for file in _files(path))
    async with session(url) as connection:
        return bool(await _tables(connection))


async def restore_from(url: str, source: Path, at: datetime) -> str | None:
    """Puts the copy in the place of the database. What was there is moved aside; where to, None: nothing was there.

    The caller has seen to it that nobody serves. Killed at any moment, either the old one, none or the new one stands
    in its place, never a mixture. Raises ConfigurationError, StoreUnavailableError, OSError.
    """
    path = sqlite_path(database_url(url))
    name = f"before-{at:%Y%m%dT%H%M%SZ}"
    if path is None:
        return await _restore_postgres(url, source, name.replace("-", "_").lower())
    return _replace(path, source, name)


def _replace(path: Path, source: Path, name: str) -> str | None:
    aside = _move_aside(path, name)
    source.rename(path)
    _to_disk(path.parent)
    return None if aside is None else str(aside)


def _files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in SQLITE_SUFFIXES]


def _move_aside(path: Path, name: str) -> Path | None:
    """The database file first: a log without its database is nothing, a database without its log is an older one."""
    aside = path.with_name(f"{path.name}.{name}")
    moved = None
    for suffix in SQLITE_SUFFIXES:
        file = path.with_name(path.name + suffix)
        if file.exists():
            moved = aside
            file.rename(aside.with_name(aside.name + suffix))
    _to_disk(path.parent)
    return moved


async def _restore_postgres(url: str, source: Path, name: str) -> str | None:
    async with session(url) as connection:
        schema = await connection.fetchval("SELECT current_schema()")
        old = await _tables(connection)
        if old:
            await _move(connection, old, schema, name, create=True)
    try:
        await _run(
            "pg_restore",
            ["--no-owner", "--no-privileges", "--no-password", "--exit-on-error", "--single-transaction",
             "--dbname", "", str(source)],
            database_url(url),
        )  # fmt: skip
    except BaseException:
        if old:
            async with session(url) as connection:
                await _move(connection, old, name, schema, create=False)
        raise
    return name if old else None


async def _tables(connection: Any) -> list[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY ($1::TEXT[])", TABLES
    )
    return sorted(row[0] for row in rows)


async def _move(connection: Any, tables: Sequence[str], here: str, there: str, *, create: bool) -> None:
    """Indexes, constraints and sequences go with their tables."""
    with translated():
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '10s'")
            if create:
                await connection.execute(f'CREATE SCHEMA "{there}"')
            for table in tables:
                await connection.execute(f'ALTER TABLE "{here}"."{table}" SET SCHEMA "{there}"')
            if not create:
                await connection.execute(f'DROP SCHEMA "{here}"')


# --- PostgreSQL's programs


async def _run(program: str, arguments: Sequence[str], where: URL) -> None:
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            f"没有找到 {program}；请安装与服务器同版本或更新的 PostgreSQL 客户端"
            "（Debian：apt install postgresql-client）。"
            f" {program} was not found: install PostgreSQL's client programs, of the server's version or newer"
            " (Debian: apt install postgresql-client)."
        )
    environment = _environment(where)
    arguments = [environment["PGDATABASE"] if word == "" else word for word in arguments]
    process = await asyncio.create_subprocess_exec(
        found, *arguments, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise StoreUnavailableError(f"{program}: {said.decode(errors='replace').strip()[-2000:]}")


def _environment(where: URL) -> Mapping[str, str]:
    """Where the server is, for libpq; a password stands in no argument that others could list."""
    place = postgres_url.placed(where)
    given = {
        "PGHOST": place.host,
        "PGPORT": str(place.port) if place.port else None,
        "PGUSER": place.username,
        "PGPASSWORD": place.password,
        "PGDATABASE": place.database,
        "PGCONNECT_TIMEOUT": "10",
        **postgres_url.environment(where),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIANZHI_")}
    return kept | {name: value for name, value in given.items() if value}


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
