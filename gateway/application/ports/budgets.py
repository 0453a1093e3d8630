"""What is counted against a caller, and numbers that are given out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.core.records import SubjectUse


class BudgetUnit(Protocol):
    """Inside a unit of work."""

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        """First number of a fresh block of `size` (1, 101, 201, …)."""
        ...

    async def take_use(self, participant: str, who: str, day: str, what: str, most: int) -> bool:
        """Count one use of `what` by `who` on that day (YYYYMMDD, Shanghai); False, uncounted, when `most` are used."""
        ...

    async def subject_uses(self, keys: Sequence[str], since: datetime) -> list[SubjectUse]:
        """Who asked about the same since then, oldest first."""
        ...

    async def use_token(self, participant: str, jti: str, now: datetime, until: datetime, most: int) -> bool | None:
        """Remember a partner's token until then. True: its first use. False: it was used. None: `most` are remembered,
        so this one is not."""
        ...
