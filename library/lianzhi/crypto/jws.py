"""Compact JWS (RFC 7515 section 7.1), read strictly: one spelling, one meaning.

This module knows nothing of our header or of trust: `sdjwt` says which members a header has, `policy` whom to believe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lianzhi.crypto import base64url, keys, strictjson
from lianzhi.crypto.keys import PrivateKey, PublicKey
from lianzhi.crypto.limits import DEFAULT_LIMITS, Limits
from lianzhi.errors import RejectedError


@dataclass(frozen=True, slots=True)
class Compact:
    """A JWS taken apart, not yet verified. text: as received; payload and signature: decoded bytes."""

    text: str
    header: dict[str, Any]
    payload: bytes
    signature: bytes

    @property
    def signing_input(self) -> bytes:
        return self.text[: self.text.rindex(".")].encode("ascii")


def split(text: str, limits: Limits = DEFAULT_LIMITS) -> Compact:
    """Three segments, each in canonical base64url and not empty; the header a strict JSON object.

    Raises RejectedError: not-an-sd-jwt, bad-header (not an object, too long) and those of `strictjson.loads`.
    """
    segments = text.split(".", 3)
    if len(segments) != 3 or not all(segments):
        raise RejectedError("not-an-sd-jwt")
    if len(segments[0]) > limits.header_bytes:
        raise RejectedError("bad-header")
    try:
        header_json, payload, signature = (base64url.decode(segment) for segment in segments)
    except ValueError:
        raise RejectedError("not-an-sd-jwt") from None
    return Compact(text, dict(_read_header(header_json, limits.json_depth)), payload, signature)


@lru_cache(maxsize=256)
def _read_header(header_json: bytes, depth: int) -> dict[str, Any]:
    """Of one key and kind of message they are all the same bytes."""
    header = strictjson.loads(header_json, depth=depth)
    if not isinstance(header, dict):
        raise RejectedError("bad-header", pointer="")
    return header


def verify(message: Compact, key: PublicKey) -> None:
    """The header's `alg` is one of the key's, and the signature verifies over the bytes as received.

    Raises RejectedError: bad-alg, bad-signature.
    """
    alg = message.header.get("alg")
    if alg not in keys.signing_names(key.key):
        raise RejectedError("bad-alg", pointer="/alg")
    if not keys.verify(alg, key.key, message.signing_input, message.signature):
        raise RejectedError("bad-signature")


def sign(members: Mapping[str, str], payload: bytes, key: PrivateKey) -> str:
    """A compact JWS with the header `alg` and `kid` of the key, then `members` in their order."""
    signing_input = _header(key.alg, key.kid, tuple(members.items())) + "." + base64url.encode(payload)
    signature = keys.sign(key.alg, key.key, signing_input.encode("ascii"))
    return signing_input + "." + base64url.encode(signature)


@lru_cache(maxsize=256)
def _header(alg: str, kid: str, members: tuple[tuple[str, str], ...]) -> str:
    return base64url.encode(strictjson.dumps({"alg": alg, "kid": kid, **dict(members)}).encode())
