"""The transport of the AMQP client: its socket can be closed at once, and frames of deliveries are parsed by our own
faster code (`lianzhi.amqp.deliveries`)."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, cast

from aiormq import TransportFactory
from aiormq.channel import Channel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory
from yarl import URL

from lianzhi.amqp.deliveries import BODY, METHOD, Tap

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
