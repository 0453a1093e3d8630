"""From the outbox to the broker: lease, publish the stored bytes, mark what was confirmed.

A row is marked only after the broker's confirm; a process that dies in between leaves a lease that runs out, and
the same bytes go again (docs/architecture.md 4 and 5). Several dispatchers may run, in any number of processes.
A participant whose queue takes nothing is paused alone (`gateway.core.pausing`); the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.outbound.lease_gate import LeaseGate
from gateway.application.outbound.paused_routes import Pausing
from gateway.application.ports.broker import Publisher
from gateway.application.ports.outbox import PauseUnit
from gateway.application.set_aside import incident
from gateway.application.unit_of_work import request_events
from gateway.core.records import Changes, Event, FailedMessage, LeasedMessage, PauseReason, Request
from gateway.core.requests.lifecycle import Step, decide
from lianzhi.errors import (
    BrokenRowError,
    LianzhiError,
    OversizeError,
    RefusedError,
    StoreUnavailableError,
    UnansweredError,
    UnroutableError,
)
from lianzhi.faults import cause_of

log = structlog.get_logger("dispatch")

Outcome = LianzhiError | None
TOO_LARGE = "message-too-large"
MEND_SIZE = (
    "代理的 max_message_size 太小，改法见 The broker's max_message_size is too small; what mends it: lianzhi doctor"
)
FAULT = "fault"


@dataclass(slots=True)
class Tally:
    """What became of the messages of one route in one batch. trial: the route was paused, they are to find out."""

    sent: list[LeasedMessage] = field(default_factory=list)
    failed: list[tuple[LeasedMessage, LianzhiError]] = field(default_factory=list)

    @property
    def trial(self) -> bool:
        return any(row.trial for row in self.sent) or any(row.trial for row, _ in self.failed)

    def errors(self, kind: type[LianzhiError]) -> list[LeasedMessage]:
        return [row for row, error in self.failed if isinstance(error, kind)]


class Dispatcher:
    """owner: unique to this process and task. `wake()` says that there may be something to send. gate: shared by the
    dispatchers of this process, closed when it is drained."""

    def __init__(self, context: Context, publisher: Publisher, owner: str, gate: LeaseGate | None = None) -> None:
        self._ctx = context
        self._publisher = publisher
        self._owner = owner
        self._pausing = Pausing(context)
        self._gate = gate or LeaseGate()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store or a broker that is away."""
        while not stop.is_set():
            settings = self._ctx.settings
            self._woken.clear()
            try:
                sent = await self._gate.passed(self.once) if self._publisher.connected else 0
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                await _wait(stop, settings.store_pause)
                continue
            if sent < settings.dispatch_batch:
                await _first(stop, self._woken, settings.poll)

    async def once(self) -> int:
        """One lease, its publishes, one mark. How many rows were taken."""
        ctx = self._ctx
        now = ctx.clock.now()
        settings = ctx.settings
        rows = await ctx.store.lease_outbox(
            self._owner,
            now,
            settings.lease_term,
            settings.dispatch_batch,
            settings.longest_waits,
            ctx.directory.suspended,
        )
        if not rows:
            return 0
        tallies = tallied(rows, await self._publish(rows))
        for tally in tallies.values():
            if (refused := tally.errors(RefusedError)) and not tally.trial:
                await self._once_more(refused[0], tally)
        done = [row.row_id for tally in tallies.values() for row in tally.sent]
        if done:
            await self._sent(done, [route for route, t in tallies.items() if t.trial and not t.failed])
        if len(done) < len(rows):
            await self._failed(tallies)
        return len(rows)

    async def _publish(self, rows: Sequence[LeasedMessage]) -> list[Outcome]:
        timeout = self._ctx.settings.publish_timeout
        outcomes: list[Outcome] = []
        published = await asyncio.gather(
            *(self._publisher.publish(r.routing_key, r.body, timeout=timeout) for r in rows), return_exceptions=True
        )
        for row, outcome in zip(rows, published, strict=True):
            if outcome is None or isinstance(outcome, LianzhiError):
                outcomes.append(outcome)
            elif isinstance(outcome, Exception):  # this message alone
                self._ctx.faults.set_aside("dispatch", row.message_id, outcome)
                outcomes.append(BrokenRowError(type(outcome).__name__))
            else:
                raise outcome
        return outcomes

    async def _once_more(self, row: LeasedMessage, tally: Tally) -> None:
        """The publisher has taken another channel for this route: only what is refused there too is the queue's own
        answer (a young channel is refused for ever when the queue's leader moves)."""
        (outcome,) = await self._publish([row])
        tally.failed = [(other, error) for other, error in tally.failed if other is not row]
        if outcome is None:
            tally.sent.append(row)
            tally.failed = [(other, _RETRY if isinstance(e, RefusedError) else e) for other, e in tally.failed]
        else:
            tally.failed.append((row, outcome))

    async def _sent(self, row_ids: Sequence[int], trials: Sequence[str]) -> None:
        """trials: paused routes all of whose messages went. What went is marked, whatever its request has become."""
        try:
            await self._mark_sent(row_ids, trials, apart=False)
        except StoreUnavailableError:
            raise
        except Exception:
            await self._mark_sent(row_ids, trials, apart=True)
        if trials:
            self.wake()  # more of them may go at once

    async def _mark_sent(self, row_ids: Sequence[int], trials: Sequence[str], *, apart: bool) -> None:
        """apart: a request over which our own code fails is left as it is, and told."""
        ctx, now = self._ctx, self._ctx.clock.now()
        changes = Changes()
        async with ctx.store.begin() as tx:
            rows = await tx.mark_sent(row_ids, self._owner)
            moving = {r.request_no: r for r in rows if r.request_no and r.verb == "open"}
            requests = await tx.lock_requests(sorted(moving))
            for request in requests.values():
                move = partial(self._move, request, "dispatched", None)
                if apart:
                    self._apart(request.request_no, move, changes)
                else:
                    move(changes)
            if trials:
                await self._pausing.accepted(tx, trials, changes, now)
            await tx.apply(changes)

    def _move(self, request: Request, action: str, reason: str | None, changes: Changes) -> None:
        now = self._ctx.clock.now()
        decision = decide(request, Step(action, "gateway", now))
        if decision.state != request.state:
            request.reason = reason or request.reason
            carry_out(self._ctx, request, decision, changes, now)
            changes.requests.append(request)

    def _apart(self, request_no: str, work: Callable[[Changes], None], changes: Changes) -> None:
        """Into `changes`, unless our own code fails over this request: then nothing of it, and somebody hears."""
        draft = Changes()
        try:
            work(draft)
        except Exception as fault:
            self._ctx.faults.set_aside("dispatch", request_no, fault)
            told = incident(self._ctx.home.code, request_no, "dispatch", fault, self._ctx.clock.now())
            changes.events.append(told)
        else:
            changes.extend(draft)

    async def _failed(self, tallies: Mapping[str, Tally]) -> None:
        changes = Changes()
        pauses = to_pause(tallies)
        failed = [(row, error) for tally in tallies.values() for row, error in tally.failed]
        async with self._ctx.store.begin() as tx:
            ended = [(row, error) for row, error in failed if _ends(row, error)]
            requests = await tx.lock_requests(sorted({row.request_no for row, _ in ended if row.request_no}))
            rows = [self._verdict(row, error, pauses.get(row.route)) for row, error in failed]
            await tx.mark_failed(rows, self._owner)
            for row, error in ended:
                request = requests.get(row.request_no or "")
                end = partial(self._undeliverable, row, request, error)
                self._apart(row.request_no or row.message_id, end, changes)
            await self._pause(tx, tallies, pauses, changes)
            await tx.apply(changes)
        for reason in sorted({row.reason for row in rows}):
            mend = {"mend": MEND_SIZE} if reason == TOO_LARGE else {}
            log.warning("not-sent", reason=reason, messages=sum(row.reason == reason for row in rows), **mend)

    def _verdict(self, row: LeasedMessage, error: LianzhiError, pause: PauseReason | None) -> FailedMessage:
        """A row of a paused route waits for the route, not for itself; the next trial is another row's."""
        now = self._ctx.clock.now()
        if isinstance(error, OversizeError):
            return FailedMessage(row.row_id, None, TOO_LARGE, park=True)
        if isinstance(error, BrokenRowError):
            return FailedMessage(row.row_id, now + self._ctx.settings.fault_backoff.after(row.attempts + 1), FAULT)
        if pause is not None or error is _RETRY:
            return FailedMessage(row.row_id, now if pause is not None else None, pause or "unconfirmed")
        wait = self._ctx.settings.publish_backoff.after(row.attempts + 1)
        return FailedMessage(row.row_id, now + wait, "unconfirmed")

    def _undeliverable(
        self, row: LeasedMessage, request: Request | None, error: LianzhiError, changes: Changes
    ) -> None:
        """Its `open` came back, or will never go; of any message that can never go, somebody must hear."""
        ctx, now = self._ctx, self._ctx.clock.now()
        if isinstance(error, BrokenRowError):
            if ctx.faults.to_be_told("dispatch", row.message_id, now):
                detail = f"dispatch:{error}"
                number = row.request_no or None
                told = Event(now, ctx.home.code, "incident", number, message_id=row.message_id, detail=detail)
                changes.events.append(told)
            return
        if request is not None and row.verb == "open":
            reason = TOO_LARGE if isinstance(error, OversizeError) else "unroutable"
            self._move(request, "undeliverable", reason, changes)
        if not isinstance(error, OversizeError):
            return
        head = {"reason": TOO_LARGE, "verb": row.verb, "bytes": error.size, "most": error.limit}
        detail = f"{TOO_LARGE}:{row.verb}:{error.size}:{error.limit}"
        if request is not None:
            changes.events += request_events(ctx, request, "incident", now, head=head, detail=detail)
        else:
            home, message_id = ctx.home.code, row.message_id
            event = Event(at=now, audience=home, kind="incident", message_id=message_id, head=head, detail=detail)
            changes.events.append(event)

    async def _pause(
        self, tx: PauseUnit, tallies: Mapping[str, Tally], pauses: Mapping[str, PauseReason], changes: Changes
    ) -> None:
        now = self._ctx.clock.now()
        tried = {route: tally for route, tally in tallies.items() if tally.trial and tally.failed}
        silent = [route for route, t in tried.items() if len(t.errors(OversizeError)) == len(t.failed)]
        await self._pausing.accepted(tx, silent, changes, now)
        for route in sorted({*pauses, *tried}.difference(silent)):
            trial, some_went = route in tried, bool(tallies[route].sent)
            await self._pausing.refused(tx, route, pauses.get(route), changes, now, trial=trial, some_went=some_went)


