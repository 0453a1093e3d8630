"""What every lease of this process passes through: closed to drain it, and waited at until what is leased is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class LeaseGate:
    """closed: nothing more is leased by this process; it is open again when it starts anew."""

    def __init__(self) -> None:
        self.closed = False
        self._rounds: set[asyncio.Future[None]] = set()

    @property
    def at_work(self) -> int:
        """Rounds of leasing, publishing and marking that are not done."""
        return len(self._rounds)

    async def passed(self, once: Callable[[], Awaitable[int]]) -> int:
        """What one round took; 0 when the gate is closed."""
        if self.closed:
            return 0
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rounds.add(done)
        try:
            return await once()
        finally:
            self._rounds.discard(done)
            done.set_result(None)

    async def quiet(self, seconds: float) -> bool:
        """Until the rounds that were at work are done: what is decided before holds for all that is leased after.
        False when that took longer."""
        rounds = list(self._rounds)
        if not rounds:
            return True
        _, pending = await asyncio.wait(rounds, timeout=seconds)
        return not pending
