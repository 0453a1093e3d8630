"""What the store says when the database is away, full, locked, or not ours to open; and that it recovers."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.ports.lists import RequestFilter
from gateway.core.records import Changes
from gateway.store import SqlStore, open_store
from gateway.store.engine import database, watch
from gateway.store.engine.connection import SqliteConnection
from lianzhi.errors import ConfigurationError, ConflictError, MisuseError, StoreUnavailableError
from tests import postgres
from tests.contract.samples import NOW, number, request, sendable, submission, write
from tests.eventually import eventually

# --- PostgreSQL


@pytest_asyncio.fixture
async def own_cluster() -> AsyncIterator[postgres.Cluster]:
    """One that a test may crash."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.Cluster()
    cluster.start()
    await cluster.prepare_template()
    yield cluster
    cluster.remove()


async def test_a_crashed_server_is_unavailable_and_comes_back(own_cluster: postgres.Cluster) -> None:
    store = await open_store(await own_cluster.new_database())
    await write(store, sendable(1))
    with pytest.raises(StoreUnavailableError):
        async with store.begin() as unit:
            await unit.apply(sendable(2))
            own_cluster.crash()
            await unit.lock_requests([number(1)])
    for attempt in (store.ping, lambda: write(store, sendable(3)), store.counts):
        with pytest.raises(StoreUnavailableError):
            await attempt()
    own_cluster.start()
    await write(store, sendable(4))
    assert [r.request_no for r in await store.requests(RequestFilter())] == [number(1), number(4)]
    await store.close()


async def test_a_server_that_stops_answering_is_unavailable_and_its_link_is_given_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POSTGRES_COMMAND_TIMEOUT_S", 3)  # enough for the write on another link
    store = await open_store(postgres_url)
    async with store.database.engine.connect() as connection:
        backend = int((await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one())
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailableError):
            await write(store, sendable(1))
        await write(store, sendable(2))
    finally:
        os.kill(backend, signal.SIGCONT)
    assert [r.request_no for r in await store.requests(RequestFilter())] == [number(2)]
    await store.close()


async def test_more_callers_than_connections_wait_for_one(postgres_store: SqlStore) -> None:
    await asyncio.gather(*(write(postgres_store, sendable(n)) for n in range(1, 41)))
    found = await asyncio.gather(*(postgres_store.request(number(n)) for n in range(1, 41)))
    assert None not in found


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailableError):
        await open_store("postgresql://nobody@/nothing?host=/nonexistent")


async def test_units_that_lock_each_other_out_end_as_a_conflict(postgres_store: SqlStore) -> None:
    await write(postgres_store, Changes(new_requests=[request(1), request(2)]))
    both_hold = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with postgres_store.begin() as unit:
            await unit.lock_requests([number(first)])
            await both_hold.wait()
            await unit.lock_requests([number(second)])

    outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    [loser] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(loser, ConflictError)
    assert loser.constraint == "deadlock"


@pytest.mark.parametrize("hangs", ["between two commands", "within a command"])
async def test_what_a_frozen_process_has_locked_is_given_back(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    """Frozen between preparing a statement and executing it, a session is not idle to PostgreSQL."""
    monkeypatch.setattr(watch, "HUNG_SECONDS", 1)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.1)
    store = await open_store(postgres_url, serving=True)
    await write(store, sendable(1))
    with monkeypatch.context() as shorter:
        shorter.setitem(database.POSTGRES_SETTINGS, "idle_in_transaction_session_timeout", "300ms")
        frozen = await open_store(postgres_url)
    raw = await frozen.database.engine.raw_connection()
    driver: Any = raw.driver_connection
    await driver.execute("BEGIN")
    await driver.execute("SELECT FROM outbox FOR UPDATE")
    if hangs == "within a command":
        await driver.prepare("SELECT 1")

    async def leased() -> bool:
        return bool(await store.lease_outbox("other", NOW, timedelta(minutes=1), 10))

    assert not await leased()
    stop = asyncio.Event()
    watching = asyncio.create_task(store.watch(stop))
    await eventually(leased)
    stop.set()
    await watching
    raw.invalidate()
    await frozen.close()
    await store.close()


# --- SQLite


async def test_a_full_disk_is_unavailable_and_nothing_is_written(sqlite_store: SqlStore) -> None:
    async def pragma(text: str) -> int:
        """On the only connection, which the next unit uses."""
        async with sqlite_store.database.reader() as connection:
            assert isinstance(connection, SqliteConnection)
            return int((await connection.pragma(text))[0])

    await pragma(f"max_page_count = {await pragma('page_count')}")
    large = Changes(new_requests=[request()], submissions=[submission(body=b"x" * 1_000_000)])
    with pytest.raises(StoreUnavailableError, match="full"):
        await write(sqlite_store, large)
    assert await sqlite_store.requests(RequestFilter()) == []
    await pragma("max_page_count = 1000000")
    await write(sqlite_store, large)


async def test_a_unit_that_could_not_begin_writes_nothing_whoever_catches_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SQLITE_PRAGMAS", (*database.SQLITE_PRAGMAS, "busy_timeout=20"))
    store = await open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(MisuseError):
        async with store.begin() as unit:
            with pytest.raises(StoreUnavailableError, match="locked"):
                await unit.lock_requests([number(1)])
            other.execute("ROLLBACK")
            await unit.apply(Changes(new_requests=[request()]))
            await unit.lock_requests([number(1)])
    assert await store.requests(RequestFilter()) == []
    other.close()
    await store.close()


