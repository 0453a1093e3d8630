"""The partner's ledger: one SQLite file, one thread, many messages a commit.

Jobs are handed in from the event loop and run on the ledger's own thread. Everything that waits when the thread
is free shares one transaction (`BEGIN IMMEDIATE`, WAL, `synchronous = FULL`): one sync to disk for all of it. If
the group fails it is rolled back and run again one by one, so that only the guilty job fails. A job's future
resolves after the commit, never before: what a caller sees as done is on disk.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from lianzhi.errors import ConfigurationError, MisuseError, StoreUnavailableError
from lianzhi.filelock import InUse
from lianzhi.files import WAL_BYTES, private_file
from lianzhi.partner.ledger.guard import Guard
from lianzhi.partner.ledger.records import ADDED, TABLES, VERSION
from lianzhi.partner.ledger.unit import Job, Unit

T = TypeVar("T")

GROUP = 256  # jobs in one transaction at most
BUSY_SECONDS = 30.0  # how long another process may hold the file

Read = Callable[[sqlite3.Connection], Any]
_Entry = tuple[asyncio.Future[Any], Job[Any] | None, Read | None]
_Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]


class Ledger:
    """Open with `async with`; `submit` and `read` from the event loop that opened it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))  # as the lock: one file, whatever it is called
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard: Guard | None = None

    async def __aenter__(self) -> Ledger:
        """Raises ConfigurationError when the file cannot be opened or is of another version."""
        self._loop = asyncio.get_running_loop()
        opened = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(opened,), name="lianzhi-ledger", daemon=True)
        self._thread.start()
        await opened
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._thread is not None:
            self._entries.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Run the job in the next transaction. The future raises what the job raised, or
        StoreUnavailableError when the file could not be written; nothing of it is kept then."""
        return cast("asyncio.Future[T]", self._enter(job, None))

    def read(self, query: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Run a query on the ledger's thread, after what was submitted before it. Raises StoreUnavailableError when
        the file cannot be read."""

        def ours(connection: sqlite3.Connection) -> T:
            try:
                return query(connection)
            except sqlite3.Error as error:
                raise StoreUnavailableError(f"台账读取失败 The ledger could not be read: {error}") from error

        return cast("asyncio.Future[T]", self._enter(None, ours))

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> asyncio.Future[list[tuple[Any, ...]]]:
        """The application's own query, as `read`. Raises MisuseError when it is none, sqlite3.Error for its faults."""
        return self._enter(None, lambda _: self._guarded.query(sql, parameters))

    def script(self, script: str) -> asyncio.Future[None]:
        """The application's own statements outside a transaction of ours, as `Guard.script`."""
        return self._enter(None, lambda _: self._guarded.script(script))

    def _enter(self, job: Job[Any] | None, query: Read | None) -> asyncio.Future[Any]:
        if self._loop is None or self._thread is None:
            raise MisuseError("the ledger is not open")
        future = self._loop.create_future()
        self._entries.put((future, job, query))
        return future

    # on the ledger's thread

    @property
    def _guarded(self) -> Guard:
        assert self._guard is not None
        return self._guard

    def _serve(self, opened: asyncio.Future[None]) -> None:
        try:
            connection = connect(self.path)
        except ConfigurationError as error:
            self._resolve([(opened, None, error)])
            return
        in_use = InUse(self.path)
        guard = self._guard = Guard(connection)
        self._resolve([(opened, None, None)])
        try:
            while (entry := self._entries.get()) is not None:
                self._resolve(_work(connection, guard, self._waiting(entry)))
        finally:
            connection.close()
            in_use.end()

    def _waiting(self, first: _Entry) -> list[_Entry]:
        """Everything that waits, up to GROUP; a query ends the group so that it sees what came before it."""
        entries = [first]
        while entries[-1][1] is not None and len(entries) < GROUP:
            try:
                following = self._entries.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._entries.put(None)
                break
            entries.append(following)
        return entries

    def _resolve(self, outcomes: list[_Outcome]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(_settle, outcomes)
        except RuntimeError:  # the loop is gone: what was committed stays, nobody is left to be told
            return


def connect(path: Path) -> sqlite3.Connection:
    """Open or create a ledger, for its owner only: it holds what was written to us. Raises ConfigurationError."""
    try:
        private_file(path)
        if path.stat().st_nlink > 1:
            raise ConfigurationError(
                f"台账 {path} 另有别名（硬链接），两个进程会各用一个而损坏台账：请用 cp 复制成单独的文件。"
                " The ledger has a second name (a hard link), and SQLite breaks a file that is opened by two names:"
                " make a copy of its own with cp."
            )
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise ConfigurationError(f"台账 {path} 的版本为 {found}，本程序只认 {VERSION}。 Ledger of another version.")
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        _add_columns(connection)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"台账 {path} 打不开：{error}。 The ledger cannot be opened.") from error
    return connection


def _add_columns(connection: sqlite3.Connection) -> None:
    """What a ledger of an earlier version lacks."""
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in ADDED.items():
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for name, form in columns.items():
            if name not in there:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {form}")
    connection.execute("COMMIT")


def _work(connection: sqlite3.Connection, guard: Guard, entries: list[_Entry]) -> list[_Outcome]:
    jobs = [(future, job) for future, job, _ in entries if job is not None]
    outcomes: list[_Outcome] = _jobs(connection, guard, jobs) if jobs else []
    future, _, query = entries[-1]
    if query is not None:
        try:
            outcomes.append((future, query(connection), None))
        except Exception as error:
            outcomes.append((future, None, error))
    return outcomes


def _jobs(
    connection: sqlite3.Connection, guard: Guard, jobs: list[tuple[asyncio.Future[Any], Job[Any]]]
) -> list[_Outcome]:
    try:
        results = _transact(connection, guard, [job for _, job in jobs])
    except Exception as error:
        if len(jobs) > 1:
            return [outcome for one in jobs for outcome in _jobs(connection, guard, [one])]
        return [(jobs[0][0], None, error)]
    return [(future, result, None) for (future, _), result in zip(jobs, results, strict=True)]


def _transact(connection: sqlite3.Connection, guard: Guard, jobs: list[Job[Any]]) -> list[Any]:
    """All jobs or none. sqlite3 errors of the ledger's own statements become StoreUnavailableError."""
    unit = Unit(connection, guard)
    try:
        _ours(lambda: connection.execute("BEGIN IMMEDIATE"))
        _ours(lambda: unit.load({r for j in jobs for r in j.requests}, {i for j in jobs for i in j.ids}))
        results = [job.run(unit) for job in jobs]
        _ours(unit.flush)
        _ours(lambda: connection.execute("COMMIT"))
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _ours(step: Callable[[], object]) -> None:
    """What is wrong with a row and not with the file passes as it is: that row can be left out, and waiting would not
    mend it."""
    try:
        step()
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"台账写入失败 The ledger could not be written: {error}") from error


def _settle(outcomes: list[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
