"""A publisher that writes a span for each message that it sends, from the first byte to the broker's confirm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time_ns
from typing import Any, Protocol

from lianzhi.errors import LianzhiError
from lianzhi.protocol.tracing import Span, Tracer, operation, signed_in


class AnyPublisher(Protocol):
    """As `publisher.ConfirmedPublisher`, and what stands in for it."""

    @property
    def connected(self) -> bool: ...

    @property
    def publish(self) -> Callable[..., Awaitable[None]]: ...


class TracedPublisher:
    """Around a publisher of our own messages to `exchange`. The parent of the span is the context in the signed bytes:
    those of a message that goes again lead to the same trace."""

    def __init__(self, publisher: AnyPublisher, exchange: str, tracer: Tracer) -> None:
        self._publisher = publisher
        self._exchange = exchange
        self._tracer = tracer

    @property
    def connected(self) -> bool:
        return self._publisher.connected

    async def publish(self, routing_key: str, body: bytes, *, timeout: float, **how: Any) -> None:
        """Raises what the publisher raises."""
        started = time_ns()
        try:
            await self._publisher.publish(routing_key, body, timeout=timeout, **how)
        except LianzhiError as failed:
            self._sent(routing_key, body, started, type(failed).__name__)
            raise
        self._sent(routing_key, body, started, None)

    def _sent(self, routing_key: str, body: bytes, started: int, error: str | None) -> None:
        found = signed_in(body)
        if found is None:
            return
        made, message = found
        span = Span(
            f"send {self._exchange}",
            "client",  # the message has a span of its own that made it
            self._tracer.begin(made),
            made,
            started,
            time_ns(),
            {
                **operation("send", destination=self._exchange, type="send"),
                "messaging.rabbitmq.destination.routing_key": routing_key,
                "messaging.message.body.size": len(body),
                **message,
            },
            error,
        )
        self._tracer.record(span)
