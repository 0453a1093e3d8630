"""Confirmed publishing, hundreds of messages in flight at once.

Per message: encode, one future, one timer. One task per channel writes what has gathered; the broker's
confirms are matched by the client's own table. Nothing else happens on this path: no task, lock, declare or
log line for a message.

The bytes of a `basic.publish` (AMQP 0-9-1, 2.3.5 and 4.2: method, content header, content body) are written by hand
(`PublishFrames`), because everything but key, id and body is the same in every message; the general encoder of the
client costs four times what the rest of a publish does.
"""

from __future__ import annotations

import asyncio
import re
import struct
from contextlib import suppress
from typing import Any

from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import DeliveryError, PublishError

from lianzhi.amqp.link import CLOSE_SECONDS, WIRE_ERRORS, Link, LinkClosedError
from lianzhi.errors import MisuseError, OversizeError, RefusedError, UnansweredError, UnconfirmedError, UnroutableError
from lianzhi.protocol.envelope import CONTENT_TYPE

APART_AT_MOST = 8
"""Channels beside the shared one."""

_WRITE_AT_ONCE = 64  # messages per write; bounds the copy that joins them
_SHARED = ""
_SIZE_LIMIT = re.compile(r"message size \d+ is larger than configured max size (\d+)")  # RabbitMQ, 406


class ConfirmedPublisher:
    """Publishes to one exchange as one broker user. Opens its channels when they are first needed.

    All share one channel. A route (`<participant>.<lane>`, one queue) that was refused or not answered stands apart
    from then on: a quorum queue whose leader moved refuses a young channel for ever, so its next message takes a fresh
    one, which costs nobody else theirs. With more than `APART_AT_MOST` such routes it is the shared channel that is
    replaced; what is in flight on it ends there.

    user_id: must be the user of the link, the broker checks it (and closes the channel where it is not).
    """

    def __init__(self, link: Link, exchange: str, *, user_id: str) -> None:
        self._link = link
        self._exchange = exchange
        self._user_id = user_id
        self._lanes: dict[str, _Lane] = {}
        self._apart: set[str] = set()
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._size_limit: tuple[int, int] | None = None  # of which connection, bytes

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
        key), OversizeError (the broker never takes so many bytes), UnconfirmedError (link or channel lost: it may or
        may not have arrived), and of these RefusedError (nack) and UnansweredError (timeout).
        """
        clock = asyncio.get_running_loop().time
        until = clock() + timeout
        while True:
            self._check_size(body)
            route = _route(routing_key) if self._apart else _SHARED
            name = route if route in self._apart else _SHARED
            lane = self._lanes.get(name)
            if lane is None or lane.channel.is_closed:
                lane = await self._open_lane(name, until - clock())
            answered = lane.answered
            try:
                await lane.send(routing_key, body, message_id, content_type, until - clock())
            except _LostToAnotherError as error:
                self._size_limit = (self._link.connects, error.limit)  # that one will not come again, this one does
                if clock() >= until:
                    raise
                continue
            except RefusedError:
                self._set_apart(_route(routing_key), lane)
                raise
            except UnansweredError:
                if lane.answered > answered:  # the channel is alive: it is this queue
                    self._set_apart(_route(routing_key), lane)
                else:
                    self._retire(lane)
                raise
            return

    async def close(self) -> None:
        """What is in flight becomes unconfirmed."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            await lane.close()

    def _check_size(self, body: bytes) -> None:
        if self._size_limit is None:
            return
        connection, limit = self._size_limit
        if connection != self._link.connects:  # the broker may have been configured anew
            self._size_limit = None
        elif len(body) > limit:
            raise OversizeError(len(body), limit)

    def _set_apart(self, route: str, lane: _Lane) -> None:
        """The next message of `route` takes a fresh channel. lane: the one that did not take it."""
        if self._lanes.get(route) is lane:
            self._retire(lane)
        elif lane is not self._lanes.get(_SHARED):
            return  # sent before the route stood apart
        elif len(self._apart) < APART_AT_MOST or route in self._apart:
            self._apart.add(route)
        else:
            self._retire(lane)

    def _retire(self, lane: _Lane) -> None:
        """No new messages on it. All routes meet again on the next shared one."""
        name = next((name for name, other in self._lanes.items() if other is lane), None)
        if name == _SHARED:
            lanes, self._lanes = self._lanes, {}
            self._apart.clear()
            for other in lanes.values():
                other.retire()
        elif name is not None:
            del self._lanes[name]
            lane.retire()

    async def _open_lane(self, name: str, timeout: float) -> _Lane:
        try:
            async with asyncio.timeout(timeout):
                while (lane := self._lanes.get(name)) is None or lane.channel.is_closed:
                    opening = self._opening.get(name)
                    if opening is None or opening.done():
                        opening = self._opening[name] = asyncio.create_task(self._open(name))
                        opening.add_done_callback(_heard)
                    await asyncio.wait((opening,))
                    opening.result()  # this one's: another caller may have begun the next meanwhile
                return lane
        except (LinkClosedError, *WIRE_ERRORS) as error:
            raise UnconfirmedError(f"no channel ({self._link.last_error or error})") from error

    async def _open(self, name: str) -> None:
        try:
            channel = await self._link.channel(confirms=True)
        finally:
            self._opening.pop(name, None)
        self._lanes[name] = _Lane(channel, self._exchange, self._user_id)


