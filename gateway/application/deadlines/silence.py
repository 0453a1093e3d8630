"""Watches for partners that have become silent: one incident for each, with its cause, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from gateway.application.context import Context
from gateway.application.ports.broker import AskQueues
from gateway.core.operating.records import Hold
from gateway.core.records import Changes, Event
from gateway.core.routing import Participant
from gateway.core.silence import WINDOW, Cause, Silence, silent
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("clock")
DETAIL = "partner-silent:"


class SilenceWatch:
    """ask: the broker, about queues; what it does not answer is no silence of a partner. Any number of these may run:
    the store says which one tells."""

    def __init__(self, context: Context, ask: AskQueues) -> None:
        self._ctx = context
        self._ask = ask
        self._absent: dict[str, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            try:
                await self.once()
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._ctx.settings.watch_poll)

    async def once(self) -> None:
        """One look at every partner. Raises StoreUnavailableError."""
        home = self._ctx.home.code
        watched = {p.code: p for p in self._ctx.directory if p.code != home and p.enabled and p.channel == "amqp"}
        known = {silence.participant: silence for silence in await self._ctx.store.operating.silences()}
        queues = await self._ask(sorted(watched)) if watched else None
        now = self._ctx.clock.now()
        for code in watched:
            state = None if queues is None else queues.get(code)
            if state is not None:
                self._seen(code, bool(state.consumers), now)
        paused = stopped(await self._ctx.store.operating.holds(), watched)
        for code in sorted(watched.keys() | known.keys()):
            found = await self._silent(watched[code], now) if code in watched else None
            if found is not None and known.get(code) is None and code in paused:
                continue  # an operator has stopped everything to it: that it says nothing is no news
            await self._tell(code, known.get(code), found, now)

    def _seen(self, code: str, present: bool, now: datetime) -> None:
        if present:
            self._absent.pop(code, None)
        else:
            self._absent.setdefault(code, now)

    async def _silent(self, partner: Participant, now: datetime) -> tuple[Cause, datetime] | None:
        exchanges = await self._ctx.store.operating.exchanges(partner.code, self._ctx.home.code, now - WINDOW)
        return silent(self._absent.get(partner.code), exchanges, now)

    async def _tell(
        self, code: str, known: Silence | None, found: tuple[Cause, datetime] | None, now: datetime
    ) -> None:
        """Its beginning and its end once each, whoever else looks; another cause meanwhile is the same silence."""
        if (None if known is None else known.cause) == (None if found is None else found[0]):
            return
        changes = Changes()
        async with self._ctx.store.begin() as tx:
            if found is not None:
                row = Silence(code, found[0], found[1], now if known is None else known.told_at)
                if await tx.operating.put_silence(row) and known is None:
                    self._event(changes, "incident", row, now)
            elif known is not None and await tx.operating.end_silence(code):
                self._event(changes, "recovered", known, now)
            await tx.apply(changes)

    def _event(self, changes: Changes, kind: str, silence: Silence, now: datetime) -> None:
        minutes = (now - silence.since) // timedelta(minutes=1)
        head = {"reason": silence.cause, "participant": silence.participant, "minutes": minutes}
        log.warning(kind, detail=DETAIL + silence.participant, **head)
        changes.events.append(
            Event(now, self._ctx.home.code, kind, head=head, detail=f"{DETAIL}{silence.participant}:{silence.cause}")
        )


def stopped(holds: Sequence[Hold], partners: Collection[str]) -> frozenset[str]:
    """Those of these partners to whom an operator has stopped everything."""
    if any(hold.scope == "all" for hold in holds):
        return frozenset(partners)
    return frozenset(hold.name for hold in holds if hold.scope == "partner")
