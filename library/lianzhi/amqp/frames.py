"""The bytes of one `basic.publish` (AMQP 0-9-1, 2.3.5 and 4.2): method, content header, content body.

Written by hand because everything but key, id and body is the same in every message; the general encoder
of the client costs four times what the rest of a publish does.
"""

from __future__ import annotations

import struct

from lianzhi.errors import MisuseError

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
