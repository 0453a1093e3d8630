"""Compact JWE with ECDH-ES+A256KW and A256GCM (RFC 7516 sections 5 and 7.1; RFC 7518 sections 4.6, 4.4, 5.3), on the
primitives of `cryptography`: nothing is looked up, exported or negotiated for a message. Two key types, P-256 and
X25519; whoever calls has judged the header (`crypto.seal`).

Held against joserfc and npm's `jose`, both ways, in the tests (docs/adr/0042).
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
from lianzhi.crypto.algorithms import SEAL_ALG, JoseKey

KEY_BYTES, WRAPPED_BYTES, IV_BYTES, TAG_BYTES = 32, 40, 12, 16
COORDINATE_BYTES = 32
_ECDH = ec.ECDH()
_P256 = ec.SECP256R1()

PublicHalf = ec.EllipticCurvePublicKey | x25519.X25519PublicKey
PrivateHalf = ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey


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


_KEY_BITS = (8 * KEY_BYTES).to_bytes(4, "big")
