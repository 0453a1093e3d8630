"""The gateway's way in: `services.ports.Consumer` on every `from` queue and on `lianzhi.dead`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from gateway.amqp.consumer import BatchConsumer
from gateway.amqp.deliveries import Incoming
from gateway.amqp.link import Link
from gateway.broker.topology import DEAD, owner_of, plan
from gateway.core.routing import Directory
from gateway.services.ports import Delivery
from schemas.catalogue import MatterType

PREFETCH_BUDGET = 2000
PREFETCH_BOUNDS = (10, 500)


class GatewayConsumer:
    """Consumes what the topology gives the gateway. budget: unacknowledged messages over all queues.

    The dead queue is taken one by one: what died of us must not take its neighbours along.
    """

    def __init__(
        self,
        link: Link,
        directory: Directory,
        catalogue: Mapping[str, MatterType],
        *,
        budget: int = PREFETCH_BUDGET,
    ) -> None:
        self._consumer = BatchConsumer(link, prefetches(plan(directory, catalogue).inbound(), budget))

    async def open(self) -> None:
        """Start consuming; `batches` does it too."""
        await self._consumer.open()

    async def batches(self, max_size: int) -> AsyncIterator[list[Delivery]]:
        async for batch in self._consumer.batches(max_size):
            yield [delivery(incoming) for incoming in batch]

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        await self._consumer.ack([delivery.tag for delivery in deliveries])

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        await self._consumer.reject([delivery.tag for delivery in deliveries])

    async def pause(self, seconds: float) -> None:
        await self._consumer.pause(seconds)

    async def close(self) -> None:
        await self._consumer.close()

    def silent(self) -> dict[str, str]:
        """Queues without a live consumer of ours, and why."""
        errors = self._consumer.errors()
        return {name: errors.get(name, "") for name, alive in self._consumer.consumers().items() if not alive}


def prefetches(queues: Sequence[str], budget: int) -> dict[str, int]:
    """Queue → its share of the budget, within bounds; 1 for the dead queue."""
    low, high = PREFETCH_BOUNDS
    share = max(low, min(high, budget // max(1, len(queues))))
    return {name: 1 if name == DEAD else share for name in queues}


def delivery(incoming: Incoming) -> Delivery:
    """Who owns it: the queue says so. What lies in the dead queue belongs to the queue it died in."""
    dead_from: str | None = None
    routing_key = incoming.routing_key
    if incoming.queue == DEAD:
        dead_from = str(incoming.headers.get("x-first-death-queue") or incoming.routing_key)
        routing_key = _first_key(incoming.headers) or routing_key
    return Delivery(
        owner=owner_of(dead_from or incoming.queue) or "",
        queue=incoming.queue,
        body=incoming.body,
        user_id=incoming.user_id,
        content_type=incoming.content_type,
        routing_key=routing_key,
        redelivered=incoming.redelivered,
        dead_from=dead_from,
        tag=incoming,
    )


def _first_key(headers: Mapping[str, Any]) -> str | None:
    """The key that it was published with, from the last entry of `x-death` (the first death)."""
    deaths = headers.get("x-death")
    if not isinstance(deaths, list) or not deaths or not isinstance(deaths[-1], dict):
        return None
    keys = deaths[-1].get("routing-keys")
    return str(keys[0]) if isinstance(keys, list) and keys else None