class _Lane:
    """One channel in confirm mode and what is in flight on it.

    The client's tables are used as they are: `confirmations` (delivery tag → future) and
    `message_id_delivery_tag`, by which it finds a returned message. A future stays in the table until the
    broker has answered, also when nobody waits for it any more. answered: how many messages the broker answered.
    """

    def __init__(self, channel: Channel, exchange: str, user_id: str) -> None:
        self.channel = channel
        self._frames = PublishFrames(channel.number, exchange, user_id, channel.max_content_size)
        self._outgoing: list[bytes] = []
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._retired = False
        self.answered = 0
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
            self.answered += 1
        except PublishError as error:
            self.answered += 1
            raise UnroutableError(routing_key) from error
        except DeliveryError as error:
            self.answered += 1
            raise RefusedError("nack") from error
        except _LostToAnotherError as error:
            if len(body) > error.limit:
                raise OversizeError(len(body), error.limit) from error
            raise
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
        size = _SIZE_LIMIT.search(reason)
        for answer in self.channel.confirmations.values():
            if not answer.done():
                lost = f"channel lost: {reason}"
                answer.set_exception(_LostToAnotherError(lost, int(size[1])) if size else UnconfirmedError(lost))

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


class _LostToAnotherError(UnconfirmedError):
    """The channel was lost because one message on it is larger than the broker takes. limit: bytes."""

    def __init__(self, text: str, limit: int) -> None:
        self.limit = limit
        super().__init__(text)


def _route(routing_key: str) -> str:
    """`<participant>.<lane>`: the part that decides the queue."""
    return ".".join(routing_key.split(".", 2)[:2])


def _give_up(answer: asyncio.Future[object]) -> None:
    if not answer.done():
        answer.set_exception(UnansweredError("timeout"))


def _heard(future: asyncio.Future[Any]) -> None:
    """Take note of the exception, for the case that nobody waits for it."""
    if not future.cancelled():
        future.exception()


# the bytes of one message

_FRAME = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQ")  # class, weight, body size
_PUBLISH = struct.pack(">HHH", 60, 40, 0)  # class basic, method publish, reserved
_MANDATORY = b"\x01"
_PERSISTENT = b"\x02"
# content-type, delivery-mode, message-id, user-id; properties stand in this order
_FLAGS = struct.pack(">H", 1 << 15 | 1 << 12 | 1 << 7 | 1 << 4)
_END = b"\xce"


def short(text: str) -> bytes:
    """A short string: one byte of length, at most 255 bytes. Raises MisuseError when it is longer."""
    raw = text.encode()
    if len(raw) > 255:
        raise MisuseError(f"longer than 255 bytes: {text[:40]}…")
    return bytes((len(raw),)) + raw


class PublishFrames:
    """Encodes persistent, mandatory messages of one user to one exchange on one channel.

    max_content: how many bytes of a body go into one frame.
    """

    def __init__(self, channel: int, exchange: str, user_id: str, max_content: int) -> None:
        self._channel = channel
        self._method = _PUBLISH + short(exchange)
        self._user_id = short(user_id)
        self._max_content = max_content
        self._heads: dict[str, bytes] = {}

    def encode(self, routing_key: str, message_id: str, content_type: str, body: bytes) -> bytes:
        """Raises MisuseError where a text is too long."""
        head = self._heads.get(content_type)
        if head is None:
            head = self._heads[content_type] = _FLAGS + short(content_type) + _PERSISTENT
        channel, size = self._channel, len(body)
        method = self._method + short(routing_key) + _MANDATORY
        header = _CONTENT.pack(60, 0, size) + head + short(message_id) + self._user_id
        parts = [
            _FRAME.pack(1, channel, len(method)), method, _END,
            _FRAME.pack(2, channel, len(header)), header, _END,
        ]  # fmt: skip
        for at in range(0, size, self._max_content):
            piece = body[at : at + self._max_content]
            parts += (_FRAME.pack(3, channel, len(piece)), piece, _END)
        return b"".join(parts)
