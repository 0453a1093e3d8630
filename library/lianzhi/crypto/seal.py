"""Sealing: a payload that only one receiver can read, and only inside the message it was made for.

Compact JWE (RFC 7516 sections 5 and 7.1), ECDH-ES+A256KW and A256GCM (RFC 7518 sections 4.6, 4.4, 5.3), to the
receiver's `enc` key. The plaintext is `{request_no, message_id, body}`: whoever opens it compares both ids, so a sealed
part lifted into another message is found out (docs/contracts.md 3.1 Sealing).

`seal` and `unseal` judge the header and what was sealed; `encrypt` and `decrypt` below are the JWE itself, on the
primitives of `cryptography`: nothing is looked up, exported or negotiated for a message. They are held against joserfc
and npm's `jose`, both ways, in the tests (docs/adr/0042).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lianzhi.crypto import base64url, strictjson
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.keys import SEAL_ALG, SEAL_ENC, JoseKey, PublicKey
from lianzhi.crypto.limits import DEFAULT_LIMITS, Limits
from lianzhi.errors import MisuseError, RejectedError

_REQUIRED, _ALLOWED = {"alg", "enc", "kid", "epk"}, {"alg", "enc", "kid", "epk", "cty", "typ", "apu", "apv"}
_HEADER_CHARACTERS = 1024
_EPK_MEMBERS = {"P-256": {"kty", "crv", "x", "y"}, "X25519": {"kty", "crv", "x"}}
KEY_BYTES, WRAPPED_BYTES, IV_BYTES, TAG_BYTES = 32, 40, 12, 16
COORDINATE_BYTES = 32
_ECDH = ec.ECDH()
_P256 = ec.SECP256R1()

PublicHalf = ec.EllipticCurvePublicKey | x25519.X25519PublicKey
PrivateHalf = ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey
_KEY_BITS = (8 * KEY_BYTES).to_bytes(4, "big")


def seal(body: Mapping[str, Any], *, request_no: str, message_id: str, key: PublicKey) -> str:
    """A compact JWE to `key`. request_no, message_id: those of the envelope it will travel in.

    Raises MisuseError when the key is not for sealing, or nothing can be agreed with it.
    """
    if key.purpose != "enc":
        raise MisuseError(f"{key.kid} is not for sealing")
    plaintext = strictjson.dumps({"request_no": request_no, "message_id": message_id, "body": body})
    header = {"alg": SEAL_ALG, "enc": SEAL_ENC, "kid": key.kid, "cty": "json"}
    try:
        return encrypt(header, plaintext.encode(), key.key)
    except ValueError:  # X25519 with an all-zero outcome (RFC 7748 section 6.1)
        raise MisuseError(f"{key.kid}: nothing can be sealed to this key") from None


def unseal(
    text: str, *, request_no: str, message_id: str, keyring: Keyring, limits: Limits = DEFAULT_LIMITS
) -> dict[str, Any]:
    """The body. request_no, message_id: those of the envelope it came in.

    Raises RejectedError: cannot-open (form, algorithm, or not to a key of ours), seal-mismatch (made for another
    message), and those of `strictjson.loads` for what was sealed.
    """
    header = _header(text, limits)
    key = keyring.opening_key(header["kid"]).key
    _check_ephemeral(header["epk"], key)
    try:
        opened = decrypt(text, header, key)
    except CannotDecryptError:
        raise RejectedError("cannot-open") from None
    content = strictjson.loads(opened, depth=limits.json_depth)
    if not isinstance(content, dict) or content.keys() != {"request_no", "message_id", "body"}:
        raise RejectedError("seal-mismatch", pointer="")
    for name, expected in (("request_no", request_no), ("message_id", message_id)):
        if content[name] != expected:
            raise RejectedError("seal-mismatch", pointer=f"/{name}")
    if not isinstance(content["body"], dict):
        raise RejectedError("seal-mismatch", pointer="/body")
    return content["body"]


def recipient_of(text: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The kid that a sealed part was made for, for one who cannot open it. Raises RejectedError cannot-open."""
    return str(_header(text, limits)["kid"])


def _header(text: str, limits: Limits) -> dict[str, Any]:
    """Five segments and a header of ours: no `zip`, no `crit`, no other algorithm."""
    segment, *rest = text.split(".", 5)
    if len(rest) != 4 or len(segment) > _HEADER_CHARACTERS:
        raise RejectedError("cannot-open")
    try:
        header = strictjson.loads(base64url.decode(segment), depth=limits.json_depth)
    except (ValueError, RejectedError):
        raise RejectedError("cannot-open") from None
    if not isinstance(header, dict) or not _REQUIRED <= header.keys() <= _ALLOWED:
        raise RejectedError("cannot-open")
    if header["alg"] != SEAL_ALG or header["enc"] != SEAL_ENC:
        raise RejectedError("cannot-open", pointer="/alg")
    if not isinstance(header["kid"], str):
        raise RejectedError("cannot-open", pointer="/kid")
    return header


