"""Deadlines, and the calendars that they are computed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from gateway.core.records import CalendarYear, Timer
from gateway.core.retry import Backoff


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Aware, UTC, microseconds."""
        ...


class TimerReads(Protocol):
    """Outside of a unit of work."""

    async def calendars(self) -> list[CalendarYear]:
        """Imported years, each once."""
        ...

    async def provisional(self, until: datetime) -> list[str]:
        """Requests with a timer due by `until` whose term had to guess a day."""
        ...

    async def due_from(self, since: datetime) -> list[str]:
        """Requests with a timer due at `since` or later."""
        ...


class TimerUnit(Protocol):
    """Inside a unit of work."""

    async def due_timers(self, now: datetime, limit: int, sure: datetime | None = None) -> list[Timer]:
        """Due ones, locked so that two clocks never take the same. sure: the time by which something final falls due
        (an alert's end, a measure's, the destruction of a place); None: `now`."""
        ...

    async def set_timer_aside(self, timer: Timer, now: datetime, backoff: Backoff) -> int:
        """It is not due again before its back-off; what it says and when it fell due stay. How often it has failed in
        turn; 0 when it is gone. Setting it anew forgets that."""
        ...

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        """Every timer of these (locked) requests."""
        ...

    async def timer(self, request_no: str, kind: str) -> Timer | None: ...

    async def remove_calendar(self, year: int) -> bool:
        """Whether that year had been imported."""
        ...

    async def end_waits(self, now: datetime, longest: Mapping[str, timedelta]) -> int:
        """After a step back: timers of these kinds (`redeliver:` for all that begin so) and pages (`pages`) that lie
        further ahead than they ever do are due now. How many."""
        ...
