"""From the socket to deliveries: frames (AMQP 0-9-1, 2.3.5) → `basic.deliver`, content header, content body (4.2.6).

`Transport` opens the client's socket, which can be closed at once; `FrameReader` diverts the frames of consuming
channels from the client to a `Tap`, which puts deliveries together. The client's own way costs a task, a dozen objects
and eight times the time for each delivery. And it decodes every string as UTF-8 and gives up the whole connection where
it cannot: a partner that puts GBK bytes into a property would stop the intake of everyone, again at each redelivery.
Here foreign bytes become U+FFFD, and a header table that cannot be read is empty; such a message is then refused like
any other.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pamqp.decode
from aiormq import TransportFactory
from aiormq.channel import Channel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory
from yarl import URL

READ_BYTES = 1 << 18
_HEAD = struct.Struct(">BHI")  # AMQP 0-9-1, 2.3.5: frame type, channel, size; then the payload and 0xCE
_HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
_SIGN_OF_LIFE_EVERY = 512  # diverted frames
_CLOSE = b"\x00\x0a\x00\x32"  # class 10 (connection), method 50 (close); then code and text


class Transport(TransportFactory):
    """Opens TCP or TLS by the URL's scheme; remembers the socket so that it can be cut."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._frames: FrameReader | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._frames = None
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await factory.create(url, limit=READ_BYTES, **kwargs)
        self._frames = FrameReader(reader)
        return cast(asyncio.StreamReader, self._frames), self._writer

    def tap(self, channel: Channel, tap: Tap) -> None:
        """Deliveries on this channel go to the tap, until the channel is closed."""
        frames = self._frames
        assert frames is not None
        frames.taps[channel.number] = tap
        channel.closing.add_done_callback(lambda _: frames.untap(channel.number, tap))

    @property
    def farewell(self) -> str | None:
        """Why the broker closed the last connection, in its own words; the client keeps them to itself."""
        return self._frames.farewell if self._frames is not None else None

    def abort(self) -> None:
        """Drop the socket at once, with whatever waits in it: a frozen peer takes no farewell."""
        if self._writer is not None:
            self._writer.transport.abort()


class FrameReader:
    """The part of `asyncio.StreamReader` that the client uses; frames of tapped channels never reach it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.taps: dict[int, Tap] = {}
        self.farewell: str | None = None
        self._reader = reader
        self._data = b""
        self._at = 0
        self._left = 0  # bytes of the current frame that were not handed out yet

    def untap(self, number: int, tap: Tap) -> None:
        if self.taps.get(number) is tap:  # the number may belong to another channel by now
            del self.taps[number]

    def at_eof(self) -> bool:
        return self._at == len(self._data) and self._reader.at_eof()

    async def read(self, n: int = -1) -> bytes:
        rest, self._data, self._at = self._data[self._at :], b"", 0
        return rest or await self._reader.read(n)

    async def readexactly(self, n: int) -> bytes:
        """Raises asyncio.IncompleteReadError at the end of the stream."""
        if self._left <= 0:
            await self._next_frame()
        if len(self._data) - self._at < n:
            await self._fill(n)
        self._left -= n
        self._at += n
        return self._data[self._at - n : self._at]

    async def _fill(self, n: int) -> None:
        parts = [self._data[self._at :]]
        have = len(parts[0])
        while have < n:
            chunk = await self._reader.read(READ_BYTES)
            if not chunk:
                raise asyncio.IncompleteReadError(b"".join(parts), n)
            parts.append(chunk)
            have += len(chunk)
        self._data, self._at = b"".join(parts), 0

    async def _next_frame(self) -> None:
        """Up to the next frame that is the client's; it must see a sign of life now and then."""
        diverted = 0
        while diverted < _SIGN_OF_LIFE_EVERY:
            if len(self._data) - self._at < _HEAD.size:
                await self._fill(_HEAD.size)
            kind, channel, size = _HEAD.unpack_from(self._data, self._at)
            self._left = _HEAD.size + size + 1
            tap = self.taps.get(channel)
            if tap is None or kind > BODY:
                if channel == 0 and kind == METHOD:
                    await self._listen(size)
                return
            if len(self._data) - self._at < self._left:
                await self._fill(self._left)
            start = self._at + _HEAD.size
            if not tap.take(kind, self._data[start : start + size]):
                return
            self._at += self._left
            diverted += 1
        self._data, self._at, self._left = _HEARTBEAT + self._data[self._at :], 0, len(_HEARTBEAT)

    async def _listen(self, size: int) -> None:
        """A method of the connection itself: is it the broker's goodbye?"""
        if len(self._data) - self._at < self._left:
            await self._fill(self._left)
        start = self._at + _HEAD.size
        payload = self._data[start : start + size]
        if payload[:4] == _CLOSE:
            code, length = int.from_bytes(payload[4:6], "big"), payload[6]
            self.farewell = f"{code} {payload[7 : 7 + length].decode(errors='replace')}"


# from the frames of one channel to its deliveries

METHOD, HEADER, BODY = 1, 2, 3
DELIVER = b"\x00\x3c\x00\x3c"  # class 60 (basic), method 60 (deliver)

