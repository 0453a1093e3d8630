"""From the queues to the requests: verify, order, apply, commit, and only then acknowledge.

Each delivery ends in one of these ways, all written in the same unit of work: applied; held (ahead of its turn);
overtaken (behind a withdrawal: kept, never acted on); a duplicate (nothing changes, the stored answer goes again);
or in quarantine with a reason and a notice to the owner of its queue. One whose `time` has not come waits outside of
all this, and ends in one of these ways when it has (`application.inbound.early_messages`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import time_ns

import structlog

from gateway.application.context import Context
from gateway.application.conversation.compose import Composer
from gateway.application.conversation.read_message import Arrived, ArrivedOutside, Reader
from gateway.application.conversation.request_unit import Conversation
from gateway.application.inbound.apply_messages import Refusal, Unit
from gateway.application.inbound.dead_letters import Returned
from gateway.application.inbound.early_messages import WAITS, Waiting, arrived_early, early_message
from gateway.application.inbound.fairness import Volume, units
from gateway.application.inbound.notices import named_in
from gateway.application.inbound.outside_requests import answer_outside
from gateway.application.inbound.quarantine import Quarantine, Refused
from gateway.application.inbound.repeat_messages import Repeater, own_request
from gateway.application.ports.broker import Consumer, Delivery
from gateway.application.ports.store import Transaction
from gateway.application.recovery.forgotten import keep_given_back
from gateway.application.recovery.given_back import GivenBack, given_back
from gateway.application.traces import taken_in
from gateway.application.unit_of_work import one_by_one
from gateway.core.records import Changes, EarlyMessage, Request
from lianzhi.errors import RejectedError, StoreUnavailableError
from lianzhi.faults import cause_of, fault_of
from lianzhi.protocol.envelope import parse_timestamp
from lianzhi.protocol.policy import ClockAheadError
from lianzhi.protocol.tracing import Tracer

log = structlog.get_logger("intake")

Beside = Callable[[Transaction, Changes, Sequence[Refused], datetime], Awaitable[None]]
"""What is done, inside a unit of work, with that which it refuses."""

PAUSE_AFTER, MESSAGE_COST = 128 << 10, 8 << 10
"""Bytes read until others get a turn, and what each message counts for besides its bytes: about three milliseconds."""


@dataclass(slots=True)
class _Read:
    """A delivery after reading: a verified message, or why it is none, or one of ours that came back.

    early: its `time` has not come. broken: our own code failed over it. given: one of ours that its receiver gave back.
    began: nanoseconds since 1970, where traces are written.
    """

    delivery: Delivery
    arrived: Arrived | ArrivedOutside | None = None
    error: RejectedError | None = None
    early: EarlyMessage | None = None
    broken: Exception | None = None
    given: GivenBack | None = None
    began: int = 0


class Intake:
    """wake: called after a commit that left something to dispatch."""

    def __init__(self, context: Context, consumer: Consumer, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._consumer = consumer
        self._wake = wake
        self._reader = Reader(context)
        self._composer = Composer(context)
        self._repeater = Repeater(context, self._composer)
        self._quarantine = Quarantine(context, self._composer)
        self._returned = Returned(context)
        self._volume = Volume(context)
        self._unpaused = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; the caller closes the consumer then."""
        size, most = self._ctx.settings.batch, self._ctx.bounds.intake_batch_bytes
        async for batch in self._consumer.batches(size, most):
            await self.take(batch)
            if stop.is_set():
                return

    async def release(self, stop: asyncio.Event) -> None:
        """Until `stop`: what waited for its time is judged again when that has come, by whichever clock."""
        while not stop.is_set():
            settings = self._ctx.settings
            pause = settings.clock_poll
            try:
                if await self.release_once() == settings.batch:
                    continue
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                pause = settings.store_pause
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def release_once(self) -> int:
        """How many were judged again. Raises StoreUnavailableError."""
        until = self._ctx.clock.now() + self._ctx.limits.ahead
        due = [arrived_early(message) for message in await self._ctx.store.early_due(until, self._ctx.settings.batch)]
        for group in units(due, size=self._ctx.settings.batch, max_bytes=self._ctx.bounds.intake_batch_bytes):
            if not await self._take_group(group):
                raise StoreUnavailableError("what waited for its time goes on waiting")
        return len(due)

    async def take(self, batch: Sequence[Delivery]) -> None:
        """Reads, commits and acknowledges. What was dead-lettered is tried once more, alone. When the store is
        down the consumers are paused and everything is given back to the broker."""
        self._volume.count(batch, self._ctx.clock.now())
        together = [d for d in batch if d.dead_from is None]
        groups = units(together, size=self._ctx.settings.batch, max_bytes=self._ctx.bounds.intake_batch_bytes)
        groups += [[d] for d in batch if d.dead_from is not None]
        for group in groups:
            if not await self._take_group(group):
                log.warning("store-unavailable")
                await self._consumer.pause(self._ctx.settings.store_pause)
                return

    async def take_again(self, delivery: Delivery, beside: Beside) -> None:
        """One that quarantine holds, judged as if it came now, in one unit of work with what `beside` writes; what is
        refused again goes to `beside` alone: it is in quarantine already, and its sender has heard.

        Raises what `beside` raises, StoreUnavailableError, and whatever our own code fails with.
        """
        await self._commit([await self._understood(delivery)], beside)

    async def _take_group(self, group: Sequence[Delivery]) -> bool:
        """Whether the store could be reached; what it could not take is not acknowledged."""
        read = [await self._read_in_turn(d) for d in group]
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
        await self._ack(done)
        try:
            for delivery, fault in faults:
                await self._broken(delivery, fault)
        except StoreUnavailableError:
            return False
        return True

    async def _read_in_turn(self, delivery: Delivery) -> _Read:
        """Verifying and parsing are work without a pause: whoever else has something to do gets his turn between."""
        self._unpaused += len(delivery.body) + MESSAGE_COST
        if self._unpaused > PAUSE_AFTER:
            self._unpaused = 0
            await asyncio.sleep(0)
        return await self._read(delivery)

    async def _read(self, delivery: Delivery) -> _Read:
        began = 0 if self._ctx.tracer is None else time_ns()
        try:
            read = await self._understood(delivery)
        except Exception as fault:
            return _Read(delivery, broken=fault)
        if began:
            read.began = began
        return read

    async def _understood(self, delivery: Delivery) -> _Read:
        if delivery.refused is not None:
            return _Read(delivery, error=RejectedError(delivery.refused, pointer=delivery.pointer))
        if self._returned.is_ours(delivery):
            return _Read(delivery)
        try:
            if delivery.size is not None and delivery.size > self._ctx.limits.message_bytes:
                raise RejectedError("too-large")
            arrived = await self._reader.read(
                delivery.body,
                owner=delivery.owner,
                user_id=delivery.user_id,
                content_type=delivery.content_type,
                now=self._ctx.clock.now(),
            )
        except ClockAheadError as error:
            return _Read(delivery, error=error, early=early_message(self._ctx, delivery, error, self._ctx.clock.now()))
        except RejectedError as error:
            given = given_back(self._ctx, delivery, self._ctx.clock.now()) if error.code == "foreign-key" else None
            return _Read(delivery, error=error, given=given)
        return _Read(delivery, arrived)

    async def _commit(self, batch: Sequence[_Read], beside: Beside | None = None) -> list[bool | Exception]:
        now, size = self._ctx.clock.now(), len(batch)
        changes = Changes()
        verified = [r.arrived for r in batch if r.arrived is not None]
        numbers = {m.envelope.subject for m in verified if isinstance(m, Arrived)}
        numbers |= {no for r in batch if (no := self._returned.request_no(r.delivery)) is not None}
        given = [r.given for r in batch if r.given is not None]
        numbers |= {g.envelope.subject for g in given}
        async with self._ctx.store.begin() as tx:
            waited = [r.delivery.early for r in batch if r.delivery.early is not None]
            mine = await tx.take_early(waited) if waited else set()
            batch = [r for r in batch if r.delivery.early is None or r.delivery.early in mine]
            outside = [m for m in verified if isinstance(m, ArrivedOutside)]
            numbers |= {no for m in outside if (no := await own_request(tx, m)) is not None}
            requests = await tx.lock_requests(sorted(numbers))
            keys = [(m.envelope.sender, m.envelope.id) for m in verified]
            keys += [(g.envelope.sender, g.envelope.id) for g in given]
            keys += [key for r in batch if (key := self._returned.key(r.delivery)) is not None]
            known = await tx.known(keys)
            talk = Conversation(self._ctx, self._composer, tx, requests, known, changes, now)
            unit, waiting = Unit(talk, self._reader), Waiting(self._ctx, tx, changes, now)
            refused: list[Refused] = []
            for read in batch:
                self._look_at_the_clock(read, changes, now)
                if isinstance(read.error, ClockAheadError):
                    waiting.tell_us(read.delivery.owner, read.error.time)
                if read.early is not None:
                    told = await waiting.keep(read.early)
                    refusal = Refusal(told, read.early.request_no)
                    refused.append(Refused(read.delivery, None, refusal, waits=_waits(told)))
                    continue
                for refusal in await self._apply(read, talk, unit):
                    own = refusal.request_no if refusal.next_seqno is not None else None
                    refused.append(Refused(read.delivery, read.arrived, refusal, requests.get(own or "")))
            if beside is not None:
                await beside(tx, changes, refused, now)
            elif refused:
                await self._quarantine.keep(tx, changes, refused, now)
            talk.finish()
            self._volume.tell(changes, now)
            await tx.apply(changes)
        if self._ctx.tracer is not None:
            self._trace(self._ctx.tracer, batch, requests, refused)
        if changes.outbox or changes.outbox_again or changes.outbox_in_order:
            self._wake()
        return [True] * size

    def _trace(
        self, tracer: Tracer, batch: Sequence[_Read], requests: Mapping[str, Request], refused: Sequence[Refused]
    ) -> None:
        """What was committed. Pings and what waits for its time are not traced."""
        codes = {id(one.delivery): one.refusal.error.code for one in refused if not one.waits}
        for read in batch:
            if read.began and not isinstance(read.arrived, ArrivedOutside):
                taken_in(
                    tracer,
                    queue=read.delivery.queue,
                    owner=read.delivery.owner,
                    started=read.began,
                    envelope=None if read.arrived is None else read.arrived.envelope,
                    requests=requests,
                    error=codes.get(id(read.delivery)),
                )

    def _look_at_the_clock(self, read: _Read, changes: Changes, now: datetime) -> None:
        """What its sender's clock shows; of what waited for its time that was seen when it came."""
        if read.delivery.early is not None:
            return
        if read.arrived is not None:
            owner, time = read.arrived.envelope.sender, parse_timestamp(read.arrived.envelope.time)
        elif isinstance(read.error, ClockAheadError):
            owner, time = read.delivery.owner, read.error.time
        else:
            return
        clock = self._ctx.clocks.heard(owner, time, now)
        if clock is not None:
            changes.partner_clocks.append(clock)

    async def _apply(self, read: _Read, talk: Conversation, unit: Unit) -> list[Refusal]:
        if isinstance(read.arrived, Arrived):
            return await unit.apply(read.arrived)
        error = read.error
        if read.given is not None:
            error = await keep_given_back(talk, read.delivery.owner, read.given.envelope, read.given.parsed)
        elif isinstance(read.arrived, ArrivedOutside):
            error = await answer_outside(talk, self._composer, self._repeater, read.arrived)
        elif error is None:
            error = self._returned.apply(talk, read.delivery)
        return [Refusal(error, self._named(read))] if error is not None else []

    def _named(self, read: _Read) -> str | None:
        """The request that it names, where its signature verified and only its `time` was wrong."""
        ahead = isinstance(read.error, ClockAheadError)
        return named_in(self._ctx, read.delivery.body).request_no if ahead else None

    async def _broken(self, delivery: Delivery, fault: Exception) -> None:
        """Our own code failed on this message. First time: dead-letter it, so that the queue moves on; second
        time, alone: quarantine `poison`, the bytes kept."""
        log.error("message-broke-intake", owner=delivery.owner, queue=delivery.queue, **fault_of(fault))
        if delivery.dead_from is None and delivery.early is None:
            await self._consumer.reject([delivery])
            return
        now, changes = self._ctx.clock.now(), Changes()
        async with self._ctx.store.begin() as tx:
            if delivery.early is not None:
                await tx.take_early([delivery.early])
            refused = Refused(delivery, None, Refusal(RejectedError("poison"), None))
            await self._quarantine.keep(tx, changes, [refused], now)
            await tx.apply(changes)
        await self._ack([delivery])

    async def _ack(self, deliveries: Sequence[Delivery]) -> None:
        """Those that are at the broker."""
        await self._consumer.ack([d for d in deliveries if d.early is None])


def _waits(told: RejectedError) -> bool:
    return told.errors[0].rule == WAITS
