"""Keys as values, and their conversion from and to JWK (RFC 7517, RFC 8037).

A kid names owner, purpose and label: `<participant>.<sig|sub|enc>.<label>`. `sig` signs messages, `sub` signs
submissions, `enc` is sealed to. Wrong key material is our installation's fault, so it raises MisuseError; no text ever
contains key material.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from lianzhi.crypto import algorithms, base64url
from lianzhi.crypto.algorithms import JoseKey
from lianzhi.crypto.points import ed25519_fault, x25519_fault
from lianzhi.errors import MisuseError

CODE = r"[a-z][a-z0-9-]{1,30}"
"""Who a participant is: the first part of its kids, its queues and its request numbers."""
Purpose = Literal["sig", "sub", "enc"]
_KID = re.compile(rf"(?P<participant>{CODE})\.(?P<purpose>sig|sub|enc)\.[a-z0-9][a-z0-9-]{{0,30}}")
_KEY_TYPES: dict[str, type[ECKey] | type[OKPKey]] = {"EC": ECKey, "OKP": OKPKey}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y")
# RFC 7517 section 4.3: if `key_ops` is there, one of these must be in it
_OPERATIONS = {
    ("sig", False): {"verify"},
    ("sig", True): {"sign"},
    ("enc", False): {"deriveKey", "deriveBits", "wrapKey", "encrypt"},
    ("enc", True): {"deriveKey", "deriveBits", "unwrapKey", "decrypt"},
}

_FAULTS = {
    "low-order": (
        "低阶点，不能作公钥：任何人都能伪造，请该单位重新生成密钥"
        " a point of small order: anybody could forge with it; ask its owner for a new key"
    ),
    "non-canonical": (
        "公钥编码不规范，请该单位重新导出 the encoding is not the canonical one; ask its owner to export the key again"
    ),
    "not-a-point": ("不是曲线上的点，请该单位重新导出 not a point of the curve; ask its owner to export the key again"),
}


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


def public_key_from_jwk(
    jwk: Mapping[str, Any],
    *,
    nbf: datetime | None = None,
    exp: datetime | None = None,
    revoked_at: datetime | None = None,
    client: str | None = None,
) -> PublicKey:
    """A JWK → PublicKey. Dates not given are taken from the members `nbf`, `exp`, `revoked_at` (NumericDate).

    Raises MisuseError: not our form of kid, a curve we do not use, `use`, `key_ops` or `alg` that contradict
    the kid, a point off the curve or of small order, or a private key where a public one belongs.
    """
    kid, participant, purpose = _parse_kid(jwk)
    if "d" in jwk:
        raise MisuseError(f"{kid}: a private key stands where a public one is expected")
    return PublicKey(
        kid=kid,
        participant=participant,
        purpose=purpose,
        key=_import(kid, purpose, jwk),
        nbf=nbf or _date(kid, jwk, "nbf"),
        exp=exp or _date(kid, jwk, "exp"),
        revoked_at=revoked_at or _date(kid, jwk, "revoked_at"),
        client=client or _text(kid, jwk, "client"),
        alg=_text(kid, jwk, "alg"),
    )


def private_key_from_jwk(jwk: Mapping[str, Any]) -> PrivateKey:
    """A private JWK → PrivateKey. The member `alg` chooses between `Ed25519` (default) and `EdDSA`.

    Raises MisuseError as `public_key_from_jwk`, and when the private member is missing.
    """
    kid, participant, purpose = _parse_kid(jwk)
    if "d" not in jwk:
        raise MisuseError(f"{kid}: the private member d is missing")
    key = _import(kid, purpose, jwk)
    alg = "" if purpose == "enc" else _text(kid, jwk, "alg") or algorithms.signing_names(key)[0]
    return PrivateKey(kid, participant, purpose, alg, key)


def generate_jwk(kid: str, kty: Literal["EC", "OKP"] = "EC") -> dict[str, Any]:
    """A fresh private JWK: EC is P-256; OKP is X25519 for an `enc` kid, Ed25519 else. Raises MisuseError on the kid."""
    _, _, purpose = _parse_kid({"kid": kid})
    key: JoseKey
    if kty == "EC":
        key = ECKey.generate_key("P-256")
    else:
        key = OKPKey.generate_key("X25519" if purpose == "enc" else "Ed25519")
    return {**key.as_dict(private=True), "kid": kid, "use": _use(purpose)}


def public_jwk(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The JWK without its private member."""
    return {name: value for name, value in jwk.items() if name != "d"}


