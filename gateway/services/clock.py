"""What has become due: `delivered` that did not come, gaps in the numbering, blocked requests to be mended.

All deadlines are rows of the store, so a process that was away for days catches up once, in order, and several
clocks may run (docs/design.md section 4 rule 8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from gateway.core.records import Changes, Event, Request, Timer
from gateway.errors import RejectedError, StoreUnavailableError
from gateway.services.approval_clock import WAITING, waited
from gateway.services.carry import GAP, MENDING, WATCH
from gateway.services.compose import Composer
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.mending import Mender
from gateway.services.ports import Transaction

log = structlog.get_logger("clock")


class ClockWork:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._wake = wake
        self._composer = Composer(context)
        self._mender = Mender(context)

    async def run(self, stop: asyncio.Event) -> None:
        settings = self._ctx.settings
        while not stop.is_set():
            wait = settings.clock_poll
            try:
                if await self.once() == settings.batch:
                    continue
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=str(error))
                wait = settings.store_pause
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue

    async def once(self) -> int:
        """Everything due now, in one unit of work; how many timers that were."""
        now, changes = self._ctx.clock.now(), Changes()
        async with self._ctx.store.begin() as tx:
            timers = await tx.due_timers(now, self._ctx.settings.batch)
            if not timers:
                return 0
            requests = await tx.lock_requests(sorted({t.request_no for t in timers}))
            touched: dict[str, Request] = {}
            for timer in timers:
                request = requests.get(timer.request_no)
                if await self._due(tx, timer, request, changes, now) and request is not None:
                    touched[request.request_no] = request
            changes.requests += touched.values()
            await tx.apply(changes)
        if changes.outbox or changes.outbox_again:
            self._wake()
        return len(timers)

    async def _due(
        self, tx: Transaction, timer: Timer, request: Request | None, changes: Changes, now: datetime
    ) -> bool:
        """Whether the request's row changed."""
        changes.clear_timer(timer.request_no, timer.kind)
        if timer.kind.startswith(GAP):
            await self._gap(tx, timer, request, changes, now)
            return False
        if request is None:
            return False
        if timer.kind == MENDING:
            return await self._mender.mend(tx, request, changes, now)
        if timer.kind in WAITING:
            return waited(self._ctx, timer, request, changes, now)
        return self._redeliver(request, timer, changes, now)

    def _redeliver(self, request: Request, timer: Timer, changes: Changes, now: datetime) -> bool:
        """The stored bytes again, so many times, each wait longer; then an incident that someone sees."""
        settings, verb = self._ctx.settings, timer.kind.removeprefix(WATCH)
        if timer.count >= settings.redeliver_times:
            request.reason = "delivery-overdue"
            request.updated_at = now
            changes.events += request_events(self._ctx, request, "incident", now, detail=f"delivery-overdue:{verb}")
            return True
        wait = settings.redeliver_after * settings.redeliver_factor ** (timer.count + 1)
        changes.outbox_again.append((request.asker, request.marks[verb][0]))
        changes.set_timer(Timer(request.request_no, timer.kind, now + wait, timer.count + 1))
        changes.events += request_events(self._ctx, request, "sent-again", now, detail=verb)
        return False

    async def _gap(
        self, tx: Transaction, timer: Timer, request: Request | None, changes: Changes, now: datetime
    ) -> None:
        """A number is missing for too long: an event, and a notice that names it."""
        side = timer.kind.removeprefix(GAP)
        code = (
            timer.request_no.rsplit("-", 2)[0]
            if request is None
            else (request.asker if side == "asker" else request.asked)
        )
        last = 0 if request is None else (request.asker_seq if side == "asker" else request.asked_seq)
        if request is not None:
            changes.events += request_events(self._ctx, request, "gap", now, detail=f"{side}:{last + 1}")
        else:
            changes.events.append(
                Event(at=now, audience=self._ctx.home.code, kind="gap", request_no=timer.request_no, detail=side)
            )
        if not await tx.notice_allowed(
            code, f"gap:{timer.request_no}:{last + 1}", now, self._ctx.settings.notices_per_minute
        ):
            return
        composed = await self._composer.notice(
            self._ctx.participant(code),
            "",
            RejectedError("sequence-gap", pointer="/seqno"),
            now=now,
            request_no=timer.request_no,
            next_seqno=last + 1,
        )
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
