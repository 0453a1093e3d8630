"""Watches our own clock: a step is noticed, reported with its size, compared with other clocks, and its effects
corrected (docs/adr/0032, `gateway.core.time.clock_watch`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import GAP, MENDING, WATCH
from gateway.core.records import Changes, Event
from gateway.core.retry import CLOCKS_APART
from gateway.core.settings import Settings
from gateway.core.time.clock_watch import SAME, Reading, Step
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("clock")

AT_ONCE_SECONDS = 0.5
ASK_SECONDS, ASK_SECONDS_IN_DOUBT = 60.0, 5.0
PAGES, PAGE = "pages", "page:"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class OtherClock:
    """ask: its time now, None when it does not say. proves: it is not this machine's own."""

    ask: Callable[[], Awaitable[datetime | None]]
    proves: bool


class ClockGuard:
    """monotonic: seconds, of a clock that nobody sets. others: by name. tells: whether this process writes events of
    its own clock; another one on the same machine does where it does not."""

    def __init__(
        self, context: Context, monotonic: Callable[[], float], others: Mapping[str, OtherClock], *, tells: bool
    ) -> None:
        self._ctx = context
        self._monotonic = monotonic
        self._others = others
        self._tells = tells
        self._asked = float("-inf")
        self._untold: list[Step] = []
        self._doubted = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        settings = self._ctx.settings
        while not stop.is_set():
            pause = settings.clock_poll
            try:
                await self.once()
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                pause = settings.store_pause
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def begin(self) -> None:
        """Before anything is decided: a clock that was set back while we were away is behind what stands in the store.
        Raises StoreUnavailableError."""
        now, newest = self._look(), await self._ctx.store.newest_event_at()
        if newest is not None and newest - now > CLOCKS_APART:
            step = Step(now - newest, now)
            self._ctx.clocks.own.stepped(step)
            self._untold.append(step)
        await self._ask()

    async def once(self) -> None:
        """One look; what it shows is told and mended. Raises StoreUnavailableError: it is told by the next one."""
        self._look()
        clocks = self._ctx.clocks
        wait = ASK_SECONDS_IN_DOUBT if clocks.own.doubt else ASK_SECONDS
        if self._monotonic() - self._asked >= wait:
            await self._ask()
        middle = clocks.partners.middle()
        if middle is not None and abs(middle) <= SAME:  # what says less may have been under way for long
            clocks.own.heard(middle, proves=True)
        await self._tell()

    def _look(self) -> datetime:
        before, now = self._monotonic(), self._ctx.clock.now()
        if self._monotonic() - before > AT_ONCE_SECONDS:  # stopped between the two: they are not of one moment
            return now
        step = self._ctx.clocks.own.look(Reading(now, before))
        if step is not None:
            self._untold.append(step)
            self._ctx.clocks.set_anew()
            self._asked = float("-inf")
        return now

    async def _ask(self) -> None:
        self._asked = self._monotonic()
        for name, other in sorted(self._others.items()):
            before, time, after = self._ctx.clock.now(), await other.ask(), self._ctx.clock.now()
            if time is None:
                self._ctx.clocks.others.pop(name, None)
                continue
            offset = time - before - (after - before) / 2
            self._ctx.clocks.others[name] = offset
            self._ctx.clocks.own.heard(offset, proves=other.proves)

    async def _tell(self) -> None:
        """Steps, each once; that our clock is in doubt, and no more; clocks that differ, once an hour."""
        clocks, now = self._ctx.clocks, self._ctx.clock.now()
        doubted = bool(clocks.own.doubt)
        apart = [(name, offset) for name, offset in sorted(clocks.others.items()) if abs(offset) > SAME]
        apart = [(name, offset) for name, offset in apart if self._ctx.reached.to_be_told("clock-apart", name, now)]
        if not self._untold and doubted == self._doubted and not apart:
            return
        steps, changes = list(self._untold), Changes()
        async with self._ctx.store.begin() as tx:
            mended = 0
            if any(step.size < timedelta(0) for step in steps):
                mended = await tx.end_waits(now, longest_waits(self._ctx.settings))
            for step in steps:
                size = step.size // _MILLISECOND
                head = {"reason": "clock-step", "step_ms": size, "in_doubt": doubted, "waits_ended": mended}
                self._event(changes, "incident", f"clock-step:{size:+d}", head, now)
            if doubted != self._doubted:
                ahead = clocks.own.doubt // _MILLISECOND
                kind = "incident" if doubted else "recovered"
                self._event(changes, kind, "clock-in-doubt", {"reason": "clock-in-doubt", "ahead_ms": ahead}, now)
            for name, offset in apart:
                size = offset // _MILLISECOND
                head = {"reason": "clock-apart", "clock": name, "clock_offset_ms": size}
                self._event(changes, "incident", f"clock-apart:{name}:{size:+d}", head, now)
            await tx.apply(changes)
        self._untold, self._doubted = self._untold[len(steps) :], doubted

    def _event(self, changes: Changes, kind: str, detail: str, head: Mapping[str, object], now: datetime) -> None:
        log.warning(kind, detail=detail, **head)
        if self._tells:
            changes.events.append(
                Event(at=now, audience=self._ctx.home.code, kind=kind, head=dict(head), detail=detail)
            )


def longest_waits(settings: Settings) -> dict[str, timedelta]:
    """How far ahead a timer of ours may lie that is no deadline."""
    redelivery = settings.redeliver_after * settings.redeliver_factor**settings.redeliver_times
    return {
        WATCH: redelivery + CLOCKS_APART,
        GAP: settings.gap_after + CLOCKS_APART,
        MENDING: settings.mend_every + CLOCKS_APART,
        PAGE: settings.page_chief_after + CLOCKS_APART,
        PAGES: max(settings.page_backoff.ceiling, timedelta(seconds=settings.page_timeout)) + CLOCKS_APART,
    }
