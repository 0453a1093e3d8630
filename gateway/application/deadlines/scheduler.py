"""Runs the timers that are due: each goes to the code for its kind.

All deadlines are rows of the store, so a process that was away for days catches up once, in order of due time, and
several clocks may run (docs/architecture.md 4 rule 8). A clock that has several steps says each of them in its turn
among all others, also when several are past.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from heapq import heapify, heappop, heappush

import structlog

from gateway.application.alerts.duty_roster import ROSTER, due_roster
from gateway.application.context import Context
from gateway.application.conversation.alert_effects import due_hold, due_page, due_questioning
from gateway.application.conversation.apply_decision import GAP, MENDING, WATCH
from gateway.application.conversation.apply_verb import DESTROY, destroy
from gateway.application.conversation.measure_effects import due_measure
from gateway.application.deadlines.redelivery import GapWatch, send_again
from gateway.application.deadlines.reminders import Reminder
from gateway.application.set_aside import incident
from gateway.application.submission.pending_approval import WAITING, waited
from gateway.application.submission.retry_blocked import Mender
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.control.expiry import MEASURE
from gateway.core.records import Changes, Request, Timer
from gateway.core.requests.paging import HOLD, PAGE
from gateway.core.requests.questioning import QUESTIONING
from lianzhi.errors import ConflictError, StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("clock")

KINDS = (MEASURE, PAGE, HOLD, ROSTER, QUESTIONING)
CONFLICTS = 3
"""So often in turn a whole batch may meet rows that somebody else has just changed; then each timer goes alone, so that
one which always conflicts holds up no other."""


class ClockWork:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._wake = wake
        self._gaps = GapWatch(context)
        self._mender = Mender(context)
        self._reminder = Reminder(context)

    async def run(self, stop: asyncio.Event) -> None:
        settings, conflicts = self._ctx.settings, 0
        while not stop.is_set():
            wait = settings.clock_poll
            try:
                again = await (self.once() if conflicts < CONFLICTS else self._alone()) == settings.batch
                conflicts = 0
                if again:
                    continue
            except ConflictError as error:  # another unit held the same rows: nobody is wrong
                conflicts += 1
                log.warning("run-again", conflict=error.constraint)
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                wait = settings.store_pause
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue

    async def once(self) -> int:
        """Everything due now, in one unit of work; how many timers that were. If one of them cannot be said, the others
        are, each in a unit of its own."""
        timers: list[Timer] = []
        try:
            return await self._unit(self._ctx.settings.batch, timers)
        except (StoreUnavailableError, ConflictError):
            raise
        except Exception:
            if not timers:  # nothing was loaded: it is no timer's doing
                raise
        return await self._alone()

    async def _alone(self) -> int:
        """One timer a unit; whichever our own code fails over is set aside, told, and tried again later."""
        for count in range(self._ctx.settings.batch):
            timers: list[Timer] = []
            try:
                if not await self._unit(1, timers):
                    return count
            except StoreUnavailableError:
                raise
            except Exception as fault:
                if not timers:
                    raise
                await self._set_aside(timers[0], fault)
        return self._ctx.settings.batch

    async def _set_aside(self, timer: Timer, fault: Exception) -> None:
        self._ctx.faults.set_aside("timer", f"{timer.request_no} {timer.kind}", fault)
        now = self._ctx.clock.now()
        told = incident(self._ctx.home.code, timer.request_no, f"timer:{timer.kind}", fault, now)
        async with self._ctx.store.begin() as tx:
            if await tx.set_timer_aside(timer, now, self._ctx.settings.fault_backoff):
                await tx.apply(Changes(events=[told]))

    async def _unit(self, batch: int, timers: list[Timer]) -> int:
        """Everything due now, at most so much; how many timers that were. timers: are put there as they are loaded."""
        now, changes = self._ctx.clock.now(), Changes()
        async with self._ctx.store.begin() as tx:
            timers += await tx.due_timers(now, batch, self._ctx.clocks.sure(now))
            if not timers:
                return 0
            unit = UnitOfWork(self._ctx, tx, changes, now)
            requests = await tx.lock_requests(sorted({t.request_no for t in timers}))
            touched: dict[str, Request] = {}
            agenda = _Agenda(timers, now if len(timers) < batch else max(t.due_at for t in timers))
            while timer := agenda.next():
                request = requests.get(timer.request_no)
                if await self._due(unit, timer, request) and request is not None:
                    touched[request.request_no] = request
                agenda.add(t for t in changes.timers if (t.request_no, t.kind) == (timer.request_no, timer.kind))
            changes.requests += touched.values()
            await tx.apply(changes)
        if changes.outbox or changes.outbox_again:
            self._wake()
        return len(timers)

    async def _due(self, unit: UnitOfWork, timer: Timer, request: Request | None) -> bool:
        """Whether the request's row changed."""
        unit.changes.clear_timer(timer.request_no, timer.kind)
        if timer.kind.startswith(GAP):
            await self._gaps.fell_due(unit, timer, request)
            return False
        if timer.kind.startswith(KINDS):
            return await due_control(unit, timer, request)
        if request is None:
            return False
        if timer.kind.startswith(DESTROY):
            destroy(unit, timer, request)
            return False
        if timer.kind == MENDING:
            return await self._mender.mend(unit, request)
        if timer.kind in WAITING:
            return waited(unit, timer, request)
        if timer.kind.startswith(WATCH):
            return send_again(unit, timer, request)
        return await self._reminder.fell_due(unit, timer, request)


class _Agenda:
    """Timers in order of due time. until: what a clock does next joins them when it is due by then; what is due
    later waits for those that this unit has not loaded."""

    def __init__(self, timers: Iterable[Timer], until: datetime) -> None:
        self._until = until
        self._waiting = [(t.due_at, n, t) for n, t in enumerate(timers)]
        self._added = len(self._waiting)
        heapify(self._waiting)

    def add(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            if timer.due_at <= self._until:
                heappush(self._waiting, (timer.due_at, self._added, timer))
                self._added += 1

    def next(self) -> Timer | None:
        return heappop(self._waiting)[2] if self._waiting else None


# --- of measures, alerts and the duty roster, by the prefix of the timer's kind


async def due_control(unit: UnitOfWork, timer: Timer, request: Request | None) -> bool:
    """Whether the request's row changed. The timer itself has been cleared by the caller."""
    if timer.kind == ROSTER:
        await due_roster(unit)
    elif timer.kind.startswith(MEASURE):
        await due_measure(unit, timer)
    elif request is not None and timer.kind == HOLD:
        return await due_hold(unit, request)
    elif request is not None and timer.kind == QUESTIONING:
        return due_questioning(unit, timer, request)
    elif request is not None:
        return await due_page(unit, timer, request)
    return False
