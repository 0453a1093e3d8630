"""The queues as the use cases see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class QueueState:
    """messages: that wait in it. consumers: that are connected. Both None where the broker has no such queue."""

    messages: int | None
    consumers: int | None


AskQueues = Callable[[Sequence[str]], Awaitable[Mapping[str, QueueState] | None]]
"""Codes of partners → the sum of its two `to` queues; None: the broker does not answer."""
QueueSizes = Mapping[tuple[str, str, str], tuple[int, int]]
"""(partner, `to` or `from`, lane) → (messages that wait, consumers); of the dead queue ("", "dead", "")."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message taken off a `from` queue (or the dead queue), not yet acknowledged.

    owner: the participant whose message it is, as far as the broker vouches for it: its publisher, else the owner of
    the queue. dead_from: the queue that it died in. tag: given back to `ack`. size, body_sha256: of the whole body,
    when `body` is only its beginning: too long to be held in memory. refused: the reason for which it is not read, and
    `pointer` to what is wrong with it. traced: whether the broker vouches that `owner` published it; otherwise nobody
    is told of a refusal. early: the row where it waited for its time; then it is not at the broker.
    """

    owner: str
    queue: str
    body: bytes
    user_id: str | None
    content_type: str | None
    routing_key: str
    redelivered: bool
    dead_from: str | None
    tag: Any
    size: int | None = None
    body_sha256: str | None = None
    refused: str | None = None
    pointer: str | None = None
    traced: bool = True
    early: int | None = None


class Publisher(Protocol):
    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        """To `lianzhi.out`: persistent, mandatory, confirmed. Raises UnroutableError, OversizeError and
        UnconfirmedError; of these RefusedError (the queue's answer) and UnansweredError (no answer in time)."""
        ...

    @property
    def connected(self) -> bool: ...


class Consumer(Protocol):
    """Deliveries from every `from` queue and the dead queue, in batches of what has arrived."""

    def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        """Up to so many deliveries and bytes at a time (one that is larger alone), the queues in turn."""
        ...

    async def ack(self, deliveries: Sequence[Delivery]) -> None: ...

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        """Dead-letter: the message breaks our own code, and the queue must move on."""
        ...

    async def pause(self, seconds: float) -> None:
        """Cancel the consumers; after `seconds` what is not acknowledged comes again and consuming goes on.

        It is not handed back to the broker meanwhile, which would count it as delivered once more."""
        ...
