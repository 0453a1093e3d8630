"""From the queues to the requests: verify, order, apply, commit, and only then acknowledge.

Each delivery ends in one of these ways, all written in the same unit of work: applied; held (ahead of its turn);
overtaken (behind a withdrawal: kept, never acted on); a duplicate (nothing changes, the stored answer goes again);
or in quarantine with a reason and a notice to the owner of its queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from gateway.core.records import Changes
from gateway.errors import RejectedError, StoreUnavailableError
from gateway.services.applying import Refusal, Unit
from gateway.services.batching import one_by_one
from gateway.services.compose import Composer
from gateway.services.context import Context
from gateway.services.conversation import Conversation
from gateway.services.outside import answer_outside
from gateway.services.ports import Consumer, Delivery
from gateway.services.quarantining import Quarantine
from gateway.services.reading import Arrived, ArrivedOutside, Reader
from gateway.services.returned import Returned

log = structlog.get_logger("intake")


@dataclass(slots=True)
class _Read:
    """A delivery after reading: a verified message, or why it is none, or one of ours that came back.

    broken: our own code failed over it.
    """

    delivery: Delivery
    arrived: Arrived | ArrivedOutside | None = None
    error: RejectedError | None = None
    broken: Exception | None = None


class Intake:
    """wake: called after a commit that left something to dispatch."""

    def __init__(self, context: Context, consumer: Consumer, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._consumer = consumer
        self._wake = wake
        self._reader = Reader(context)
        self._composer = Composer(context)
        self._quarantine = Quarantine(context, self._composer)
        self._returned = Returned(context)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; the caller closes the consumer then."""
        async for batch in self._consumer.batches(self._ctx.settings.batch):
            await self.take(batch)
            if stop.is_set():
                return

    async def take(self, batch: Sequence[Delivery]) -> None:
        """Reads, commits and acknowledges. What was dead-lettered is tried once more, alone. When the store is
        down the consumers are paused and everything is given back to the broker."""
        together = [d for d in batch if d.dead_from is None]
        groups = [together] if together else []
        groups += [[d] for d in batch if d.dead_from is not None]
        for group in groups:
            if not await self._take_group(group):
                log.warning("store-unavailable")
                await self._consumer.pause(self._ctx.settings.store_pause)
                return

    async def _take_group(self, group: Sequence[Delivery]) -> bool:
        """Whether the store could be reached; what it could not take is not acknowledged."""
        read = [await self._read(d) for d in group]
        sound = [r for r in read if r.broken is None]
        outcomes = await one_by_one(self._commit, sound) if sound else []
        if any(isinstance(o, StoreUnavailableError) for o in outcomes):
            return False
        faults = [(r.delivery, r.broken) for r in read if r.broken is not None]
        done = []
        for one, outcome in zip(sound, outcomes, strict=True):
            if isinstance(outcome, Exception):
                faults.append((one.delivery, outcome))
            else:
                done.append(one.delivery)
        await self._consumer.ack(done)
        try:
            for delivery, fault in faults:
                await self._broken(delivery, fault)
        except StoreUnavailableError:
            return False
        return True

    async def _read(self, delivery: Delivery) -> _Read:
        try:
            return await self._understood(delivery)
        except Exception as fault:
            return _Read(delivery, broken=fault)

    async def _understood(self, delivery: Delivery) -> _Read:
        if self._returned.is_ours(delivery):
            return _Read(delivery)
        try:
            arrived = await self._reader.read(
                delivery.body,
                owner=delivery.owner,
                user_id=delivery.user_id,
                content_type=delivery.content_type,
                now=self._ctx.clock.now(),
            )
        except RejectedError as error:
            return _Read(delivery, error=error)
        return _Read(delivery, arrived)

    async def _commit(self, batch: Sequence[_Read]) -> list[bool | Exception]:
        now = self._ctx.clock.now()
        changes = Changes()
        verified = [r.arrived for r in batch if r.arrived is not None]
        numbers = {m.envelope.subject for m in verified if isinstance(m, Arrived)}
        numbers |= {no for r in batch if (no := self._returned.request_no(r.delivery)) is not None}
        async with self._ctx.store.begin() as tx:
            requests = await tx.lock_requests(sorted(numbers))
            known = await tx.known([(m.envelope.sender, m.envelope.id) for m in verified])
            talk = Conversation(self._ctx, self._composer, tx, requests, known, changes, now)
            unit = Unit(talk, self._reader)
            for read in batch:
                for refusal in await self._apply(read, talk, unit):
                    request = requests.get(refusal.request_no or "")
                    await self._quarantine.add(tx, changes, read.delivery, read.arrived, refusal, now, request=request)
            talk.finish()
            await tx.apply(changes)
        if changes.outbox or changes.outbox_again:
            self._wake()
        return [True] * len(batch)

    async def _apply(self, read: _Read, talk: Conversation, unit: Unit) -> list[Refusal]:
        if isinstance(read.arrived, Arrived):
            return await unit.apply(read.arrived)
        error = read.error
        if isinstance(read.arrived, ArrivedOutside):
            error = await answer_outside(talk, self._composer, read.arrived)
        elif error is None:
            self._returned.apply(talk, read.delivery)
        return [Refusal(error, None)] if error is not None else []

    async def _broken(self, delivery: Delivery, fault: Exception) -> None:
        """Our own code failed on this message. First time: dead-letter it, so that the queue moves on; second
        time, alone: quarantine `poison`, the bytes kept."""
        log.error("message-broke-intake", owner=delivery.owner, queue=delivery.queue, exc_info=fault)
        if delivery.dead_from is None:
            await self._consumer.reject([delivery])
            return
        now, changes = self._ctx.clock.now(), Changes()
        async with self._ctx.store.begin() as tx:
            refusal = Refusal(RejectedError("poison"), None)
            await self._quarantine.add(tx, changes, delivery, None, refusal, now)
            await tx.apply(changes)
        await self._consumer.ack([delivery])
