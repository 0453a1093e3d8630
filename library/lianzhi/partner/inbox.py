"""Messages that wait for the application, in memory: those of one request in order, requests beside each other.

`async for request in inbox` may run in several tasks at once: each task takes the next message of a request that
no other task is busy with. A task that comes back for the next one has let go of the last; if that was not finished
it stays in the ledger and is handed out again after a restart, or after a while if its handler failed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from lianzhi.partner.engine.intake import Offer
from lianzhi.partner.request import Request

ReadOffer = Callable[[Offer], Awaitable[Request | None]]
"""The message of an offer; None when it can no longer be read."""

AGAIN_SECONDS = 30.0  # until a message whose handler failed is handed out again


class Inbox:
    """Iterate with `async for`. read: the message of an offer. room, room_bytes: how much may wait; again: seconds
    until a failed one comes again.

    At either it is full, and has room again when a quarter of that is free: the queues are not left and entered for
    each message.
    """

    def __init__(self, read: ReadOffer, *, room: int, room_bytes: int, again: float = AGAIN_SECONDS) -> None:
        self._read_offer = read
        self._room, self._room_bytes = room, room_bytes
        self.again_seconds = again
        self._waiting: dict[str, deque[Offer]] = {}
        self._ready: deque[str] = deque()
        self._busy: set[str] = set()
        self._size = 0
        self._bytes = 0
        self._takers: deque[asyncio.Future[None]] = deque()
        self._spacious = asyncio.Event()
        self._spacious.set()
        self._full = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None

    async def __aiter__(self) -> AsyncIterator[Request]:
        """Hand out until `close`; what the loop's body left unfinished is let go when it comes back or ends."""
        while (request := await self._take()) is not None:
            try:
                yield request
            finally:
                if request.failed and not request.finished:
                    self._again_later(Offer(request.sender, request.envelope.id, request.request_no, request.verb))
                self._release(request.request_no)

    def __len__(self) -> int:
        return self._size

    def offer(self, offers: Iterable[Offer]) -> None:
        """A withdrawal goes before what waits in its request; everything else behind it."""
        for offer in offers:
            queue = self._waiting.get(offer.request_no)
            if queue is None:
                queue = self._waiting[offer.request_no] = deque()
                if offer.request_no not in self._busy:
                    self._make_ready(offer.request_no)
            if offer.verb == "withdraw":
                queue.appendleft(offer)
            else:
                queue.append(offer)
            self._size += 1
            self._bytes += offer.size
        if self._size >= self._room or self._bytes >= self._room_bytes:
            self._spacious.clear()
            self._full.set()

    def drop(self, message_ids: Iterable[str]) -> None:
        """Forget messages that are never to be acted on."""
        gone = set(message_ids)
        if not gone:
            return
        for request_no, queue in list(self._waiting.items()):
            kept = deque(offer for offer in queue if offer.id not in gone)
            self._size -= len(queue) - len(kept)
            self._bytes -= sum(offer.size for offer in queue) - sum(offer.size for offer in kept)
            if kept:
                self._waiting[request_no] = kept
            else:
                del self._waiting[request_no]
        self._make_room()

    async def full(self) -> None:
        """Wait until no more should come in."""
        await self._full.wait()

    async def room(self) -> None:
        """Wait until more may come in."""
        await self._spacious.wait()

    def close(self, error: BaseException | None = None) -> None:
        """End every iteration; with an error, by raising it."""
        self._ended, self._error = True, error
        while self._takers:
            self._wake_one()

    async def _take(self) -> Request | None:
        """The next message; its request is busy until `_release`. None at the end."""
        while not self._ended:
            offer = self._pop()
            if offer is None:
                await self._wait()
                continue
            request = await self._read(offer)
            if request is not None:
                return request
            self._release(offer.request_no)
        if self._error is not None:
            raise self._error
        return None

    async def _read(self, offer: Offer) -> Request | None:
        try:
            return await self._read_offer(offer)
        except BaseException:
            self._release(offer.request_no)
            raise

    def _release(self, request_no: str) -> None:
        """Nobody is busy with that request any more."""
        self._busy.discard(request_no)
        if self._waiting.get(request_no):
            self._make_ready(request_no)

    def _again_later(self, offer: Offer) -> None:
        """Hand a message out again after a while, before what came after it."""
        if self._ended:
            return
        asyncio.get_running_loop().call_later(self.again_seconds, self._offer_first, offer)

    def _offer_first(self, offer: Offer) -> None:
        if self._ended:
            return
        queue = self._waiting.setdefault(offer.request_no, deque())
        queue.appendleft(offer)
        self._size += 1
        self._bytes += offer.size
        if len(queue) == 1 and offer.request_no not in self._busy:
            self._make_ready(offer.request_no)

    def _pop(self) -> Offer | None:
        while self._ready:
            request_no = self._ready.popleft()
            queue = self._waiting.get(request_no)
            if queue is None or request_no in self._busy:
                continue
            offer = queue.popleft()
            if not queue:
                del self._waiting[request_no]
            self._size -= 1
            self._bytes -= offer.size
            self._busy.add(request_no)
            self._make_room()
            return offer
        return None

    def _make_room(self) -> None:
        if self._size <= self._room * 3 // 4 and self._bytes <= self._room_bytes * 3 // 4:
            self._spacious.set()
            self._full.clear()

    def _make_ready(self, request_no: str) -> None:
        self._ready.append(request_no)
        self._wake_one()

    async def _wait(self) -> None:
        taker = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        try:
            await taker
        except asyncio.CancelledError:
            if not taker.cancelled():
                self._wake_one()
            raise

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
