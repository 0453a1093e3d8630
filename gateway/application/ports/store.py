"""The database: everything that is read of it, and its unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from gateway.application.ports.alerts import AlarmReads, AlarmUnit, AlertUnit, PageReads
from gateway.application.ports.arrivals import ArrivalReads, ArrivalUnit
from gateway.application.ports.books import Books, BookUnit
from gateway.application.ports.budgets import BudgetUnit
from gateway.application.ports.conversations import RequestReads, RequestUnit
from gateway.application.ports.lists import Lists
from gateway.application.ports.measures import MeasureReads, MeasureUnit
from gateway.application.ports.operating import OperatingReads, OperatingUnit
from gateway.application.ports.outbox import OutboxReads, OutboxUnit, PauseUnit
from gateway.application.ports.papers import PaperReads, PaperUnit
from gateway.application.ports.recovery import RecoveryReads, RecoveryUnit
from gateway.application.ports.timers import TimerReads, TimerUnit
from gateway.core.signals.load import Load


class Transaction(
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
    Protocol,
):
    """One unit of work. Loads first, one `apply` at the end; leaving without an error commits.

    Raises ConflictError (name of the constraint) and StoreUnavailableError.
    """

    @property
    def operating(self) -> OperatingUnit:
        """What operators' acts write."""
        ...

    @property
    def alarms(self) -> AlarmUnit:
        """What duty officers are told of."""
        ...


class Store(
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
    Protocol,
):
    """The database. Reads that need no lock stand here; writes go through `begin`."""

    @property
    def operating(self) -> OperatingReads:
        """What operators look at."""
        ...

    @property
    def alarms(self) -> AlarmReads:
        """What stands, and what was told of it."""
        ...

    def begin(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def watch(self, stop: asyncio.Event) -> None:
        """What a serving process does for all of them, until `stop`: end sessions that hang and hold locks, keep the
        write-ahead log of SQLite small."""
        ...

    def wal_bytes(self) -> int | None:
        """The size of SQLite's write-ahead log; None on PostgreSQL, which looks after its own."""
        ...

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For /metrics: `requests` by `type|state`, `outbox` by state, `paused` by `route|reason`, `quarantine` by
        reason, `timers` by kind. Each is counted up to a bound and no further."""
        ...

    async def load(self, home: str, now: datetime, soon: datetime) -> Load:
        """For /metrics: how much lies with whom, of the court `home` with open requests due until `soon`."""
        ...

    async def oldest_of(self, state: str, type: str) -> datetime | None:
        """When the oldest request of that state and matter type was made; None: there is none."""
        ...

    async def now(self) -> datetime:
        """The database's clock."""
        ...

    async def ping(self) -> None: ...

    async def try_writing(self, now: datetime) -> None:
        """Commit a row that means nothing. Raises StoreUnavailableError where nothing could be committed."""
        ...

    async def close(self) -> None: ...
