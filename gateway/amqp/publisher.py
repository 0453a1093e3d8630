"""Confirmed publishing, hundreds of messages in flight at once.

Per message: encode, one future, one timer. One task per channel writes what has gathered; the broker's
confirms are matched by the client's own table. Nothing else happens on this path: no task, lock, declare or
log line for a message.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import DeliveryError, PublishError

from gateway.amqp.frames import PublishFrames
from gateway.amqp.link import CLOSE_SECONDS, WIRE_ERRORS, Link, LinkClosedError
from gateway.errors import UnconfirmedError, UnroutableError
from schemas.envelope import CONTENT_TYPE

_WRITE_AT_ONCE = 64  # messages per write; bounds the copy that joins them


class ConfirmedPublisher:
    """Publishes to one exchange as one broker user. Opens its channel when it is first needed.

    user_id: must be the user of the link, the broker checks it (and closes the channel where it is not).
    """

    def __init__(self, link: Link, exchange: str, *, user_id: str) -> None:
        self._link = link
        self._exchange = exchange
        self._user_id = user_id
        self._lane: _Lane | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def publish(
        self,
        routing_key: str,
        body: bytes,
        *,
        timeout: float,
        message_id: str | None = None,
        content_type: str = CONTENT_TYPE,
    ) -> None:
        """Persistent, mandatory; returns when the broker confirmed. timeout: seconds for everything.

        message_id: of the AMQP message; one is made up without it. Raises UnroutableError (no queue takes the
        key), UnconfirmedError (timeout, nack, link or channel lost: it may or may not have arrived).
        After a nack or a timeout the next message takes a fresh channel: a quorum queue whose leader moved
        nacks an old one for ever.
        """
        lane = self._lane
        if lane is None or lane.channel.is_closed:
            start = asyncio.get_running_loop().time()
            lane = await self._open_lane(timeout)
            timeout -= asyncio.get_running_loop().time() - start
        try:
            await lane.send(routing_key, body, message_id, content_type, timeout)
        except UnconfirmedError:
            if self._lane is lane:
                self._lane = None
            lane.retire()
            raise

    async def close(self) -> None:
        """What is in flight becomes unconfirmed."""
        lane, self._lane = self._lane, None
        if lane is not None:
            await lane.close()

    async def _open_lane(self, timeout: float) -> _Lane:
        try:
            async with asyncio.timeout(timeout):
                while self._lane is None or self._lane.channel.is_closed:
                    opening = self._opening
                    if opening is None or opening.done():
                        opening = self._opening = asyncio.create_task(self._open())
                        opening.add_done_callback(_heard)
                    await asyncio.wait((opening,))
                    opening.result()  # this one's: another caller may have begun the next meanwhile
                return self._lane
        except (LinkClosedError, *WIRE_ERRORS) as error:
            raise UnconfirmedError(f"no channel ({self._link.last_error or error})") from error

    async def _open(self) -> None:
        channel = await self._link.channel(confirms=True)
        self._lane = _Lane(channel, self._exchange, self._user_id)


class _Lane:
    """One channel in confirm mode and what is in flight on it.

    The client's tables are used as they are: `confirmations` (delivery tag → future) and
    `message_id_delivery_tag`, by which it finds a returned message. A future stays in the table until the
    broker has answered, also when nobody waits for it any more.
    """

    def __init__(self, channel: Channel, exchange: str, user_id: str) -> None:
        self.channel = channel
        self._frames = PublishFrames(channel.number, exchange, user_id, channel.max_content_size)
        self._outgoing: list[bytes] = []
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._retired = False
        self._writer = self._loop.create_task(self._write(), name=f"publish on channel {channel.number}")
        self._closer: asyncio.Task[None] | None = None
        channel.closing.add_done_callback(self._on_closed)

    async def send(
        self, routing_key: str, body: bytes, message_id: str | None, content_type: str, timeout: float
    ) -> None:
        channel = self.channel
        tag = channel.delivery_tag + 1
        if message_id is None or message_id in channel.message_id_delivery_tag:
            message_id = f"{message_id or ''}#{tag}"  # the client finds returned messages by an unambiguous id
        frames = self._frames.encode(routing_key, message_id, content_type, body)
        # From here to the table nothing waits: tags are counted in the order of the bytes.
        channel.delivery_tag = tag
        answer: asyncio.Future[object] = self._loop.create_future()
        channel.confirmations[tag] = answer
        channel.message_id_delivery_tag[message_id] = tag
        self._outgoing.append(frames)
        self._more.set()
        timer = self._loop.call_later(timeout, _give_up, answer)
        self._in_flight += 1
        try:
            await answer
        except PublishError as error:
            raise UnroutableError(routing_key) from error
        except DeliveryError as error:
            raise UnconfirmedError("nack") from error
        finally:
            timer.cancel()
            self._in_flight -= 1
            if channel.confirmations.get(tag) is answer:  # given up or cancelled
                self._orphan(tag, message_id)
            else:
                channel.message_id_delivery_tag.pop(message_id, None)
            if self._retired and not self._in_flight:
                self._end()

    def retire(self) -> None:
        """No new messages: close the channel when those in flight have their answers (or timeouts)."""
        self._retired = True
        if not self._in_flight:
            self._end()

    async def close(self) -> None:
        with suppress(*WIRE_ERRORS):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.channel.close()
        self._writer.cancel()

    def _end(self) -> None:
        if self._closer is None:
            self._closer = self._loop.create_task(self.close())

    def _orphan(self, tag: int, message_id: str) -> None:
        """Nobody waits any more, but the broker will still answer: it then finds a future that may take it."""
        orphan: asyncio.Future[object] = self._loop.create_future()
        self.channel.confirmations[tag] = orphan

        orphan.add_done_callback(_heard)
        orphan.add_done_callback(lambda _: self.channel.message_id_delivery_tag.pop(message_id, None))

    def _on_closed(self, closing: asyncio.Future[object]) -> None:
        reason = "closed" if closing.cancelled() else str(closing.exception() or "closed")
        self._writer.cancel()
        for answer in self.channel.confirmations.values():
            if not answer.done():
                answer.set_exception(UnconfirmedError(f"channel lost: {reason}"))

    async def _write(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._outgoing:
                batch = self._outgoing[:_WRITE_AT_ONCE]
                del self._outgoing[: len(batch)]
                written: asyncio.Future[None] = self._loop.create_future()
                await self.channel.write_queue.put(ChannelFrame(b"".join(batch), False, written))
                await written  # the socket took it: a slow link holds the next write back, not the memory


def _give_up(answer: asyncio.Future[object]) -> None:
    if not answer.done():
        answer.set_exception(UnconfirmedError("timeout"))


def _heard(future: asyncio.Future[Any]) -> None:
    """Take note of the exception, for the case that nobody waits for it."""
    if not future.cancelled():
        future.exception()
