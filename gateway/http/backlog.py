"""Backpressure: above so many unsent messages, submissions are answered 503 before anything of them is read."""

from __future__ import annotations

import time

from gateway.application.context import Context
from lianzhi.errors import RejectedError

LOOK_SECONDS = 1.0
RETRY_SECONDS = 30


class Backlog:
    """Counts at most once a second, however many submissions come; meanwhile the last count holds."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._count = 0
        self._looked = float("-inf")

    async def check(self) -> None:
        """Raises RejectedError unavailable with `retry_after`, StoreUnavailableError."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            before, self._looked = self._looked, now
            try:
                self._count = await self._ctx.store.backlog()
            except BaseException:
                self._looked = before
                raise
        if self._count >= self._ctx.settings.backlog_limit:
            raise RejectedError("unavailable", retry_after=RETRY_SECONDS)
