"""Pauses a route whose queue takes nothing, tries it, opens it again; start and end of a pause are reported once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from gateway.application.context import Context
from gateway.application.ports.outbox import PauseUnit
from gateway.core import pausing
from gateway.core.records import Changes, Event, PausedRoute, PauseReason
from gateway.core.routing import is_urgent

log = structlog.get_logger("dispatch")


class Pausing:
    """Inside the unit of work that writes what became of a batch."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def refused(
        self,
        tx: PauseUnit,
        route: str,
        reason: PauseReason | None,
        changes: Changes,
        now: datetime,
        *,
        trial: bool,
        some_went: bool,
    ) -> None:
        """The queue took not everything that was tried. trial: it was paused already. reason: None where the trial
        failed for a cause that is not the queue's; what was the matter before still is."""
        backoff = self._ctx.settings.pause_backoff
        known = (await tx.paused([route])).get(route) if trial else None
        if known is not None:
            again = pausing.refused(known, reason or known.reason, now, backoff, some_went=some_went)
            await tx.go_on_pausing(again)
        elif reason is not None:
            if reason == "queue-full":
                self._ctx.reached.count("queue_messages", route.partition(".")[0])
            told = self._ctx.reached.to_be_told(reason, route, now)
            pause = pausing.paused(route, reason, now, backoff, told=told)
            if await tx.begin_pause(pause) and told:
                self._tell("incident", pause, changes, now)

    async def accepted(self, tx: PauseUnit, routes: Sequence[str], changes: Changes, now: datetime) -> None:
        """Of these paused routes everything went that was tried."""
        for route, pause in (await tx.paused(routes)).items():
            going_on = pausing.accepted(pause, now, more_waits=await tx.anything_ready(route, now))
            if going_on is not None:
                await tx.go_on_pausing(going_on)
                continue
            await tx.end_pause(route)
            if pause.told:
                self._tell("recovered", pause, changes, now)

    def _tell(self, kind: str, pause: PausedRoute, changes: Changes, now: datetime) -> None:
        lane = "urgent" if is_urgent(pause.route) else "normal"
        head = {"participant": pause.participant, "lane": lane, "reason": pause.reason}
        detail = pausing.detail(pause)
        changes.events.append(Event(at=now, audience=self._ctx.home.code, kind=kind, head=head, detail=detail))
        log.warning("paused" if kind == "incident" else "resumed", route=pause.route, reason=pause.reason)
