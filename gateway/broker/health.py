"""Whether the broker side works, for /readyz, the console and `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.broker.consumer import GatewayConsumer
from gateway.broker.lookout import Lookout
from lianzhi.amqp.link import Link


@dataclass(frozen=True, slots=True)
class BrokerHealth:
    """blocked: the broker takes nothing (memory or disk). missing: queues that we publish to and that are not there.
    silent: queue → why it has no consumer of ours."""

    connected: bool
    blocked: bool
    error: str | None
    missing: frozenset[str] = frozenset()
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.connected and not (self.blocked or self.missing or self.silent)


def broker_health(link: Link, consumer: GatewayConsumer | None = None, lookout: Lookout | None = None) -> BrokerHealth:
    return BrokerHealth(
        connected=link.connected,
        blocked=link.blocked or (lookout is not None and lookout.blocked),
        error=None if link.connected else link.last_error,
        missing=lookout.missing if lookout is not None else frozenset(),
        silent=consumer.silent() if consumer is not None else {},
    )
