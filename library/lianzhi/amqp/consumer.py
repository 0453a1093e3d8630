"""Consuming in batches of what has arrived, from many queues, through reconnects.

Each queue has a channel of its own: a queue that is missing or refused closes only that channel, and what was
taken together is acknowledged with one frame. What has arrived waits in one FIFO a queue, served in turn (`Turns`), so
that a full queue does not delay the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from lianzhi.amqp.deliveries import EVERYTHING, Incoming, Kept
from lianzhi.amqp.link import WIRE_ERRORS, Link, LinkClosedError, cancel_all
from lianzhi.amqp.source import Source, close_channel

__all__ = ["BatchConsumer", "Incoming"]

log = logging.getLogger("lianzhi.amqp")

RETRY_SECONDS = (0.2, 5.0)
CHECK_SECONDS = 30.0


class BatchConsumer:
    """Consumes several queues of one link. queues: name → prefetch (how many may be unacknowledged).

    check: seconds between looks whether the broker still knows our consumers. kept: how much of each body. budget:
    bytes of bodies unacknowledged over all queues, None: any; a queue that would take more than its even share has no
    consumer until half of it is free, the others go on. full: told its name then.
    """

    def __init__(
        self,
        link: Link,
        queues: Mapping[str, int],
        *,
        check: float = CHECK_SECONDS,
        kept: Kept = EVERYTHING,
        budget: int | None = None,
        full: Callable[[str], None] | None = None,
    ) -> None:
        self._link = link
        self._check = check
        self._buffer = Turns()
        self._arrived = asyncio.Event()
        self._kept = kept
        self._budget = budget
        self._sources = {name: self._source(name, prefetch, len(queues)) for name, prefetch in queues.items()}
        self._full = full
        self._governing: set[asyncio.Task[None]] = set()
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._resume: asyncio.Task[None] | None = None
        self._paused = False
        self._leaving = False
        self._closed = False

    async def open(self) -> None:
        """Start consuming; returns at once."""
        if self._watching is not None:
            return
        for source in self._sources.values():
            self._begin(source)
        self._watching = asyncio.create_task(self._watch(), name=f"watch consumers of {self._link.name}")

    async def follow(self, queues: Mapping[str, int]) -> None:
        """Consume these queues from now on, and no others. queues: name → prefetch; that of a queue which is consumed
        already stays.

        Of a queue that is left, what is not acknowledged goes back to the broker, also what `batches` has given out: it
        will come again to whoever consumes the queue next.
        """
        for name in self._sources.keys() - queues.keys():
            source = self._sources.pop(name)
            if keeping := self._keeping.pop(name, None):
                await cancel_all([keeping])
            await source.leave()
            await self._forget(source)
        added = [
            self._source(name, prefetch, len(queues)) for name, prefetch in queues.items() if name not in self._sources
        ]
        for source in self._sources.values():
            source.share_of(self._share(len(queues)))
        for source in added:
            self._sources[source.queue] = source
            if self._watching is not None:
                self._begin(source)

    def _source(self, name: str, prefetch: int, queues: int) -> Source:
        return Source(name, prefetch, self._arrive, kept=self._kept, share=self._share(queues), overflow=self._overflow)

    def _share(self, queues: int) -> int | None:
        return None if self._budget is None else max(1, self._budget // max(1, queues))

    def _begin(self, source: Source) -> None:
        self._keeping[source.queue] = asyncio.create_task(self._keep(source), name=f"consume {source.queue}")

    async def close(self) -> None:
        """The broker gets back what is not acknowledged; `batches` ends."""
        self._closed = True
        self._arrived.set()
        others = [task for task in (self._resume, self._watching) if task is not None]
        await cancel_all([*self._keeping.values(), *self._governing, *others])
        await asyncio.gather(*(source.leave() for source in self._sources.values()))

    async def batches(self, max_size: int, max_bytes: int | None = None) -> AsyncGenerator[list[Incoming], None]:
        """What has arrived, up to so many messages and bytes at a time, the queues in turn, as soon as there is
        anything; ends with `close`."""
        await self.open()
        buffer = self._buffer
        while True:
            await self._arrived.wait()
            if self._closed:
                return
            if self._resume is not None:  # paused between the event and here
                self._arrived.clear()
                continue
            batch = buffer.take(max_size, max_bytes)
            if not buffer:
                self._arrived.clear()
            if batch:
                yield batch

    async def ack(self, messages: Sequence[Incoming]) -> None:
        """After the commit. What came through a channel that is gone is skipped: it will come again."""
        grouped: dict[Source, list[int]] = {}
        for message in messages:
            source = self._sources.get(message.queue)
            if source is not None and message.channel is source.channel:
                grouped.setdefault(source, []).append(message.tag)
        for source, tags in grouped.items():
            await source.ack(tags)
            if not self._paused and source.take_calm():
                self._govern(source, source.grow())
        await self._settled()

    async def reject(self, messages: Sequence[Incoming]) -> None:
        """Never again from this queue: the broker dead-letters them."""
        for message in messages:
            if (source := self._sources.get(message.queue)) is not None:
                await source.reject(message)
        await self._settled()

    async def pause(self, seconds: float) -> None:
        """Cancel the consumers; after `seconds` give what was not acknowledged out once more, then consume again.

        The unacknowledged stay with this process meanwhile, because handing them back counts as a delivery:
        a store that is down for long would drive every prefetched message over its delivery limit
        (docs/contracts.md 3.2). Consuming begins again with the first acknowledgement, or when none is owed.
        """
        if self._resume is not None:
            self._resume.cancel()
        self._paused = True
        self._arrived.clear()
        self._resume = asyncio.create_task(self._resume_after(seconds))
        await asyncio.gather(*(source.stop() for source in self._sources.values()))

    async def leave_queues(self) -> None:
        """Cancel the consumers until `enter_queues`: the rest stays at the broker, where waiting is no delivery.

        What was delivered already is still given out by `batches` and to be acknowledged.
        """
        self._leaving = True
        await asyncio.gather(*(source.stop() for source in self._sources.values()))

    async def enter_queues(self) -> None:
        """Consume again."""
        self._leaving = False
        await asyncio.gather(*(self._enter(source) for source in self._sources.values()))

    def consumers(self) -> dict[str, bool]:
        """Queue → whether it has a live consumer of ours, or none only because it is full."""
        return {name: source.consuming or source.full for name, source in self._sources.items()}

    def errors(self) -> dict[str, str]:
        """Queue → why it has none."""
        return {name: s.error for name, s in self._sources.items() if s.error and not s.consuming}

    def _arrive(self, message: Incoming) -> None:
        self._buffer.append(message)
        if not self._paused:
            self._arrived.set()

    def _overflow(self, source: Source) -> None:
        """Called among frames: nothing may wait here."""
        if self._full is not None:
            self._full(source.queue)
        self._govern(source, source.make_room())

    def _govern(self, source: Source, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._governed(source, work), name=f"room for {source.queue}")
        self._governing.add(task)
        task.add_done_callback(self._governing.discard)

    async def _governed(self, source: Source, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # whatever it was, the queue must not stay without a consumer
            source.lose(f"{type(error).__name__}: {error}")
            return
        await self._enter(source)

    async def _resume_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._resume = None
        owed = [message for source in self._sources.values() for message in source.owed()]
        for message in owed:
            message.redelivered = True
        self._buffer.clear()
        self._buffer.extend(owed)
        if owed:
            self._arrived.set()
        else:
            await self._restart()

    async def _settled(self) -> None:
        """The store works again after a pause: go on."""
        if self._paused and self._resume is None:
            await self._restart()

    async def _restart(self) -> None:
        self._paused = False
        if self._buffer:
            self._arrived.set()
        await asyncio.gather(*(self._enter(source) for source in self._sources.values()))

    async def _enter(self, source: Source) -> None:
        if not self._paused and not self._leaving:
            await source.start()

    async def _keep(self, source: Source) -> None:
        """One queue's life: a channel, a consumer on it, until either is lost; then again."""
        delay, longest = RETRY_SECONDS
        while True:
            try:
                await source.enter(self._link, await self._link.channel())
                await self._enter(source)
                if source.consuming:
                    delay = RETRY_SECONDS[0]
                await source.lost.wait()
            except LinkClosedError:
                self._closed = True
                self._arrived.set()
                return
            except Exception as error:  # whatever it was, the queue must not stay without a consumer
                source.error = f"{type(error).__name__}: {error}"
            await source.leave()
            await self._forget(source)
            log.warning("no consumer on %s (%s), next try in %.1f s", source.queue, source.error, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)

    async def _forget(self, source: Source) -> None:
        """Drop what came through a channel that is gone."""
        kept = [message for message in self._buffer if message.queue != source.queue]
        self._buffer.clear()
        self._buffer.extend(kept)
        if not any(other.owed() for other in self._sources.values()):
            await self._settled()

    async def _watch(self) -> None:
        """Ask the broker now and then whether each queue has a consumer at all; where not, consume anew.

        Seen in the field: queues without consumers after a node was lost, and no word to the client.
        """
        with suppress(LinkClosedError):
            while True:
                await asyncio.sleep(self._check)
                with suppress(*WIRE_ERRORS):
                    await self._look()

    async def _look(self) -> None:
        channel = await self._link.channel()
        try:
            for source in list(self._sources.values()):
                if source.consuming and not await source.known_to_broker(channel):
                    source.lose("the broker knows no consumer")
        finally:
            await close_channel(channel)


