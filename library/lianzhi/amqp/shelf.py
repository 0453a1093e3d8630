"""A queue that is used as a register: it keeps the last messages that were published to it. To read it: get, publish
the same again, acknowledge.

Never requeue: a quorum queue counts that as a delivery, and drops a message that was delivered too often. What one
process has in hand does not lie in the queue meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiormq.channel import Channel
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelNotFoundEntity
from pamqp.commands import Basic

from lianzhi.amqp.link import Link, own_cancellation_only
from lianzhi.amqp.source import close_channel

SHELF_SECONDS = 2.0
PERSISTENT = 2
_MISSING = (ChannelNotFoundEntity, ChannelAccessRefused)


class ShelfMissingError(ConnectionError):
    """The broker answered that there is no such queue or exchange, or that we may not use it."""


class Shelf:
    """exchange: what is published to it lands in `queue`. user: of the link. most: messages that are looked at."""

    def __init__(self, link: Link, *, exchange: str, queue: str, user: str, most: int) -> None:
        self._link = link
        self._exchange = exchange
        self._queue = queue
        self._user = user
        self._most = most

    async def take(self, keep: Callable[[Sequence[bytes]], bytes | None]) -> list[bytes]:
        """Everything that lies there. keep: of what was found, what is put back before the rest is acknowledged.

        Raises ShelfMissingError, WIRE_ERRORS."""
        channel = await self._channel()
        try:
            async with asyncio.timeout(SHELF_SECONDS):
                with own_cancellation_only():
                    return await self._link.answer(self._take(channel, keep))
        except _MISSING as error:
            raise ShelfMissingError(str(error)) from error
        finally:
            await close_channel(channel)

    async def put(self, body: bytes) -> None:
        """Confirmed. Raises ShelfMissingError, WIRE_ERRORS."""
        channel = await self._channel()
        try:
            async with asyncio.timeout(SHELF_SECONDS):
                with own_cancellation_only():
                    await self._link.answer(self._put(channel, body))
        except _MISSING as error:
            raise ShelfMissingError(str(error)) from error
        finally:
            await close_channel(channel)

    async def _channel(self) -> Channel:
        if not self._link.connected:
            raise ConnectionError(self._link.last_error or "not connected yet")
        async with asyncio.timeout(SHELF_SECONDS):
            return await self._link.channel(confirms=True)

    async def _take(self, channel: Channel, keep: Callable[[Sequence[bytes]], bytes | None]) -> list[bytes]:
        bodies: list[bytes] = []
        last: int | None = None
        while len(bodies) < self._most:
            message = await channel.basic_get(self._queue, no_ack=False, timeout=SHELF_SECONDS)
            if not isinstance(message.delivery, Basic.GetOk):
                break
            bodies.append(message.body)
            last = message.delivery.delivery_tag
        if last is not None:
            kept = keep(bodies)
            if kept is not None:
                await self._put(channel, kept)
            await channel.basic_ack(last, multiple=True)
        return bodies

    async def _put(self, channel: Channel, body: bytes) -> None:
        try:
            await channel.basic_publish(
                body, exchange=self._exchange, routing_key=self._queue, mandatory=True,
                properties=Basic.Properties(user_id=self._user, delivery_mode=PERSISTENT), timeout=SHELF_SECONDS,
            )  # fmt: skip
        except _MISSING:
            raise
        except AMQPError as error:  # returned, or refused
            raise ConnectionError(f"not taken: {type(error).__name__}") from error
