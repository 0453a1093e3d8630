"""One queue that is consumed: its channel, its consumer, and what is not acknowledged yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

from aiormq import spec
from aiormq.channel import Channel

from lianzhi.amqp.deliveries import EVERYTHING, Incoming, Kept, Tap
from lianzhi.amqp.link import CLOSE_SECONDS, WIRE_ERRORS, Link, own_cancellation_only

RPC_SECONDS = 10.0
CALM_DELIVERIES = 1000


class Source:
    """One queue: its channel, its consumer, and what is not acknowledged yet, in order of delivery.

    prefetch: how many may be unacknowledged. arrive: told of each delivery. kept: how much of its body. share: bytes of
    bodies that may be unacknowledged (one message always may); a delivery beyond them is not kept but waits to be
    `given_back`, and `overflow` is told. spare: prefetch with which that cannot happen again.
    """

    _numbers = count(1)

    def __init__(
        self,
        queue: str,
        prefetch: int,
        arrive: Callable[[Incoming], None],
        *,
        kept: Kept = EVERYTHING,
        share: int | None = None,
        overflow: Callable[[Source], None] | None = None,
    ) -> None:
        self.queue = queue
        self.channel: Channel | None = None
        self.error: str | None = None
        self.lost = asyncio.Event()
        self.consuming = False
        self.full = False
        self.roomy = asyncio.Event()
        self.bytes = 0
        self._prefetch = prefetch
        self._arrive = arrive
        self._kept = kept
        self.share_of(share)
        self._overflow = overflow
        self._calm: int | None = None
        self._link: Link | None = None
        self._tag: str | None = None
        # None: its body was not kept. It holds its place, for `multiple` acknowledges everything before a tag.
        self._unacknowledged: OrderedDict[int, Incoming | None] = OrderedDict()

    def share_of(self, share: int | None) -> None:
        """share: bytes of bodies that may be unacknowledged, None: any. What is held beyond it already stays."""
        whole, prefetch = self._kept.whole, self._prefetch
        self._share = share
        self._spare = prefetch if share is None or whole is None else max(1, min(prefetch, share // whole))

    async def enter(self, link: Link, channel: Channel) -> None:
        self._link, self.channel, self.error = link, channel, None
        self.lost.clear()
        tap = Tap(
            self.queue, channel, self._deliver,
            kept=self._kept, room=self._room if self._share is not None else None, skip=self._skip,
        )  # fmt: skip
        link.tap(channel, tap)
        channel.closing.add_done_callback(lambda closing: self._on_closed(channel, closing))
        channel.on_consumer_cancel_callbacks.add(self._on_cancelled)
        await link.answer(channel.basic_qos(prefetch_count=self._prefetch, timeout=RPC_SECONDS))

    async def start(self) -> None:
        """Consume, unless it is done already, or there is no channel or no room. A failure ends the channel."""
        link, channel = self._link, self.channel
        if link is None or channel is None or self._tag is not None or self.full:
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
        self.bytes, self.full, self._calm = 0, False, None
        self.roomy.set()
        if channel is not None:
            await close_channel(channel)

    def lose(self, reason: str) -> None:
        self.error, self.consuming = reason, False
        self.lost.set()

    def owed(self) -> list[Incoming]:
        """What was delivered and not acknowledged."""
        return [message for message in self._unacknowledged.values() if message is not None]

    async def make_room(self) -> None:
        """After an overflow: no consumer until half of the share is free, then one that asks for fewer messages.

        What was not kept goes back once the consumer is gone, else it would come again at once; that is one delivery
        more for each of them. The full prefetch returns after `CALM_DELIVERIES` that kept within a quarter.
        """
        channel = self.channel
        await self.stop()
        await self._give_back()
        while channel is self.channel and self.bytes > (self._share or 0) // 2:
            self.roomy.clear()
            await self.roomy.wait()
        if channel is not self.channel:
            return
        await self._ask_for(self._spare)
        await self._give_back()
        self.full, self._calm = False, 0

    async def grow(self) -> None:
        """The full prefetch again; the caller starts the consumer afterwards."""
        await self.stop()
        await self._ask_for(self._prefetch)

    def take_calm(self) -> bool:
        """Whether it asks for fewer messages than it may and need not any more; once."""
        calm = self._calm is not None and self._calm >= CALM_DELIVERIES
        if calm:
            self._calm = None
        return calm

    async def ack(self, tags: Sequence[int]) -> None:
        """One frame for the oldest ones without a gap, one each for the others."""
        rest = {tag for tag in tags if tag in self._unacknowledged}
        prefix = 0
        while rest and (oldest := next(iter(self._unacknowledged))) in rest:
            rest.discard(oldest)
            self._forget(oldest)
            prefix = oldest
        if prefix:
            await self._send(spec.Basic.Ack(prefix, multiple=True))
        for tag in rest:
            self._forget(tag)
            await self._send(spec.Basic.Ack(tag))

    async def reject(self, message: Incoming) -> None:
        if message.channel is self.channel and message.tag in self._unacknowledged:
            self._forget(message.tag)
            await self._send(spec.Basic.Reject(message.tag, requeue=False))

    async def known_to_broker(self, channel: Channel) -> bool:
        with own_cancellation_only():
            found = await channel.queue_declare(self.queue, passive=True, timeout=RPC_SECONDS)
        return bool(found.consumer_count)

    async def _give_back(self) -> None:
        """What was not kept, to the queue."""
        channel = self.channel
        while unkept := [tag for tag, message in self._unacknowledged.items() if message is None]:
            for tag in unkept:
                if channel is not self.channel:
                    return
                del self._unacknowledged[tag]
                await self._send(spec.Basic.Nack(tag, requeue=True))

    async def _ask_for(self, prefetch: int) -> None:
        """Of the consumer that is started next."""
        link, channel = self._link, self.channel
        if link is None or channel is None:
            return
        try:
            await link.answer(channel.basic_qos(prefetch_count=prefetch, timeout=RPC_SECONDS))
        except WIRE_ERRORS as error:
            self.lose(f"{type(error).__name__}: {error}")

    def _forget(self, tag: int) -> None:
        message = self._unacknowledged.pop(tag, None)
        if message is not None:
            self.bytes -= len(message.body)
            if self.full:
                self.roomy.set()

    def _room(self, size: int) -> bool:
        return not self.bytes or self.bytes + size <= (self._share or 0)

    def _skip(self, tag: int) -> None:
        self._unacknowledged[tag] = None
        if not self.full and self._overflow is not None:
            self.full = True
            self._overflow(self)

    async def _send(self, frame: spec.Basic.Ack | spec.Basic.Reject | spec.Basic.Nack) -> None:
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
            self.bytes += len(message.body)
            if self._calm is not None:
                self._calm = self._calm + 1 if 4 * self.bytes <= (self._share or 0) else 0
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
