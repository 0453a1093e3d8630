"""Whether the broker side works, for /readyz, the console and `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.amqp.link import Link
from gateway.broker.consumer import GatewayConsumer


@dataclass(frozen=True, slots=True)
class BrokerHealth:
    """blocked: the broker takes nothing (memory or disk). silent: queue → why it has no consumer of ours."""

    connected: bool
    blocked: bool
    error: str | None
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.connected and not self.blocked and not self.silent


def broker_health(link: Link, consumer: GatewayConsumer | None = None) -> BrokerHealth:
    return BrokerHealth(
        connected=link.connected,
        blocked=link.blocked,
        error=None if link.connected else link.last_error,
        silent=consumer.silent() if consumer is not None else {},
    )
