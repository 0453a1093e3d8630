"""Limits of the trust rules: sizes, depths, and how far a time may be off (docs/contracts.md 3.1). Configuration
overrides them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lianzhi.errors import MisuseError

MESSAGE_CEILING = 16 << 20
"""No configuration may ask for larger messages, bytes: the JOSE registries are built for this size."""


@dataclass(frozen=True, slots=True)
class Limits:
    """message_bytes: one SD-JWT as it travels. header_bytes: the protected header, base64url-encoded.

    ahead, behind: how far a message's `time` may lie from our clock. document_bytes: one document by reference.
    Raises MisuseError when a bound makes no sense.
    """

    message_bytes: int = 1 << 20
    header_bytes: int = 512
    json_depth: int = 32
    document_bytes: int = 100 << 20
    ahead: timedelta = timedelta(minutes=5)
    behind: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        if not 0 < self.message_bytes <= MESSAGE_CEILING:
            raise MisuseError(f"message_bytes must be 1..{MESSAGE_CEILING}; larger things travel as documents")
        if min(self.header_bytes, self.json_depth, self.document_bytes) <= 0:
            raise MisuseError("header_bytes, json_depth and document_bytes must be positive")
        if min(self.ahead, self.behind) < timedelta(0):
            raise MisuseError("ahead and behind must not be negative")


DEFAULT_LIMITS = Limits()
