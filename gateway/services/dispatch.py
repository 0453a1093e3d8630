"""From the outbox to the broker: lease, publish the stored bytes, mark what was confirmed.

A row is marked only after the broker's confirm; a process that dies in between leaves a lease that runs out, and
the same bytes go again (docs/design.md sections 4 and 5). Several dispatchers may run, in any number of processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from gateway.core.lifecycle import Step, decide
from gateway.core.records import Changes, LeasedMessage
from gateway.errors import LianzhiError, StoreUnavailableError, UnroutableError
from gateway.services.carry import carry_out
from gateway.services.context import Context
from gateway.services.ports import Publisher

log = structlog.get_logger("dispatch")


class Dispatcher:
    """owner: unique to this process and task. `wake()` says that there may be something to send."""

    def __init__(self, context: Context, publisher: Publisher, owner: str) -> None:
        self._ctx = context
        self._publisher = publisher
        self._owner = owner
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store or a broker that is away."""
        settings = self._ctx.settings
        while not stop.is_set():
            self._woken.clear()
            try:
                sent = await self.once() if self._publisher.connected else 0
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=str(error))
                await _wait(stop, settings.store_pause)
                continue
            if sent < settings.dispatch_batch:
                await _first(stop, self._woken, settings.poll)

    async def once(self) -> int:
        """One lease, its publishes, one mark. How many rows were taken."""
        ctx = self._ctx
        now = ctx.clock.now()
        rows = await ctx.store.lease_outbox(self._owner, now, ctx.settings.lease_term, ctx.settings.dispatch_batch)
        if not rows:
            return 0
        outcomes = await asyncio.gather(
            *(self._publisher.publish(r.routing_key, r.body, timeout=ctx.settings.publish_timeout) for r in rows),
            return_exceptions=True,
        )
        done: list[int] = []
        failed: list[tuple[LeasedMessage, LianzhiError]] = []
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is None:
                done.append(row.row_id)
            elif isinstance(outcome, LianzhiError):
                failed.append((row, outcome))
            else:
                raise outcome
        if done:
            await self._sent(done)
        if failed:
            await self._failed(failed)
        return len(rows)

    async def _sent(self, row_ids: Sequence[int]) -> None:
        ctx, now = self._ctx, self._ctx.clock.now()
        changes = Changes()
        async with ctx.store.begin() as tx:
            rows = await tx.mark_sent(row_ids, self._owner)
            moving = {r.request_no: r for r in rows if r.request_no and r.verb == "open"}
            requests = await tx.lock_requests(sorted(moving))
            for request in requests.values():
                decision = decide(request, Step("dispatched", "gateway", now))
                if decision.state != request.state:
                    carry_out(ctx, request, decision, changes, now)
                    changes.requests.append(request)
            await tx.apply(changes)

    async def _failed(self, failed: Sequence[tuple[LeasedMessage, LianzhiError]]) -> None:
        ctx, now = self._ctx, self._ctx.clock.now()
        changes = Changes()
        async with ctx.store.begin() as tx:
            unroutable = {
                r.request_no for r, e in failed if isinstance(e, UnroutableError) and r.request_no and r.verb == "open"
            }
            requests = await tx.lock_requests(sorted(unroutable))
            for row, error in failed:
                wait = ctx.settings.publish_backoff.after(row.attempts + 1)
                reason = "unroutable" if isinstance(error, UnroutableError) else "unconfirmed"
                await tx.mark_failed(row.row_id, self._owner, next_at=now + wait, reason=reason, park=False)
                log.warning("not-sent", reason=reason, message_id=row.message_id, attempts=row.attempts + 1)
            for request in requests.values():
                decision = decide(request, Step("undeliverable", "gateway", now))
                if decision.state != request.state:
                    request.reason = "unroutable"
                    carry_out(ctx, request, decision, changes, now)
                    changes.requests.append(request)
            await tx.apply(changes)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _first(stop: asyncio.Event, woken: asyncio.Event, seconds: float) -> None:
    """Until one of the two is set, or the time is over."""
    waits = {asyncio.create_task(stop.wait()), asyncio.create_task(woken.wait())}
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
