"""The time on the wall in Shanghai, as people there write it; and a wall whose clock the demo moves.

Each act of the demo has its own clock: a task sees the one of the act that started it.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991


class StageClock:
    """`application.ports.clock.Clock`: the wall clock plus what was let pass. begins: show this instead of now."""

    def __init__(self, begins: datetime | None = None) -> None:
        self._ahead = timedelta(0) if begins is None else begins - datetime.now(UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + self._ahead

    def until(self, moment: datetime) -> None:
        """Let time pass until `moment` (aware); never back."""
        self._ahead += max(moment - self.now(), timedelta(0))


_WALL: ContextVar[StageClock] = ContextVar("wall", default=StageClock())  # noqa: B039 (never moved)


def wall() -> StageClock:
    """The clock of this act."""
    return _WALL.get()


def hang_up(clock: StageClock) -> None:
    """From now on this is the clock that this task, and what it starts, look at."""
    _WALL.set(clock)


def now() -> datetime:
    """This second."""
    return wall().now().astimezone(SHANGHAI).replace(microsecond=0)


def compact(moment: datetime) -> str:
    """`YYYYMMDDhhmmss`, as several dialects want it (docs/dialects.md)."""
    return moment.strftime("%Y%m%d%H%M%S")