async def test_a_file_locked_by_another_program_is_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SQLITE_PRAGMAS", (*database.SQLITE_PRAGMAS, "busy_timeout=20"))
    store = await open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="locked"):
        await write(store, sendable(1))
    assert await store.requests(RequestFilter()) == []
    other.execute("ROLLBACK")
    await write(store, sendable(1))
    other.close()
    await store.close()


async def test_a_unit_inside_another_is_our_own_fault_not_a_standstill(sqlite_store: SqlStore) -> None:
    async with sqlite_store.begin() as unit:
        with pytest.raises(MisuseError):
            async with sqlite_store.begin():
                pass
        await unit.apply(sendable(1))
    await write(sqlite_store, sendable(2))


async def test_every_commit_reaches_the_disk(sqlite_store: SqlStore) -> None:
    async with sqlite_store.database.engine.connect() as connection:
        asked = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


HOLDER = """
import asyncio, sys
from gateway.store import open_store
async def hold():
    store = await open_store(sys.argv[1], serving=True)
    print("held", flush=True)
    await asyncio.Event().wait()
asyncio.run(hold())
"""


async def test_a_second_serving_process_refuses_to_start(sqlite_url: str) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, sqlite_url, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    try:
        assert await holder.stdout.readline() == b"held\n"
        with pytest.raises(ConfigurationError, match=r"fuser.*PostgreSQL.*in use by another process"):
            await open_store(sqlite_url, serving=True)
        beside = await open_store(sqlite_url)
        await write(beside, sendable(1))
        await beside.close()
    finally:
        holder.kill()
        await holder.wait()
    after = await open_store(sqlite_url, serving=True)
    with pytest.raises(ConfigurationError, match="in use by another process"):
        await open_store(sqlite_url, serving=True)  # in this very process, whose locks stay where they are
    assert await after.request(number(1)) is not None
    await after.close()
    again = await open_store(sqlite_url, serving=True)
    await again.close()


# --- locks and the write-ahead log of SQLite


def posix_locks(path: Path) -> int:
    """How many fcntl(2) locks this process holds on the file: SQLite's own."""
    inode = path.stat().st_ino
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(
        1 for w in lines if w[1] == "POSIX" and w[4] == str(os.getpid()) and w[5].rpartition(":")[2] == str(inode)
    )


@pytest.mark.parametrize("link", ["hard", "symbolic"])
async def test_another_name_is_the_same_file(sqlite_url: str, tmp_path: Path, link: str) -> None:
    path, other = tmp_path / "lianzhi.db", tmp_path / "other.db"
    (other.hardlink_to if link == "hard" else other.symlink_to)(path)
    store = await open_store(sqlite_url, serving=True)
    with pytest.raises(ConfigurationError, match="in use by another process"):
        await open_store(f"sqlite:///{other}", serving=True)
    await store.close()


async def test_the_lock_never_costs_sqlite_its_own(sqlite_url: str, tmp_path: Path) -> None:
    """Neither a second try, nor giving the lock back while another store of this process has the file open."""
    path = tmp_path / "lianzhi.db"
    serving, beside = await open_store(sqlite_url, serving=True), await open_store(sqlite_url)
    assert posix_locks(path) > 0
    with pytest.raises(ConfigurationError):
        await open_store(sqlite_url, serving=True)
    assert posix_locks(path) > 0
    await serving.close()
    assert posix_locks(path) > 0
    again = await open_store(sqlite_url, serving=True)
    await again.close()
    assert posix_locks(path) > 0
    await beside.close()
    assert posix_locks(path) == 0


async def test_the_write_ahead_log_gives_back_what_a_reader_kept(sqlite_url: str, tmp_path: Path) -> None:
    store = await open_store(sqlite_url, serving=True)
    reader = sqlite3.connect(tmp_path / "lianzhi.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM requests").fetchone()
    writer = sqlite3.connect(tmp_path / "lianzhi.db", isolation_level=None)
    writer.execute("CREATE TABLE much (content BLOB)")
    writer.execute("INSERT INTO much VALUES (zeroblob(?))", (2 * watch.MOST_BYTES,))
    writer.execute("DROP TABLE much")
    peak = store.wal_bytes()
    assert peak is not None and peak > 2 * watch.MOST_BYTES
    assert not await watch.truncate(store.database)
    assert store.wal_bytes() == peak
    reader.execute("COMMIT")
    stop = asyncio.Event()
    watching = asyncio.create_task(store.watch(stop))
    await eventually(lambda: store.wal_bytes() == 0)
    stop.set()
    await watching
    await write(store, sendable(1))
    assert await store.request(number(1)) is not None
    reader.close()
    writer.close()
    await store.close()


# --- configuration


@pytest.mark.parametrize("url", ["", "lianzhi.db", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d"])
async def test_another_database_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///") as caught:
        await open_store(url)
    assert "secret" not in str(caught.value)


async def test_a_database_without_our_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="db migrate"):
        await open_store(f"sqlite:///{tmp_path / 'empty.db'}")
