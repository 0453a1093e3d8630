"""Looks once a minute at what a duty officer would want to know, and writes down what has begun and what is over.

The beginning and the end of an alarm are written in one unit with their incident and with everybody who is to be told;
`telling` sends it afterwards. Any number of these may run: the store's rows say what stands.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from gateway.application.context import Context, new_id
from gateway.application.ports.alerts import TakeFigures
from gateway.core.alarms.figures import Look, look
from gateway.core.alarms.standing import Alarm, State, Steps, steps
from gateway.core.alarms.tellings import tellings
from gateway.core.records import Changes, Event
from lianzhi.errors import ConflictError, StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("duty")
DETAIL = "alert:"


class AlarmWatch:
    """figures: looks at everything once."""

    def __init__(self, context: Context, figures: TakeFigures) -> None:
        self._ctx = context
        self._figures = figures

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            try:
                await self.once()
            except (StoreUnavailableError, ConflictError) as error:
                log.warning("store-unavailable", error=cause_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._ctx.settings.watch_poll)

    async def once(self) -> None:
        """One look. Raises StoreUnavailableError."""
        terms, now = self._ctx.settings.alarms, self._ctx.clock.now()
        seen = look(await self._figures(now), terms, now)
        if self._steps(await self._ctx.store.alarms.standing(), seen, now).none:
            return
        changes = Changes()
        async with self._ctx.store.begin() as tx:
            found = self._steps(await tx.alarms.standing(), seen, now)  # as it is now that nobody else changes it
            await tx.alarms.put(found.put)
            await tx.alarms.end(found.gone)
            await tx.alarms.supersede([alarm.alarm_id for state, alarm in found.told if state != "opened"])
            for state, alarm in found.told:
                await tx.alarms.tell(list(tellings(state, alarm, terms, now)))
                self._event(changes, state, alarm, now)
            await tx.apply(changes)

    def _steps(self, standing: list[Alarm], seen: Look, now: datetime) -> Steps:
        return steps(standing, seen, self._ctx.settings.alarms, now, new_id)

    def _event(self, changes: Changes, state: State, alarm: Alarm, now: datetime) -> None:
        head = {
            "reason": alarm.condition,
            "subject": alarm.subject,
            "host": alarm.scope,
            "severity": alarm.severity,
            "alert": alarm.alarm_id,
        }
        log.warning(f"alert-{state}", **head)
        if alarm.own and state in ("opened", "closed"):
            kind = "incident" if state == "opened" else "recovered"
            whose = ":".join(filter(None, (alarm.family, alarm.subject, alarm.scope)))
            detail = f"{DETAIL}{whose}"
            changes.events.append(Event(now, self._ctx.home.code, kind, head=dict(head), detail=detail))