_TAG = struct.Struct(">QB")
_CONTENT = struct.Struct(">HHQH")  # class, weight, body size, property flags
_LENGTH = struct.Struct(">I")
# Property flags in the order in which the values stand; the width of those that are no short strings.
_PROPERTIES = (
    (15, "content_type"), (14, ""), (13, "headers"), (12, 1), (11, 1), (10, ""), (9, ""), (8, ""),
    (7, "message_id"), (6, 8), (5, ""), (4, "user_id"), (3, ""), (2, ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a body is kept in memory, in bytes: all of one of up to `whole`, of a larger one the first `part`
    with the digest of all of it. whole None: all of any."""

    whole: int | None = None
    part: int = 0

    def of(self, size: int) -> int:
        """Bytes kept of a body of `size`."""
        return size if self.whole is None or size <= self.whole else min(size, self.part)


EVERYTHING = Kept()


@dataclass(slots=True)
class Incoming:
    """One delivery. tag is valid on `channel` only; a channel that died makes the message come again.

    size: of the whole body, bytes. sha256: of the whole body, hex, where `body` is only the beginning of it.
    """

    queue: str
    body: bytes
    routing_key: str
    redelivered: bool
    user_id: str | None
    content_type: str | None
    message_id: str | None
    headers: Mapping[str, Any]
    tag: int
    channel: Channel
    size: int
    sha256: str | None = None


class Tap:
    """Puts the deliveries of one consuming channel together. Its frames come in order, one delivery at a time.

    kept: how much of each body. room: asked with the bytes that are to be kept of a body before it comes; where it says
    no, nothing of the body is, and `skip` is told the delivery tag in place of `arrive`.
    """

    def __init__(
        self,
        queue: str,
        channel: Channel,
        arrive: Callable[[Incoming], None],
        *,
        kept: Kept = EVERYTHING,
        room: Callable[[int], bool] | None = None,
        skip: Callable[[int], None] | None = None,
    ) -> None:
        self._queue = queue
        self._channel = channel
        self._arrive = arrive
        self._kept = kept
        self._room = room
        self._skip = skip
        self._tag = 0
        self._redelivered = False
        self._routing_key = ""
        self._properties: dict[str, Any] = {}
        self._size = 0
        self._missing = 0
        self._wanted = 0
        self._skipped = False
        self._digest: hashlib._Hash | None = None
        self._parts: list[bytes] = []

    def take(self, kind: int, payload: bytes) -> bool:
        """Whether the frame was part of a delivery; the rest is the client's."""
        if kind == METHOD:
            if payload[:4] != DELIVER:
                return False
            self._begin(payload)
        elif kind == HEADER:
            _, _, size, flags = _CONTENT.unpack_from(payload)
            self._properties = properties(flags, payload[_CONTENT.size :])
            self._expect(size)
        else:
            self._body(payload)
        if kind != METHOD and self._missing <= 0:
            self._finish()
        return True

    def _begin(self, payload: bytes) -> None:
        at = 5 + payload[4]  # consumer tag
        self._tag, redelivered = _TAG.unpack_from(payload, at)
        self._redelivered = bool(redelivered)
        at += _TAG.size
        at += 1 + payload[at]  # exchange
        self._routing_key = payload[at + 1 :].decode(errors="replace")

    def _expect(self, size: int) -> None:
        wanted = self._kept.of(size)
        self._size = self._missing = size
        self._skipped = self._room is not None and not self._room(wanted)
        self._wanted = 0 if self._skipped else wanted
        self._digest = hashlib.sha256() if wanted < size and not self._skipped else None
        self._parts = []

    def _body(self, payload: bytes) -> None:
        self._missing -= len(payload)
        if self._digest is not None:
            self._digest.update(payload)
        if self._wanted >= len(payload):
            self._parts.append(payload)
            self._wanted -= len(payload)
        elif self._wanted:
            self._parts.append(payload[: self._wanted])
            self._wanted = 0

    def _finish(self) -> None:
        if self._skipped:
            if self._skip is not None:
                self._skip(self._tag)
            return
        parts, found = self._parts, self._properties
        self._parts = []
        self._arrive(
            Incoming(
                queue=self._queue,
                body=parts[0] if len(parts) == 1 else b"".join(parts),
                routing_key=self._routing_key,
                redelivered=self._redelivered,
                user_id=found.get("user_id"),
                content_type=found.get("content_type"),
                message_id=found.get("message_id"),
                headers=found.get("headers", {}),
                tag=self._tag,
                channel=self._channel,
                size=self._size,
                sha256=None if self._digest is None else self._digest.hexdigest(),
            )
        )


def properties(flags: int, raw: bytes) -> dict[str, Any]:
    """The properties that matter here, by name; flags: the first word of property flags."""
    found: dict[str, Any] = {}
    at = 0
    for bit, name in _PROPERTIES:
        if not flags >> bit & 1:
            continue
        if isinstance(name, int):
            at += name
        elif name == "headers":
            size = _LENGTH.size + _LENGTH.unpack_from(raw, at)[0]
            found[name] = table(raw[at : at + size])
            at += size
        else:
            end = at + 1 + raw[at]
            if name:
                found[name] = raw[at + 1 : end].decode(errors="replace")
            at = end
    return found


def table(raw: bytes) -> dict[str, Any]:
    """A field table with its length; empty when it cannot be read."""
    try:
        return pamqp.decode.field_table(raw)[1]
    except Exception:  # whatever the decoder trips over: the sender chose these bytes
        return {}