_RETRY = LianzhiError("refused on a channel that is refused for ever: another one takes it")


def _ends(row: LeasedMessage, error: LianzhiError) -> bool:
    """Whether its request is told of it."""
    return isinstance(error, (OversizeError, BrokenRowError)) or (
        isinstance(error, UnroutableError) and row.verb == "open"
    )


def tallied(rows: Sequence[LeasedMessage], outcomes: Sequence[Outcome]) -> dict[str, Tally]:
    """By route."""
    tallies: dict[str, Tally] = {}
    for row, outcome in zip(rows, outcomes, strict=True):
        tally = tallies.setdefault(row.route, Tally())
        if outcome is None:
            tally.sent.append(row)
        else:
            tally.failed.append((row, outcome))
    return tallies


def to_pause(tallies: Mapping[str, Tally]) -> dict[str, PauseReason]:
    """Routes whose queue takes nothing, and why. One that does not answer is told from a broker that does not answer
    by the others: somebody else's message was confirmed meanwhile."""
    anything_went = any(tally.sent for tally in tallies.values())
    reasons: dict[str, PauseReason] = {}
    for route, tally in tallies.items():
        if tally.errors(UnroutableError):
            reasons[route] = "queue-missing"
        elif tally.errors(RefusedError):
            reasons[route] = "queue-full"
        elif tally.errors(UnansweredError) and not tally.sent and anything_went:
            reasons[route] = "queue-silent"
    return reasons


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
