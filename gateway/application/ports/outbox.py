"""Messages that wait to be sent, and routes that are paused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from gateway.core.records import FailedMessage, LeasedMessage, OutboxRow, PausedRoute
from gateway.core.retry import LongestWaits

LONGEST_WAITS = LongestWaits()


class OutboxReads(Protocol):
    """Outside of a unit of work."""

    async def lease_outbox(
        self,
        owner: str,
        now: datetime,
        term: timedelta,
        limit: int,
        longest: LongestWaits = LONGEST_WAITS,
        suspended: Collection[str] = frozenset(),
    ) -> list[LeasedMessage]:
        """Up to `limit` ready rows: urgent ones first, then of each receiver as many as of any other; of one receiver
        the oldest. None before an unsent earlier seqno of its request, none of a paused route but its trials.
        suspended: participants to whom nothing goes."""
        ...

    async def backlog(self) -> int:
        """Messages that wait to be sent."""
        ...

    async def oldest_unsent(self) -> datetime | None:
        """When the oldest message that waits to be sent was stored."""
        ...


class OutboxUnit(Protocol):
    """What became of leased rows."""

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        """Sent and confirmed: the rows that were still this owner's, as they stood."""
        ...

    async def mark_failed(self, failed: Sequence[FailedMessage], owner: str) -> None:
        """Of rows that are still this owner's."""
        ...

    async def attempted(self, request_no: str) -> bool:
        """Whether any outbox row of the request is leased, sent or was ever tried."""
        ...


class PauseUnit(Protocol):
    """Routes whose queue takes nothing (docs/adr/0023)."""

    async def paused(self, routes: Sequence[str]) -> dict[str, PausedRoute]:
        """Those of these routes that are paused, locked in order of the route."""
        ...

    async def begin_pause(self, pause: PausedRoute) -> bool:
        """False where another unit has paused it meanwhile: then nothing changes."""
        ...

    async def go_on_pausing(self, pause: PausedRoute) -> None:
        """Its reason, until when, and how many may then be tried."""
        ...

    async def end_pause(self, route: str) -> None: ...

    async def anything_ready(self, route: str, now: datetime) -> bool:
        """Whether a message waits that may be sent now."""
        ...