class Turns:
    """In order within a queue; between queues one delivery of each in turn."""

    def __init__(self) -> None:
        self._of_queue: dict[str, deque[Incoming]] = {}
        self._order: deque[str] = deque()  # queues of which something waits, whose turn is next first
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Incoming]:
        for waiting in self._of_queue.values():
            yield from waiting

    def append(self, message: Incoming) -> None:
        waiting = self._of_queue.setdefault(message.queue, deque())
        if not waiting:
            self._order.append(message.queue)
        waiting.append(message)
        self._size += 1

    def extend(self, messages: Iterable[Incoming]) -> None:
        for message in messages:
            self.append(message)

    def clear(self) -> None:
        self._of_queue.clear()
        self._order.clear()
        self._size = 0

    def take(self, max_size: int, max_bytes: int | None = None) -> list[Incoming]:
        """Up to so many messages and bytes; the first one whatever its size."""
        taken: list[Incoming] = []
        room = max_bytes
        while self._order and len(taken) < max_size:
            queue = self._order[0]
            waiting = self._of_queue[queue]
            size = len(waiting[0].body)
            if room is not None:
                if taken and size > room:
                    break
                room -= size
            taken.append(waiting.popleft())
            self._order.popleft()
            if waiting:
                self._order.append(queue)
        self._size -= len(taken)
        return taken
