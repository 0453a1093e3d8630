"""`/metrics`: what the store holds, whether the wire lives, and how the API answers. Counts, never a name.

The counts are looked up at most every `COUNTS_SECONDS`, however often somebody scrapes: they read whole indexes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from gateway.services.context import Context

COUNTS_SECONDS = 10.0
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)


class BrokerHealth(Protocol):
    """What this process knows of the wire. silent: queue → why it has no consumer of ours."""

    @property
    def connected(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def silent(self) -> Mapping[str, str]: ...


@dataclass(slots=True)
class _Known:
    at: float = float("-inf")
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    oldest_seconds: float = 0.0


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
            age = (self._ctx.clock.now() - oldest).total_seconds() if oldest else 0.0
            self._known = _Known(time.monotonic(), await store.counts(), age)
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        counts = self._known.counts
        requests = GaugeMetricFamily("lianzhi_requests", "Requests", labels=("type", "state"))
        for key, value in counts.get("requests", {}).items():
            requests.add_metric(key.split("|", 1), value)
        yield requests
        for name, help_text, label in (
            ("outbox", "Messages that wait to be sent", "state"),
            ("quarantine", "Messages in quarantine", "reason"),
            ("timers", "Deadlines that run", "kind"),
            ("pages", "Pages to people on alerts", "state"),
        ):
            family = GaugeMetricFamily(f"lianzhi_{name}", help_text, labels=(label,))
            for key, value in counts.get(name, {}).items():
                family.add_metric((key,), value)
            yield family
        yield GaugeMetricFamily(
            "lianzhi_outbox_oldest_seconds", "Age of the oldest unsent message", value=self._known.oldest_seconds
        )
        yield from self._wire()

    def _wire(self) -> Iterator[Metric]:
        """Absent where the wire is not this process's role."""
        if self._broker is None:
            return
        health = self._broker()
        yield GaugeMetricFamily("lianzhi_broker_connected", "1: connected", value=float(health.connected))
        yield GaugeMetricFamily("lianzhi_broker_blocked", "1: it takes nothing", value=float(health.blocked))
        yield GaugeMetricFamily("lianzhi_queues_silent", "Queues without a consumer of ours", value=len(health.silent))
