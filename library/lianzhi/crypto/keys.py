"""Keys as values, and the algorithms that belong to them; nothing else is ever accepted.

Source: docs/contracts.md 3.1, RFC 8725 section 3.1.

A kid names owner, purpose and label: `<participant>.<sig|sub|enc>.<label>`. `sig` signs messages, `sub` signs
submissions, `enc` is sealed to.

The key decides, the header must agree: P-256 → ES256; Ed25519 → `Ed25519` (RFC 9864) or its older name `EdDSA`
(RFC 8037). `none`, HMAC, RSA and other curves do not exist here. Sealing: ECDH-ES+A256KW and A256GCM to P-256
or X25519 (RFC 7518 sections 4.6, 5.3).

An ECDSA signature (r, s) has a twin (r, n−s) that verifies as well: whoever carries a message can alter its bytes so,
though not what it says. That is why deduplication keeps the digest of the bytes beside the id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OKPKey

CODE = r"[a-z][a-z0-9-]{1,30}"
"""Who a participant is: the first part of its kids, its queues and its request numbers."""
Purpose = Literal["sig", "sub", "enc"]
JoseKey = ECKey | OKPKey

ES256, ED25519, EDDSA = "ES256", "Ed25519", "EdDSA"
SEAL_ALG, SEAL_ENC = "ECDH-ES+A256KW", "A256GCM"

# curve → the `alg` names that agree with it; the first is what we send unless the key's own `alg` says otherwise
_SIGNING: dict[str, tuple[str, ...]] = {"P-256": (ES256,), "Ed25519": (ED25519, EDDSA)}
_SEALING = frozenset({"P-256", "X25519"})

# On the primitives, as sealing is (docs/adr/0042): a fifth of a signature's time was spent around them. EdDSA over
# Ed25519 is the same function under another name.
_ES256 = ECDSA(SHA256())
_HALF = 32  # bytes of r, and of s (RFC 7518 section 3.4)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A registered key, good for nbf ≤ time < exp (aware UTC, None is open).

    client: the court system that holds the private half. alg: the name its owner gave in the JWK, for export only.
    """

    kid: str
    participant: str
    purpose: Purpose
    key: JoseKey = field(repr=False)
    nbf: datetime | None = None
    exp: datetime | None = None
    revoked_at: datetime | None = None
    client: str | None = None
    alg: str | None = None

    def valid_at(self, time: datetime) -> bool:
        return (self.nbf is None or self.nbf <= time) and (self.exp is None or time < self.exp)

    def revoked_by(self, now: datetime) -> bool:
        return self.revoked_at is not None and self.revoked_at <= now

    def last_day(self, zone: tzinfo) -> date | None:
        """The last day on which it is in force: with `exp` at midnight that is the day before. None: it has no end."""
        return None if self.exp is None else (self.exp - timedelta.resolution).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key of our own. alg: the name that stands in the header of what it signs ("" for an `enc` key)."""

    kid: str
    participant: str
    purpose: Purpose
    alg: str
    key: JoseKey = field(repr=False)


def signing_names(key: JoseKey) -> tuple[str, ...]:
    """The `alg` names that a signature by this key may carry; empty if it cannot sign."""
    return _SIGNING.get(key.curve_name, ())


def can_seal(key: JoseKey) -> bool:
    return key.curve_name in _SEALING


def sign(alg: str, key: JoseKey, signing_input: bytes) -> bytes:
    """The signature as JWS wants it (r‖s for ES256). alg: one of `signing_names(key)`. key: a private one."""
    private: Any = key.private_key
    if alg != ES256:
        raw: bytes = private.sign(signing_input)
        return raw
    r, s = decode_dss_signature(private.sign(signing_input, _ES256))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def verify(alg: str, key: JoseKey, signing_input: bytes, signature: bytes) -> bool:
    """Whether the signature verifies. alg: one of `signing_names(key)`."""
    public: Any = key.public_key
    try:
        if alg != ES256:
            public.verify(signature, signing_input)
            return True
        if len(signature) != 2 * _HALF:
            return False
        r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
        public.verify(encode_dss_signature(r, s), signing_input, _ES256)
    except InvalidSignature:
        return False
    return True
