"""Whether this process can do its work: it tries to write instead of assuming that it could.

A small row of its own is really written, at most every `PROBE_SECONDS` (a failed try is repeated sooner) however often
somebody asks; those who ask meanwhile get the last outcome, those who ask during a try wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from gateway.application.context import Context
from gateway.core.readiness import Finding, MarksRefuse, Wire, findings
from lianzhi.errors import RejectedError, StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("readiness")

PROBE_SECONDS, PROBE_AGAIN_SECONDS = 5.0, 1.0
PROBE_TIMEOUT = 5.0
"""A store that takes longer for one row takes none of anybody else's either."""


class Readiness:
    """backlog: raises RejectedError when it is full. marks: why they let no number be given. wire: None where it is not
    this process's role. seconds: a clock that only goes forward."""

    def __init__(
        self,
        context: Context,
        backlog: Callable[[], Awaitable[None]],
        wire: Callable[[], Wire] | None,
        *,
        marks: Callable[[], MarksRefuse | None] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ctx = context
        self._backlog = backlog
        self._wire = wire
        self._marks = marks
        self._seconds = seconds
        self._again_at = float("-inf")
        self._store: Literal["ok", "away", "not-written"] = "ok"
        self._trying = asyncio.Lock()
        self._told: list[Finding] = []

    async def findings(self) -> list[Finding]:
        """What cannot be done now, what blocks first; empty: nothing."""
        async with self._trying:
            if self._seconds() >= self._again_at:
                self._store = await self._try()
                self._again_at = self._seconds() + (PROBE_SECONDS if self._store == "ok" else PROBE_AGAIN_SECONDS)
        found = findings(
            self._store,
            backlog_full=self._store == "ok" and await self._full(),
            marks=self._marks() if self._marks is not None else None,
            wire=self._wire() if self._wire is not None else None,
        )
        self._tell(found)
        return found

    async def _try(self) -> Literal["ok", "away", "not-written"]:
        store, reached = self._ctx.store, False
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                await store.ping()
                reached = True
                await store.try_writing(self._ctx.clock.now())
        except (StoreUnavailableError, TimeoutError) as error:
            log.warning("store-unavailable", error=cause_of(error), reached=reached)
            return "not-written" if reached else "away"
        return "ok"

    async def _full(self) -> bool:
        try:
            await self._backlog()
        except RejectedError:
            return True
        return False

    def _tell(self, found: list[Finding]) -> None:
        """Each change once."""
        if found != self._told:
            log.warning("readiness", cannot=[f.name for f in found], ready=not any(f.blocks for f in found))
            self._told = found
