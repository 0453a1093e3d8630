"""The gateway's consumer: `application.ports.broker.Consumer` on every `from` queue and on `lianzhi.dead`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.application.ports.broker import Delivery
from gateway.bounds import Bounds, Reached
from gateway.broker.topology import DEAD, TO_QUEUES, owner_of, plan
from gateway.core.routing import Directory
from lianzhi.amqp.consumer import BatchConsumer
from lianzhi.amqp.deliveries import Incoming, Kept
from lianzhi.amqp.link import Link
from schemas.catalogue import MatterType

PREFETCH_BUDGET = 2000
PREFETCH_BOUNDS = (10, 500)
FORBIDDEN_HEADERS = frozenset({"CC", "BCC", "x-death"})
FORBIDDEN_PREFIX = "x-first-death-"


class GatewayConsumer:
    """Consumes what the topology gives the gateway. budget: unacknowledged messages over all queues; their bytes, and
    how much of a message that is too large is kept, stand in `bounds`. reached: counts when a queue has no room.

    The dead queue is taken one by one: what died of us must not take its neighbours along.
    """

    def __init__(
        self,
        link: Link,
        directory: Directory,
        catalogue: Mapping[str, MatterType],
        *,
        budget: int = PREFETCH_BUDGET,
        bounds: Bounds | None = None,
        reached: Reached | None = None,
    ) -> None:
        bounds = bounds or Bounds()
        self._directory = directory
        self._catalogue = catalogue
        self._budget = budget
        self._reached = reached or Reached()
        self._consumer = BatchConsumer(
            link,
            prefetches(plan(directory, catalogue).inbound(), budget),
            kept=Kept(bounds.message_bytes, min(bounds.quarantine_bytes, bounds.message_bytes)),
            budget=bounds.consumer_bytes,
            full=lambda queue: self._reached.count("consumer_bytes", owner_of(queue) or ""),
        )

    async def follow(self, directory: Directory) -> None:
        """The participants have changed: whoever is new is heard, whoever is suspended not any more; what it had sent
        goes back to its queue."""
        self._directory = directory
        await self._consumer.follow(prefetches(plan(directory, self._catalogue).inbound(), self._budget))

    async def open(self) -> None:
        """Start consuming; `batches` does it too."""
        await self._consumer.open()

    async def batches(self, max_size: int, max_bytes: int) -> AsyncGenerator[list[Delivery], None]:
        async for batch in self._consumer.batches(max_size, max_bytes):
            yield [delivery(incoming, self._directory) for incoming in batch]

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


def delivery(incoming: Incoming, directory: Directory) -> Delivery:
    """Whose it is and whether it may be read at all, by what the broker itself vouches for.

    That is the queue, the routing key (a partner's begins with its own code: topic permission; in the dead queue it is
    the name of the queue that the message died in, `x-dead-letter-routing-key` of our topology), and `user_id` where
    there is one. Headers and all other properties are the publisher's choice, also `x-death` and
    `x-first-death-queue`: a broker completes what it finds there (rabbit_dead_letter, RabbitMQ 3.10).
    """
    dead = incoming.queue == DEAD
    whose = _of_dead(incoming, directory) if dead else _of_partner(incoming, directory)
    return Delivery(
        owner=whose.owner,
        queue=incoming.queue,
        body=incoming.body,
        user_id=incoming.user_id,
        content_type=incoming.content_type,
        routing_key=incoming.routing_key,
        redelivered=incoming.redelivered,
        dead_from=incoming.routing_key if dead else None,
        tag=incoming,
        size=incoming.size,
        body_sha256=incoming.sha256,
        refused=whose.refused or ("too-large" if incoming.sha256 is not None else None),
        pointer=whose.pointer,
        traced=whose.traced,
    )


@dataclass(frozen=True, slots=True)
class _Whose:
    """owner, refused, pointer, traced: as in `Delivery`."""

    owner: str
    refused: str | None = None
    pointer: str | None = None
    traced: bool = True


def _of_partner(incoming: Incoming, directory: Directory) -> _Whose:
    """Off a `from` queue. A key in `CC` or `BCC` passes the topic permission unchecked (up to RabbitMQ 4.0), so a copy
    may lie in another's queue; its publisher's code still leads its routing key."""
    owner = owner_of(incoming.queue) or directory.home.code
    first = incoming.routing_key.partition(".")[0]
    if first != owner:
        publisher = directory.get(first)
        known = publisher is not None and publisher.channel == "amqp"
        return _Whose(first if known else owner, "misrouted", "/routing_key", traced=known)
    if forbidden := _forbidden(incoming.headers):
        return _Whose(owner, "forbidden-header", f"/headers/{forbidden}")
    return _Whose(owner)


def _of_dead(incoming: Incoming, directory: Directory) -> _Whose:
    """Off the dead queue. What died in a `to` queue is ours, or was put there by nobody we know. What died in a `from`
    queue has lost the key that it was published with: only `user_id` tells a copy from a message of the owner's."""
    died_in = incoming.routing_key
    owner = owner_of(died_in)
    if owner is None or directory.get(owner) is None:
        return _Whose(directory.home.code, "misrouted", "/routing_key", traced=False)
    if died_in.startswith(TO_QUEUES):
        return _Whose(owner, traced=False)
    publisher = next((p for p in directory.amqp() if (p.broker_user or p.code) == incoming.user_id), None)
    if publisher is None:
        return _Whose(owner, traced=False)
    if publisher.code != owner:
        return _Whose(publisher.code, "misrouted", "/routing_key")
    return _Whose(owner)


def _forbidden(headers: Mapping[str, Any]) -> str | None:
    """The first header that decides where a message goes, or that only a broker writes."""
    for name in headers:
        if name in FORBIDDEN_HEADERS or name.startswith(FORBIDDEN_PREFIX):
            return name
    return None
