"""One queue that is consumed: its channel, its consumer, and what is not acknowledged yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

from aiormq import spec
from aiormq.channel import Channel

from gateway.amqp.deliveries import Incoming, Tap
from gateway.amqp.link import CLOSE_SECONDS, WIRE_ERRORS, Link, own_cancellation_only

RPC_SECONDS = 10.0


class Source:
    """One queue: its channel, its consumer, and what is not acknowledged yet, in order of delivery."""

    _numbers = count(1)

    def __init__(self, queue: str, prefetch: int, arrive: Callable[[Incoming], None]) -> None:
        self.queue = queue
        self.channel: Channel | None = None
        self.error: str | None = None
        self.lost = asyncio.Event()
        self.consuming = False
        self._prefetch = prefetch
        self._arrive = arrive
        self._link: Link | None = None
        self._tag: str | None = None
        self._unacknowledged: OrderedDict[int, Incoming] = OrderedDict()

    async def enter(self, link: Link, channel: Channel) -> None:
        self._link, self.channel, self.error = link, channel, None
        self.lost.clear()
        link.tap(channel, Tap(self.queue, channel, self._deliver))
        channel.closing.add_done_callback(lambda closing: self._on_closed(channel, closing))
        channel.on_consumer_cancel_callbacks.add(self._on_cancelled)
        await link.answer(channel.basic_qos(prefetch_count=self._prefetch, timeout=RPC_SECONDS))

    async def start(self) -> None:
        """Consume, unless it is done already or there is no channel. A failure ends the channel."""
        link, channel = self._link, self.channel
        if link is None or channel is None or self._tag is not None:
            return
        self._tag = f"{self.queue}#{next(self._numbers)}"
        try:
            consume = spec.Basic.Consume(queue=self.queue, consumer_tag=self._tag)
            await link.answer(channel.rpc(consume, timeout=RPC_SECONDS))
            self.consuming = self._tag is not None and not channel.is_closed
        except WIRE_ERRORS as error:
            self.lose(f"{type(error).__name__}: {error}")

    async def stop(self) -> None:
        """Cancel the consumer; the channel and what is unacknowledged stay."""
        link, channel, tag = self._link, self.channel, self._tag
        if link is None or channel is None or tag is None:
            return
        self._tag, self.consuming = None, False
        try:
            await link.answer(channel.basic_cancel(tag, timeout=RPC_SECONDS))
        except WIRE_ERRORS as error:
            self.lose(f"{type(error).__name__}: {error}")

    async def leave(self) -> None:
        """Give the channel up; the broker takes back what is unacknowledged."""
        channel, self.channel = self.channel, None
        self._tag, self.consuming = None, False
        self._unacknowledged.clear()
        if channel is not None:
            await close_channel(channel)

    def lose(self, reason: str) -> None:
        self.error, self.consuming = reason, False
        self.lost.set()

    def owed(self) -> list[Incoming]:
        """What was delivered and not acknowledged."""
        return list(self._unacknowledged.values())

    async def ack(self, tags: Sequence[int]) -> None:
        """One frame for the oldest ones without a gap, one each for the others."""
        rest = {tag for tag in tags if tag in self._unacknowledged}
        prefix = 0
        while rest and (oldest := next(iter(self._unacknowledged))) in rest:
            rest.discard(oldest)
            del self._unacknowledged[oldest]
            prefix = oldest
        if prefix:
            await self._send(spec.Basic.Ack(prefix, multiple=True))
        for tag in rest:
            del self._unacknowledged[tag]
            await self._send(spec.Basic.Ack(tag))

    async def reject(self, message: Incoming) -> None:
        if message.channel is self.channel and self._unacknowledged.pop(message.tag, None) is not None:
            await self._send(spec.Basic.Reject(message.tag, requeue=False))

    async def known_to_broker(self, channel: Channel) -> bool:
        with own_cancellation_only():
            found = await channel.queue_declare(self.queue, passive=True, timeout=RPC_SECONDS)
        return bool(found.consumer_count)

    async def _send(self, frame: spec.Basic.Ack | spec.Basic.Reject) -> None:
        channel = self.channel
        if channel is None or channel.is_closed:
            return
        try:
            with own_cancellation_only():
                await channel.rpc(frame, timeout=RPC_SECONDS)
        except WIRE_ERRORS as error:
            self.lose(f"{type(error).__name__}: {error}")

    def _deliver(self, message: Incoming) -> None:
        if message.channel is self.channel:
            self._unacknowledged[message.tag] = message
            self._arrive(message)

    def _on_closed(self, channel: Channel, closing: asyncio.Future[object]) -> None:
        if channel is self.channel:
            self.lose("channel closed" if closing.cancelled() else repr(closing.exception()))

    def _on_cancelled(self, frame: spec.Basic.Cancel) -> None:
        if frame.consumer_tag == self._tag:
            self.lose("cancelled by the broker: the queue is gone")


async def close_channel(channel: Channel) -> None:
    with suppress(*WIRE_ERRORS):
        async with asyncio.timeout(CLOSE_SECONDS):
            await channel.close()
