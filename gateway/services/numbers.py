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
        self._next: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = asyncio.Lock()

    async def next(self, opener: str, now: datetime) -> str:
        """A number nobody else has. Raises StoreUnavailableError."""
        day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
        async with self._lock:
            number, end = self._next.get((opener, day), (0, 0))
            if number >= end:
                async with self._store.begin() as tx:
                    number = await tx.take_number_block(opener, day, self._block)
                end = number + self._block
            self._next = {(opener, day): (number + 1, end)} | {
                key: value for key, value in self._next.items() if key[1] == day and key[0] != opener
            }
        return f"{opener}-{day}-{number:06d}"
