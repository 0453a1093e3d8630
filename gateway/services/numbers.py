"""Request numbers: `<opener>-<yyyymmdd Shanghai>-<6 or more digits>`, taken from the store in blocks.

A block that is not used up when the process ends leaves a lawful gap (docs/design.md 3.1).
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from gateway.core.approvals import SHANGHAI
from gateway.services.ports import Store


class Numbers:
    def __init__(self, store: Store, block: int) -> None:
        self._store = store
        self._block = block
        self._next: dict[tuple[str, str], int] = {}
        self._end: dict[tuple[str, str], int] = {}
        self._lock = asyncio.Lock()

    async def next(self, opener: str, now: datetime) -> str:
        """A number nobody else has. Raises StoreUnavailableError."""
        day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
        key = (opener, day)
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
            async with self._store.begin() as tx:
                first = await tx.take_number_block(opener, day, self._block)
            for old in [other for other in self._next if other[1] != day]:
                del self._next[old], self._end[old]
            self._next[key], self._end[key] = first, first + self._block