def jwk_of(key: PublicKey) -> dict[str, Any]:
    """The JWK that `public_key_from_jwk` reads back; dates as NumericDate."""
    material = key.key.as_dict(private=False)
    jwk: dict[str, Any] = {name: material[name] for name in _PUBLIC_MEMBERS if name in material}
    jwk |= {"kid": key.kid, "use": _use(key.purpose)}
    for name, moment in (("nbf", key.nbf), ("exp", key.exp), ("revoked_at", key.revoked_at)):
        if moment is not None:
            jwk[name] = int(moment.timestamp())
    return jwk | {name: text for name, text in (("client", key.client), ("alg", key.alg)) if text is not None}


def thumbprint(key: PublicKey | PrivateKey) -> str:
    """RFC 7638: base64url SHA-256 of the public members. Equal for two kids exactly when they are one key, because
    only canonical encodings come in."""
    material = key.key.as_dict(private=False)
    members = {name: material[name] for name in sorted(_PUBLIC_MEMBERS) if name in material}
    return base64url.encode(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def same_material(public: PublicKey, private: PrivateKey) -> bool:
    """Whether the two are halves of one key."""
    ours, theirs = public.key.as_dict(private=False), private.key.as_dict(private=False)
    return all(ours.get(name) == theirs.get(name) for name in _PUBLIC_MEMBERS)


def _use(purpose: Purpose) -> Literal["sig", "enc"]:
    return "enc" if purpose == "enc" else "sig"


def _parse_kid(jwk: Mapping[str, Any]) -> tuple[str, str, Purpose]:
    kid = jwk.get("kid")
    found = _KID.fullmatch(kid) if isinstance(kid, str) else None
    if found is None:
        raise MisuseError(f"kid must be <participant>.<sig|sub|enc>.<label>, not {kid!r}")
    purpose: Purpose = found["purpose"]  # type: ignore[assignment]
    return found.string, found["participant"], purpose


def _import(kid: str, purpose: Purpose, jwk: Mapping[str, Any]) -> JoseKey:
    kind = _KEY_TYPES.get(str(jwk.get("kty")))
    if kind is None:
        raise MisuseError(f"{kid}: kty must be EC or OKP")
    use = _use(purpose)
    if jwk.get("use", use) != use:
        raise MisuseError(f"{kid}: the member use contradicts the kid")
    operations = jwk.get("key_ops")
    if operations is not None and not _OPERATIONS[use, "d" in jwk] & set(operations):
        raise MisuseError(f"{kid}: the member key_ops contradicts the kid")
    material = {name: jwk[name] for name in (*_PUBLIC_MEMBERS, "d") if name in jwk}
    try:
        key = _respelt(kind.import_key(material))
    except (JoseError, ValueError, KeyError):
        raise MisuseError(f"{kid}: not a valid key") from None
    if any(key.get(name) != value for name, value in material.items()):  # x and d of two keys, or another spelling
        raise MisuseError(f"{kid}: not a valid key")
    _check_curve(kid, purpose, key, jwk.get("alg"))
    _check_point(kid, key)
    return key


def _respelt(key: JoseKey) -> JoseKey:
    """The same key, its members computed from the key itself and not copied from a document."""
    return ECKey.import_key(key.raw_value) if isinstance(key, ECKey) else OKPKey.import_key(key.raw_value)


def _check_curve(kid: str, purpose: Purpose, key: JoseKey, alg: object) -> None:
    if purpose == "enc":
        if not algorithms.can_seal(key):
            raise MisuseError(f"{kid}: an enc key is P-256 or X25519")
        if alg not in (None, algorithms.SEAL_ALG):
            raise MisuseError(f"{kid}: the member alg does not fit the key")
        return
    names = algorithms.signing_names(key)
    if not names:
        raise MisuseError(f"{kid}: a signing key is P-256 or Ed25519")
    if alg is not None and alg not in names:
        raise MisuseError(f"{kid}: the member alg does not fit the key")


def _check_point(kid: str, key: JoseKey) -> None:
    """Whatever the private half, nothing may be verified with or sealed to one of these (`crypto.points`)."""
    if key.curve_name not in ("Ed25519", "X25519"):
        return
    encoded = base64url.decode(str(key.as_dict(private=False)["x"]))
    fault = ed25519_fault(encoded) if key.curve_name == "Ed25519" else x25519_fault(encoded)
    if fault is not None:
        raise MisuseError(f"{kid}: {_FAULTS[fault]}")


def _date(kid: str, jwk: Mapping[str, Any], name: str) -> datetime | None:
    seconds = jwk.get(name)
    if seconds is None:
        return None
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise MisuseError(f"{kid}: {name} must be a NumericDate in whole seconds")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise MisuseError(f"{kid}: {name} is not a date") from None


def _text(kid: str, jwk: Mapping[str, Any], name: str) -> str | None:
    text = jwk.get(name)
    if text is not None and not isinstance(text, str):
        raise MisuseError(f"{kid}: {name} must be text")
    return text
