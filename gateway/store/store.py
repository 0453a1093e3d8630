"""The database: `application.ports.store.Store` and its unit of work, put together from `gateway.store.queries`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.core.records import (
    Changes,
)
from gateway.store import writes
from gateway.store.engine import faults, watch
from gateway.store.engine.database import Database, database_url, sqlite_path
from gateway.store.engine.lock import SingleProcessLock
from gateway.store.queries.alerts import AlertUnit, PageReads, SqlAlarmReads, SqlAlarmUnit
from gateway.store.queries.arrivals import ArrivalReads, ArrivalUnit
from gateway.store.queries.books import Books, BookUnit
from gateway.store.queries.budgets import BudgetUnit
from gateway.store.queries.conversations import RequestReads, RequestUnit
from gateway.store.queries.lists import Lists
from gateway.store.queries.measures import MeasureReads, MeasureUnit
from gateway.store.queries.operating import SqlOperatingReads, SqlOperatingUnit
from gateway.store.queries.outbox import OutboxReads, OutboxUnit, PauseUnit
from gateway.store.queries.papers import PaperReads, PaperUnit
from gateway.store.queries.recovery import RecoveryReads, RecoveryUnit
from gateway.store.queries.timers import TimerReads, TimerUnit
from gateway.store.upkeep.health import Health
from gateway.store.upkeep.load import Loads
from gateway.store.upkeep.version import is_current
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.faults import cause_of


async def open_store(url: str, *, serving: bool = False) -> SqlStore:
    """Connect to a migrated database.

    url: `sqlite:///<file>` or `postgresql://…`. serving: take the lock that lets one process serve a SQLite file
    (released by `close`); command-line tools read and write beside it without. Raises ConfigurationError (locked,
    bad URL, not migrated) and StoreUnavailableError.
    """
    where = database_url(url)
    path = sqlite_path(where)
    lock = SingleProcessLock(path) if serving and path is not None else None
    store = SqlStore(Database(where), lock)
    try:
        await store.check_direct()
        await store.check_direct()
        if not await is_current(store.database.engine):
            raise ConfigurationError(
                "数据库结构不是本版本的，请先运行 lianzhi db migrate。"
                " The database schema is not this version's; run `lianzhi db migrate` first."
            )
    except BaseException as error:
        await store.close()
        if isinstance(error, StoreUnavailableError) and faults.is_refusal(error.__cause__):
            raise ConfigurationError(
                f"[store] url：数据库拒绝连接（{cause_of(error)}），请核对用户、密码与库名。"
                " The database refuses the connection; see to user, password and database name."
            ) from error
        raise
    return store


class SqlTransaction(
    RequestUnit,
    ArrivalUnit,
    MeasureUnit,
    OutboxUnit,
    PauseUnit,
    TimerUnit,
    AlertUnit,
    RecoveryUnit,
    PaperUnit,
    BudgetUnit,
    BookUnit,
):
    """Loads first, one `apply` at the end; `SqlStore.begin` commits or rolls back."""

    @property
    def operating(self) -> SqlOperatingUnit:
        return SqlOperatingUnit(self._db)

    @property
    def alarms(self) -> SqlAlarmUnit:
        return SqlAlarmUnit(self._db)

    async def apply(self, changes: Changes) -> None:
        try:
            await writes.apply(self._db, changes)
        except BaseException:
            self._db.failed = True  # some of it may be written: this unit must not commit
            raise


class SqlStore(
    RequestReads,
    ArrivalReads,
    MeasureReads,
    Lists,
    OutboxReads,
    TimerReads,
    PageReads,
    RecoveryReads,
    PaperReads,
    Books,
    Health,
    Loads,
):
    """SQLite or PostgreSQL; one instance for one event loop."""

    def __init__(self, database: Database, lock: SingleProcessLock | None = None) -> None:
        super().__init__(database)
        self._lock = lock
        self.operating = SqlOperatingReads(database)
        self.alarms = SqlAlarmReads(database)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlTransaction]:
        async with self.database.writer() as connection:
            yield SqlTransaction(connection)

    async def watch(self, stop: asyncio.Event) -> None:
        await watch.watch(self.database, stop)

    def wal_bytes(self) -> int | None:
        return watch.wal_bytes(self.database.path) if self.database.path is not None else None

    async def close(self) -> None:
        await self.database.close()
        if self._lock is not None:
            self._lock.release()