def _check_ephemeral(epk: Any, key: JoseKey) -> None:
    """The sender's ephemeral key lies on the curve of ours, and nothing else is in it (RFC 7518 section 4.6.1.1)."""
    members = _EPK_MEMBERS[key.curve_name]
    ours = (key.key_type, key.curve_name)
    if not isinstance(epk, dict) or epk.keys() != members or (epk["kty"], epk["crv"]) != ours:
        raise RejectedError("cannot-open", pointer="/epk")


# the JWE


class CannotDecryptError(Exception):
    """Another key, something altered, or not of this form; which of them is not told."""


def encrypt(header: Mapping[str, Any], plaintext: bytes, key: JoseKey) -> str:
    """A compact JWE to `key` (P-256 or X25519). header: without `epk`, which is added.

    Raises ValueError: an X25519 key with which nothing can be agreed (RFC 7748 section 6.1).
    """
    public = _public(key)
    secret, epk = _ephemeral(public)
    wrapping = _derived(secret, b"", b"")
    content_key, iv = os.urandom(KEY_BYTES), os.urandom(IV_BYTES)
    protected = base64url.encode(strictjson.dumps({**header, "epk": epk}).encode())
    sealed = AESGCM(content_key).encrypt(iv, plaintext, protected.encode("ascii"))
    parts = (aes_key_wrap(wrapping, content_key), iv, sealed[:-TAG_BYTES], sealed[-TAG_BYTES:])
    return ".".join((protected, *map(base64url.encode, parts)))


def decrypt(text: str, header: Mapping[str, Any], key: JoseKey) -> bytes:
    """The plaintext. header: the decoded first segment of `text`, its `epk` of the key's own type and curve.

    Raises CannotDecryptError.
    """
    try:
        protected, *segments = text.split(".")
        wrapped, iv, ciphertext, tag = map(base64url.decode, segments)
        if (len(wrapped), len(iv), len(tag)) != (WRAPPED_BYTES, IV_BYTES, TAG_BYTES):
            raise CannotDecryptError
        parties = (base64url.decode(_text(header.get(name, ""))) for name in ("apu", "apv"))
        wrapping = _derived(_agreed(cast(PrivateHalf, key.raw_value), header["epk"]), *parties)
        content_key = aes_key_unwrap(wrapping, wrapped)
        return AESGCM(content_key).decrypt(iv, ciphertext + tag, protected.encode("ascii"))
    except (ValueError, InvalidUnwrap, InvalidTag):
        raise CannotDecryptError from None


def _public(key: JoseKey) -> PublicHalf:
    half = key.raw_value
    if isinstance(half, ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey):
        return half.public_key()
    return cast(PublicHalf, half)


def _ephemeral(public: PublicHalf) -> tuple[bytes, dict[str, str]]:
    """A secret agreed with a key that was never used before and never is again, and that key's public half."""
    if isinstance(public, x25519.X25519PublicKey):
        once = x25519.X25519PrivateKey.generate()
        x = once.public_key().public_bytes_raw()
        return once.exchange(public), {"kty": "OKP", "crv": "X25519", "x": base64url.encode(x)}
    one = ec.generate_private_key(_P256)
    point = one.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    first, second = (base64url.encode(half) for half in (point[:COORDINATE_BYTES], point[COORDINATE_BYTES:]))
    return one.exchange(_ECDH, public), {"kty": "EC", "crv": "P-256", "x": first, "y": second}


def _agreed(private: PrivateHalf, epk: Mapping[str, Any]) -> bytes:
    """Raises ValueError: off the curve, of small order, or a coordinate of another length."""
    x = _coordinate(epk["x"])
    if isinstance(private, x25519.X25519PrivateKey):
        return private.exchange(x25519.X25519PublicKey.from_public_bytes(x))
    point = b"\x04" + x + _coordinate(epk["y"])
    return private.exchange(_ECDH, ec.EllipticCurvePublicKey.from_encoded_point(_P256, point))


def _coordinate(text: Any) -> bytes:
    """Of full length, leading zeros with it (RFC 7518 section 6.2.1.2)."""
    found = base64url.decode(_text(text))
    if len(found) != COORDINATE_BYTES:
        raise ValueError("a coordinate has 32 bytes")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def _derived(secret: bytes, apu: bytes, apv: bytes) -> bytes:
    """The key that wraps the content's key: one round of the Concat KDF with SHA-256 (RFC 7518 section 4.6.2)."""
    return hashlib.sha256(
        b"\x00\x00\x00\x01" + secret + _sized(SEAL_ALG.encode()) + _sized(apu) + _sized(apv) + _KEY_BITS
    ).digest()


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
