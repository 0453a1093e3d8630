"""Sends what is to be told of alarms: from the store, again and again until it is out, each to one recipient.

One recipient's tellings go one after the other; the first that does not go out ends that recipient's turn, so that a
mail server that is away costs one attempt a round, not one for each mail. A recipient that the configuration does not
name any more is not told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from gateway.application.context import Context
from gateway.application.ports.alerts import AlarmWay
from gateway.core.alarms.tellings import GIVEN_UP, Telling, note_of
from gateway.core.alarms.terms import Way
from gateway.core.records import Changes, Event
from lianzhi.errors import ConflictError, StoreUnavailableError, UndeliveredError
from lianzhi.faults import cause_of

log = structlog.get_logger("duty")
Ways = Mapping[tuple[Way, str], AlarmWay]
"""(way, name of the recipient) → how it is reached."""
BATCH = 10


class Teller:
    """ways: of the recipients as they are configured now."""

    def __init__(self, context: Context, ways: Ways) -> None:
        self._ctx = context
        self.follow(ways)

    def follow(self, ways: Ways) -> None:
        """These from now on."""
        self._ways = dict(ways)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            wait = self._ctx.settings.alarm_poll
            try:
                if await self.once() == BATCH:
                    continue
            except (StoreUnavailableError, ConflictError) as error:
                log.warning("store-unavailable", error=cause_of(error))
                wait = self._ctx.settings.store_pause
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)

    async def once(self) -> int:
        """Everything that is due now; how many tellings that were. Raises StoreUnavailableError."""
        term = self._ctx.settings.alarm_lease
        due = await self._ctx.store.alarms.lease(self._ctx.clock.now(), term, BATCH)
        turns: dict[tuple[Way, str], list[Telling]] = {}
        for telling in due:
            turns.setdefault((telling.way, telling.recipient), []).append(telling)
        await asyncio.gather(*(self._in_turn(whose, tellings) for whose, tellings in turns.items()))
        return len(due)

    async def _in_turn(self, whose: tuple[Way, str], tellings: Sequence[Telling]) -> None:
        way, away = self._ways.get(whose), None
        for telling in tellings:
            now = self._ctx.clock.now()
            if way is None:
                await self._end(replace(telling, outcome="dropped", error="not-configured", ended_at=now))
                continue
            if away is None:
                away = await self._send(way, telling, now)
                if away is None:
                    await self._end(replace(telling, outcome="sent", error=None, ended_at=self._ctx.clock.now()))
                    continue
                log.warning("alert-not-told", way=telling.way, recipient=telling.recipient, why=away)
            await self._again(telling, away)

    async def _send(self, way: AlarmWay, telling: Telling, now: datetime) -> str | None:
        """Why it did not go out; None when it did."""
        try:
            async with asyncio.timeout(self._ctx.settings.page_timeout):
                await way.tell(note_of(telling, self._ctx.settings.alarms), now)
        except TimeoutError:
            return "timeout"
        except UndeliveredError as error:
            return error.code
        except Exception as fault:  # this recipient alone
            self._ctx.faults.set_aside("telling", telling.note_id, fault)
            return f"fault-{type(fault).__name__}"
        return None

    async def _again(self, telling: Telling, why: str) -> None:
        now = self._ctx.clock.now()
        if now - telling.at >= GIVEN_UP:
            await self._end(replace(telling, outcome="failed", error=why, ended_at=now))
            return
        due = now + self._ctx.settings.alarm_backoff.after(telling.attempts)
        await self._mark(replace(telling, due_at=due, error=why), Changes())

    async def _end(self, telling: Telling) -> None:
        now, changes = self._ctx.clock.now(), Changes()
        if telling.outcome == "failed":
            detail = f"alert-not-told:{telling.way}:{telling.recipient}:{telling.error}"
            head = {"reason": "alert-not-told", "alert": telling.alarm_id, "attempts": telling.attempts}
            changes.events.append(Event(now, self._ctx.home.code, "incident", head=head, detail=detail))
        await self._mark(telling, changes)

    async def _mark(self, telling: Telling, changes: Changes) -> None:
        async with self._ctx.store.begin() as tx:
            await tx.alarms.mark(telling)
            await tx.apply(changes)
