"""`/metrics`: what store, broker and machine show, and what this process counts. Counts and codes, never a name.

Store, broker and machine are looked at at most every `LOOK_SECONDS`, however often somebody scrapes and however many
do: whoever comes while somebody looks waits for that look. Each count ends at a bound (the store's): 10,000 means so
many or more. What does not answer is told as such, and what it would have said is absent, never old.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric

from gateway.application.context import Context
from gateway.application.ports.broker import QueueSizes
from gateway.core.requests.lifecycle import ALERT_FLIGHT
from gateway.core.signals.metric import OTHER
from gateway.core.signals.tallies import Durations
from gateway.monitoring import collected
from gateway.monitoring.collected import BrokerHealth, Known, LogState, Stored
from gateway.monitoring.families import family, histogram, single
from gateway.monitoring.machine import Machine
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of
from schemas.catalogue import Shape

log = structlog.get_logger("metrics")

LOOK_SECONDS = 10.0
DUE_SOON = timedelta(hours=2)
"""A deadline that comes so soon is about to pass: there is still time for a telephone call."""
STORE_SECONDS = 5.0
"""A store that takes longer does not answer: Prometheus waits ten seconds for all of it."""
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
UNACKNOWLEDGED = (*ALERT_FLIGHT, "delivered")
"""States of an alert that nobody has acknowledged."""


@dataclass(frozen=True, slots=True)
class Senses:
    """Where a process looks beside its store; what is None is not its to see. health: of the wire. queues: asks the
    broker. machine: blocks. log: what became of the log's lines. version: of the program."""

    health: Callable[[], BrokerHealth] | None = None
    queues: Callable[[], Awaitable[QueueSizes | None]] | None = None
    machine: Callable[[], Machine] | None = None
    log: Callable[[], LogState | None] = lambda: None
    version: str = ""


class Metrics:
    """One registry for one process; `text` refreshes and renders it."""

    def __init__(self, context: Context, senses: Senses | None = None) -> None:
        self._ctx = context
        self._senses = senses or Senses()
        self._known = Known()
        self._looking = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[tuple[str], Durations] = {}
        self._registry.register(self)
        ProcessCollector(namespace="lianzhi", registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one call. route: the pattern, never the address itself."""
        if method not in METHODS:
            method = OTHER
        self._calls[method, route, str(status)] += 1
        self._seconds.setdefault((route,), Durations(BUCKETS)).observe(seconds)

    async def text(self) -> bytes:
        """Prometheus text format."""
        async with self._looking:
            if time.monotonic() - self._known.at >= LOOK_SECONDS:
                self._known = await self._look()
        return generate_latest(self._registry)

    async def _look(self) -> Known:
        senses, now = self._senses, self._ctx.clock.now()
        stored, queues, machine = await asyncio.gather(
            self._stored(now),
            senses.queues() if senses.queues is not None else _nothing(),
            asyncio.to_thread(senses.machine) if senses.machine is not None else _nothing(),
        )
        return Known(time.monotonic(), now, stored, queues, senses.queues is not None, machine or Machine())

    async def _stored(self, now: datetime) -> Stored | None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self._ask_store(now)
        except (StoreUnavailableError, TimeoutError) as error:
            log.warning("store-unavailable", error=cause_of(error))
            return None

    async def _ask_store(self, now: datetime) -> Stored:
        store, home = self._ctx.store, self._ctx.home.code
        counts = await store.counts()
        alerts = alerts_unacknowledged(self._ctx, counts["requests"])
        oldest = [at for state, type in alerts if (at := await store.oldest_of(state, type)) is not None]
        return Stored(
            counts=counts,
            figures=await store.operating.open_figures(home, now),
            load=await store.load(home, now, now + DUE_SOON),
            oldest_unsent=await store.oldest_unsent(),
            clocks=await store.partner_clocks(),
            holds=await store.operating.holds(),
            silences=await store.operating.silences(),
            alerts=sum(alerts.values()),
            oldest_alert=min(oldest, default=None),
            unread=await self._unread(),
        )

    async def _unread(self) -> dict[str, datetime | None]:
        """Of each client that has asked for events here: when the first one was written that it has not."""
        registered = {client.id for participant in self._ctx.directory for client in participant.clients}
        found = {}
        for client, (audience, last) in [*self._ctx.tallies.readers().items()]:
            if client in registered:
                events = await self._ctx.store.events(audience, last, 1)
                found[client] = events[0].at if events else None
        return found

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        context, known = self._ctx, self._known
        now = known.now or context.clock.now()
        yield single("lianzhi_store_up", float(known.stored is not None))
        if known.stored is not None:
            yield from collected.stored_families(context, known.stored, now)
        yield from collected.clock_families(context, known.stored.clocks if known.stored is not None else ())
        if self._senses.health is not None:
            yield from collected.health_families(self._senses.health())
        if known.asks_queues:
            yield from collected.queue_families(context, known.queues)
        if self._senses.machine is not None:
            yield from collected.machine_families(context, known.machine, now)
        yield from collected.process_families(context)
        yield family("lianzhi_http_requests_total", self._calls)
        yield histogram("lianzhi_http_seconds", self._seconds)
        if (state := self._senses.log()) is not None:
            yield from collected.log_families(state)
        yield family("lianzhi_build_info", {self._senses.version: 1})


def alerts_unacknowledged(context: Context, requests: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """(state, type) of alerts that nobody has acknowledged → how many. requests: `type|state` → how many."""
    found = {}
    for key, count in requests.items():
        type, state = key.split("|", 1)
        matter = context.catalogue.get(type)
        if matter is not None and matter.shape is Shape.ALERT and state in UNACKNOWLEDGED:
            found[state, type] = count
    return found


async def _nothing() -> None:
    return None
