"""`/metrics`: what the store holds, whether the wire lives, and how the API answers. Counts, never a name.

The counts are looked up at most every `COUNTS_SECONDS`, however often somebody scrapes, and each ends at a bound (the
store's): 10,000 means so many or more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.application.context import Context
from gateway.core.operating.records import Hold, OpenFigures
from gateway.core.records import PartnerClock
from gateway.core.silence import Silence

COUNTS_SECONDS = 10.0
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)


class BrokerHealth(Protocol):
    """What this process knows of the wire. missing: queues that it publishes to and that are not there; silent: queue
    → why it has no consumer of ours."""

    @property
    def connected(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def missing(self) -> Collection[str]: ...
    @property
    def silent(self) -> Mapping[str, str]: ...


@dataclass(slots=True)
class _Known:
    at: float = float("-inf")
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    oldest_seconds: float = 0.0
    partner_clocks: Sequence[PartnerClock] = ()
    holds: Sequence[Hold] = ()
    silences: Sequence[Silence] = ()
    figures: OpenFigures | None = None


class Metrics:
    """One registry for one application; `text` refreshes and renders it."""

    def __init__(self, context: Context, broker: Callable[[], BrokerHealth] | None) -> None:
        self._ctx = context
        self._broker = broker
        self._known = _Known()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lianzhi_http_requests", "API calls", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "lianzhi_http_seconds", "Time to answer", ("route",), buckets=BUCKETS, registry=self._registry
        )
        self._children: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._registry.register(self)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one call. route: the pattern, never the address itself."""
        child = self._children.get((method, route, status))
        if child is None:
            child = (
                self._requests.labels(method, route, str(status)).inc,
                self._seconds.labels(route).observe,
            )
            self._children[method, route, status] = child
        child[0]()
        child[1](seconds)

    async def text(self) -> bytes:
        """Prometheus text format. Raises StoreUnavailableError."""
        if time.monotonic() - self._known.at >= COUNTS_SECONDS:
            store = self._ctx.store
            oldest = await store.oldest_unsent()
            age = max(0.0, (self._ctx.clock.now() - oldest).total_seconds()) if oldest else 0.0
            clocks, holds = await store.partner_clocks(), await store.operating.holds()
            silences = await store.operating.silences()
            figures = await store.operating.open_figures(self._ctx.home.code, self._ctx.clock.now())
            self._known = _Known(time.monotonic(), await store.counts(), age, clocks, holds, silences, figures)
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        counts = self._known.counts
        requests = GaugeMetricFamily("lianzhi_requests", "Requests; 10000: or more", labels=("type", "state"))
        for key, value in counts.get("requests", {}).items():
            requests.add_metric(key.split("|", 1), value)
        yield requests
        for name, help_text, label in (
            ("outbox", "Messages that wait to be sent", "state"),
            ("quarantine", "Messages in quarantine; 10000: or more", "reason"),
            ("early", "Messages whose time has not come by our clock", "participant"),
            (
                "forgotten",
                "Messages about requests of ours that the store does not have; 10000: or more",
                "participant",
            ),
            ("timers", "Deadlines that run, of the next 10000", "kind"),
            ("pages", "Pages to people on alerts; 10000: or more", "state"),
        ):
            family = GaugeMetricFamily(f"lianzhi_{name}", help_text, labels=(label,))
            for key, value in counts.get(name, {}).items():
                family.add_metric((key,), value)
            yield family
        yield GaugeMetricFamily(
            "lianzhi_outbox_oldest_seconds", "Age of the oldest unsent message", value=self._known.oldest_seconds
        )
        if (size := self._ctx.store.wal_bytes()) is not None:
            yield GaugeMetricFamily("lianzhi_store_wal_bytes", "SQLite's write-ahead log", value=size)
        yield from self._clocks()
        yield self._paused()
        yield self._held()
        yield from self._open()
        yield self._reached()
        yield self._set_aside()
        yield from self._reloads()
        yield from self._wire()

    def _clocks(self) -> Iterator[Metric]:
        clocks = self._ctx.clocks
        family = GaugeMetricFamily(
            "lianzhi_clock_offset_seconds",
            "How far that clock is ahead of this process's; a partner's as its messages of late say",
            labels=("clock", "participant"),
        )
        for name, offset in sorted(clocks.others.items()):
            family.add_metric((name, ""), offset.total_seconds())
        for clock in self._known.partner_clocks:
            family.add_metric(("partner", clock.participant), clock.offset_ms / 1000)
        yield family
        steps = CounterMetricFamily("lianzhi_clock_steps", "Steps of this process's wall clock", labels=("direction",))
        for direction, times in clocks.own.steps().items():
            steps.add_metric((direction,), times)
        yield steps
        yield GaugeMetricFamily(
            "lianzhi_clock_doubt_seconds",
            "By how much our clock may be ahead: nothing final is decided in that time. 0: it is believed",
            value=clocks.own.doubt.total_seconds(),
        )

    def _paused(self) -> Metric:
        family = GaugeMetricFamily(
            "lianzhi_receiver_paused", "Queues that take nothing for now", labels=("participant", "lane", "reason")
        )
        for key, value in self._known.counts.get("paused", {}).items():
            route, reason = key.split("|", 1)
            participant, lane = route.split(".", 1)
            family.add_metric((participant, lane, reason), value)
        return family

    def _held(self) -> Metric:
        family = GaugeMetricFamily(
            "lianzhi_paused_by_operator", "Dispatch that a person has paused", labels=("scope", "name")
        )
        for hold in self._known.holds:
            family.add_metric((hold.scope, hold.name), 1)
        return family

    def _open(self) -> Iterator[Metric]:
        silent = GaugeMetricFamily(
            "lianzhi_partner_silent", "Participants that are silent", labels=("participant", "cause")
        )
        for silence in self._known.silences:
            silent.add_metric((silence.participant, silence.cause), 1)
        yield silent
        figures = self._known.figures or OpenFigures(0, 0, 0, 0, 0)
        for name, help_text, value in (
            ("overdue", "Open requests past their deadline; 10000: or more", figures.overdue),
            ("undelivered", "Requests that did not arrive yet; 10000: or more", figures.undelivered),
        ):
            yield GaugeMetricFamily(f"lianzhi_requests_{name}", help_text, value=value)

    def _reached(self) -> Metric:
        family = CounterMetricFamily(
            "lianzhi_bound_reached", "How often a bound of [limits] was reached", labels=("bound", "participant")
        )
        for (bound, participant), times in self._ctx.reached.counts().items():
            family.add_metric((bound, participant), times)
        return family

    def _set_aside(self) -> Metric:
        family = CounterMetricFamily(
            "lianzhi_rows_set_aside", "How often our own code failed over one row", labels=("work", "fault")
        )
        for key, times in self._ctx.faults.counts().items():
            family.add_metric(key, times)
        return family

    def _reloads(self) -> Iterator[Metric]:
        reloads = self._ctx.reloads
        family = CounterMetricFamily("lianzhi_reloads", "Changed files, by what became of them", labels=("outcome",))
        family.add_metric(("taken",), reloads.taken)
        family.add_metric(("refused",), reloads.refused)
        yield family
        yield GaugeMetricFamily(
            "lianzhi_configuration_refused",
            "1: the files as they are now were refused, what held before goes on",
            value=0 if reloads.standing else 1,
        )
        yield GaugeMetricFamily(
            "lianzhi_restart_needed",
            "Members of the configuration that have changed since the start and hold only from the next one on",
            value=len(reloads.restart),
        )

    def _wire(self) -> Iterator[Metric]:
        """Absent where the wire is not this process's role."""
        if self._broker is None:
            return
        health = self._broker()
        yield GaugeMetricFamily("lianzhi_broker_connected", "1: connected", value=float(health.connected))
        yield GaugeMetricFamily("lianzhi_broker_blocked", "1: it takes nothing", value=float(health.blocked))
        yield GaugeMetricFamily("lianzhi_queues_silent", "Queues without a consumer of ours", value=len(health.silent))
        yield GaugeMetricFamily(
            "lianzhi_queues_missing", "Receivers' queues that are not there", value=len(health.missing)
        )
