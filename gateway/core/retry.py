"""How long to wait before the next attempt: exponential, capped. The rows themselves hold the due time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

CLOCKS_APART = timedelta(seconds=10)
"""More than the clocks of two processes on one store may differ (docs/architecture.md 4 rule 8)."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """first: after the first failure; factor: growth; ceiling: never longer."""

    first: timedelta
    factor: float
    ceiling: timedelta

    def after(self, failures: int) -> timedelta:
        """failures ≥ 1 → how long to wait."""
        exponent = min(failures - 1, 32)
        return min(self.first * (self.factor**exponent), self.ceiling)


@dataclass(frozen=True, slots=True)
class LongestWaits:
    """How far ahead the end of a wait may lie. What lies further was put there by a clock that was ahead of this one:
    that wait is over (docs/adr/0032).

    tried: of a message that was tried, or is leased. after_fault: of one that our own code failed over. pause: of a
    route that is paused.
    """

    tried: timedelta = timedelta(minutes=5) + CLOCKS_APART
    after_fault: timedelta = timedelta(hours=1) + CLOCKS_APART
    pause: timedelta = timedelta(minutes=1) + CLOCKS_APART
