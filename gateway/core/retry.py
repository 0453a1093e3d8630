"""How long to wait before the next attempt: exponential, capped. The rows themselves hold the due time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


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
