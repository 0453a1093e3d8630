"""The signed form of every message (docs/contracts.md 3.1, RFC 9901): `<JWS>~<disclosure>~`.

The envelope and its codes are signed in clear; the payload stands in one salted disclosure whose digest is signed,
so it can be destroyed later and the signature still verifies. Exactly one disclosure, no key binding. What was
received is kept and verified byte for byte; nothing is re-serialised.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lianzhi.crypto import base64url, jws, strictjson
from lianzhi.crypto.keys import PrivateKey, Purpose
from lianzhi.crypto.limits import DEFAULT_LIMITS, Limits
from lianzhi.errors import MisuseError, RejectedError

ContentKind = Literal["body", "sealed"]

MESSAGE_TYP = "lianzhi+sd-jwt"
SUBMISSION_TYP = "lianzhi-submission+sd-jwt"
CTY = "cloudevents+json"
HEADER_MEMBERS = ("alg", "kid", "typ", "cty")
PURPOSE_OF_TYP: dict[str, Purpose] = {MESSAGE_TYP: "sig", SUBMISSION_TYP: "sub"}
_SALT = re.compile(r"[A-Za-z0-9_-]{22,}")  # 128 bits or more in base64url (RFC 9901 section 4.2.1)


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What goes out. digest: of the JWS part, as `originhash`, `submissionhash` and deduplication use it."""

    jws: str
    disclosure: str
    digest: str

    @property
    def raw(self) -> bytes:
        return f"{self.jws}~{self.disclosure}~".encode("ascii")


@dataclass(frozen=True, slots=True)
class Unread:
    """A message taken apart: header known, nothing verified, event and disclosure not yet read."""

    message: jws.Compact
    disclosure: str

    @property
    def header(self) -> dict[str, Any]:
        return self.message.header


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message read, its disclosure the one whose digest it carries. content: an object, or a compact JWE."""

    jws: str
    disclosure: str
    header: dict[str, Any]
    event: dict[str, Any]
    digest: str
    content_kind: ContentKind
    content: Any

    @property
    def raw(self) -> bytes:
        return f"{self.jws}~{self.disclosure}~".encode("ascii")


def digest_of(text: str) -> str:
    """base64url(SHA-256(ASCII)): of a JWS part or of a disclosure, as received."""
    return base64url.encode(hashlib.sha256(text.encode("ascii")).digest())


def issue(
    event: Mapping[str, Any],
    content_kind: ContentKind,
    content: Mapping[str, Any] | str,
    key: PrivateKey,
    *,
    typ: str = MESSAGE_TYP,
    salt: str | None = None,
) -> SignedMessage:
    """Sign an event whose payload is `content`: an object (`body`) or a compact JWE (`sealed`).

    event: the envelope's members; `data` may hold `head`, `_sd` is put in here. salt: only tests give one.
    Raises MisuseError when the key's purpose does not fit `typ`, the content its kind, or the salt is short.
    """
    if PURPOSE_OF_TYP.get(typ) != key.purpose:
        raise MisuseError(f"{key.kid} may not sign {typ}")
    if isinstance(content, str) != (content_kind == "sealed"):
        raise MisuseError("sealed content is a compact JWE, other content an object")
    salt = secrets.token_urlsafe(16) if salt is None else salt
    if not _SALT.fullmatch(salt):
        raise MisuseError("a salt is 22 or more base64url characters")
    disclosure = base64url.encode(strictjson.dumps([salt, content_kind, content]).encode())
    data = {**event.get("data", {}), "_sd": [digest_of(disclosure)]}
    payload = strictjson.dumps({**event, "data": data}).encode()
    signed = jws.sign({"typ": typ, "cty": CTY}, payload, key)
    return SignedMessage(signed, disclosure, digest_of(signed))


def take_apart(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Unread:
    """Size, form and header; nothing in it is believed yet.

    Raises RejectedError: too-large, bad-encoding, not-an-sd-jwt, bad-disclosure (none, several, or key binding),
    bad-header, and those of `strictjson.loads` for the header.
    """
    if len(raw) > limits.message_bytes:
        raise RejectedError("too-large")
    text = strictjson.decode(raw)
    parts = text.split("~", 3)
    if not text.isascii() or len(parts) == 1:
        raise RejectedError("not-an-sd-jwt")
    message = jws.split(parts[0], limits)
    if len(parts) != 3 or not parts[1] or parts[2]:
        raise RejectedError("bad-disclosure")
    _check_header(message.header)
    return Unread(message, parts[1])


def read_event(unread: Unread, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The signed event. Raises RejectedError bad-envelope (not an object) and those of `strictjson.loads`."""
    event = strictjson.loads(unread.message.payload, depth=limits.json_depth)
    if not isinstance(event, dict):
        raise RejectedError("bad-envelope", pointer="")
    return event


def read_disclosure(unread: Unread, event: Mapping[str, Any], limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """The disclosure is the one that the event names: `data._sd` is exactly its digest.

    Raises RejectedError bad-envelope (`data` is no object), bad-disclosure and, for the JSON in it, those of
    `strictjson.loads`.
    """
    data = event.get("data")
    if not isinstance(data, dict):
        raise RejectedError("bad-envelope", pointer="/data")
    if data.get("_sd") != [digest_of(unread.disclosure)]:
        raise RejectedError("bad-disclosure", pointer="/data/_sd")
    try:
        disclosed = base64url.decode(unread.disclosure)
    except ValueError:
        raise RejectedError("bad-disclosure") from None
    kind, content = _disclosed(strictjson.loads(disclosed, depth=limits.json_depth))
    text = unread.message.text
    return Parsed(text, unread.disclosure, unread.header, dict(event), digest_of(text), kind, content)


def parse(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Everything that can be told without a key. No signature is verified: to believe it is `policy`'s to say.

    Raises RejectedError as `take_apart`, `read_event` and `read_disclosure`.
    """
    unread = take_apart(raw, limits)
    return read_disclosure(unread, read_event(unread, limits), limits)


def _check_header(header: Mapping[str, Any]) -> None:
    """Exactly alg, kid, typ, cty: no `crit`, no `b64`, and no place to bring a key along (`jwk`, `x5u`, `jku`)."""
    for name in HEADER_MEMBERS:
        if not isinstance(header.get(name), str):
            raise RejectedError("bad-header", pointer=strictjson.pointer_to(name))
    for name in header:
        if name not in HEADER_MEMBERS:
            raise RejectedError("bad-header", pointer=strictjson.pointer_to(name))
    if header["cty"] != CTY:
        raise RejectedError("bad-header", pointer="/cty")


def _disclosed(value: Any) -> tuple[ContentKind, Any]:
    """`[salt, "body", {…}]` or `[salt, "sealed", "<JWE>"]`."""
    if not isinstance(value, list) or len(value) != 3:
        raise RejectedError("bad-disclosure")
    salt, kind, content = value
    if not isinstance(salt, str) or not _SALT.fullmatch(salt):
        raise RejectedError("bad-disclosure", pointer="/0")
    if kind == "body" and isinstance(content, dict):
        return "body", content
    if kind == "sealed" and isinstance(content, str):
        return "sealed", content
    raise RejectedError("bad-disclosure", pointer="/1" if kind not in ("body", "sealed") else "/2")
