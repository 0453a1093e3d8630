"""Request numbers: `<opener>-<yyyymmdd Shanghai>-<6 or more digits>`, taken from the store in blocks.

A block that is not used up when the process ends leaves a lawful gap (docs/contracts.md 3.1). None of its numbers is
used before a mark outside of the store tells of it (docs/adr/0030). A block that was used up at once is followed by one
twice as large, so that the marks cost nothing when there is much to do.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from time import monotonic

from gateway.application.marks import Cover, Uncovered, new_token
from gateway.application.ports.store import Store
from gateway.core.approvals import SHANGHAI

AT_ONCE = 5.0
"""Seconds."""
GROWTH = 16
"""So many times the configured block at most."""


class Numbers:
    """block: how many are taken at first. cover: what their giving waits for."""

    def __init__(self, store: Store, block: int, cover: Cover | None = None) -> None:
        self._store = store
        self._block = self._size = block
        self._cover = cover or Uncovered()
        self._next: dict[tuple[str, str], int] = {}
        self._end: dict[tuple[str, str], int] = {}
        self._taken_at = float("-inf")
        self._lock = asyncio.Lock()

    async def next(self, opener: str, now: datetime) -> str:
        """A number nobody else has. Raises StoreUnavailableError, RejectedError marks-unreadable, set-back."""
        day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
        key = (opener, day)
        self._cover.check()
        while (number := self._next.get(key, 0)) >= self._end.get(key, 0):
            await self._refill(key)
        self._next[key] = number + 1
        return f"{opener}-{day}-{number:06d}"

    async def _refill(self, key: tuple[str, str]) -> None:
        """A block for `key`, unless another has fetched one meanwhile; those of other days are forgotten."""
        opener, day = key
        async with self._lock:
            if self._next.get(key, 0) < self._end.get(key, 0):
                return
            self._cover.check()
            size = self._grown()
            async with self._store.begin() as tx:
                await tx.raise_sequence(new_token())
                first = await tx.take_number_block(opener, day, size)
            await self._cover.cover()
            for old in [other for other in self._next if other[1] != day]:
                del self._next[old], self._end[old]
            self._next[key], self._end[key] = first, first + size

    def _grown(self) -> int:
        soon = monotonic() - self._taken_at < AT_ONCE
        self._size = min(self._size * 2, self._block * GROWTH) if soon else self._block
        self._taken_at = monotonic()
        return self._size
