"""Every key we know, looked up only among the keys of the participant that is expected (docs/contracts.md 3.1 Keys).

Trust starts from a JWKS document handed over at registration; nothing in a message can add a key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lianzhi.crypto import keys
from lianzhi.crypto.jwk import (
    generate_jwk,
    jwk_of,
    private_key_from_jwk,
    public_jwk,
    public_key_from_jwk,
    same_material,
    thumbprint,
)
from lianzhi.crypto.keys import PrivateKey, PublicKey, Purpose
from lianzhi.errors import MisuseError, RejectedError

__all__ = [
    "Keyring",
    "PrivateKey",
    "PublicKey",
    "Purpose",
    "generate_jwk",
    "keyring_from_jwks",
    "lasts_until",
    "private_key_from_jwk",
    "public_jwk",
    "public_key_from_jwk",
    "thumbprint",
]

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Keyring:
    """The registered public keys, and those private ones that are ours. Immutable: on rotation build another.

    Raises MisuseError when a kid stands twice, when two kids are one key (RFC 7638: whoever holds one would be both),
    or when a private key is not the other half of its public key.
    """

    def __init__(self, public: Iterable[PublicKey], private: Iterable[PrivateKey] = ()) -> None:
        self._public: dict[str, PublicKey] = {}
        self._private: dict[str, PrivateKey] = {}
        self._public_of: dict[str, list[PublicKey]] = {}  # by participant: a province has a thousand keys
        self._private_of: dict[str, list[PrivateKey]] = {}
        for key in public:
            if self._public.setdefault(key.kid, key) is not key:
                raise MisuseError(f"{key.kid}: registered twice")
            self._public_of.setdefault(key.participant, []).append(key)
        for own in private:
            if self._private.setdefault(own.kid, own) is not own:
                raise MisuseError(f"{own.kid}: given twice")
            registered = self._public.get(own.kid)
            if registered is not None and not same_material(registered, own):
                raise MisuseError(f"{own.kid}: the private key is not that of the registered public key")
            self._private_of.setdefault(own.participant, []).append(own)
        _check_distinct([*self._public.values(), *self._private.values()])

    def verification_key(self, participant: str, kid: str, purpose: Purpose) -> PublicKey:
        """The participant's own key with that kid and purpose; its dates are not judged here.

        Raises RejectedError: foreign-key (the kid names another participant), unknown-kid, wrong-key-purpose.
        With purpose `enc` it also tells whether a `replykey` names a key that exists.
        """
        if kid.partition(".")[0] != participant:
            raise RejectedError("foreign-key", pointer="/kid")
        key = self._public.get(kid)
        if key is None:
            raise RejectedError("unknown-kid", pointer="/kid")
        if key.purpose != purpose:
            raise RejectedError("wrong-key-purpose", pointer="/kid")
        return key

    def signing_key(
        self, participant: str, purpose: Purpose = "sig", *, at: datetime, alg: str | None = None
    ) -> PrivateKey:
        """Our private key to sign with for that participant: of those in force, the one in force last.

        alg: the name that the receiver understands; a key that cannot carry it is passed over. A key whose public
        half is not in the ring (a partner's own) has no dates. Raises MisuseError when none is left.
        """
        candidates = [
            key
            for key in self._private_of.get(participant, ())
            if key.purpose == purpose
            and self._in_force(self._public.get(key.kid), at)
            and (alg is None or alg in keys.signing_names(key.key))
        ]
        if not candidates:
            raise MisuseError(
                f"no {purpose} key of {participant} is in force at {at.isoformat()} for {alg or 'any alg'}"
            )
        chosen = max(candidates, key=lambda key: _since(self._public.get(key.kid)))
        return chosen if alg in (None, chosen.alg) else replace(chosen, alg=alg)

    def sealing_key(self, participant: str, *, at: datetime, kid: str | None = None) -> PublicKey:
        """The receiver's key to seal to: the one named, or of its own in force (no client's) the one in force last.

        Raises MisuseError when it does not exist, is another's, or is not in force.
        """
        candidates = [
            key
            for key in self._public_of.get(participant, ())
            if key.purpose == "enc"
            and self._in_force(key, at)
            and (key.client is None if kid is None else key.kid == kid)
        ]
        if not candidates:
            raise MisuseError(f"no enc key {kid or ''} of {participant} is in force at {at.isoformat()}")
        return max(candidates, key=_since)

    def opening_key(self, kid: str) -> PrivateKey:
        """Our private key with that kid. Old ones open too. Raises RejectedError cannot-open."""
        key = self._private.get(kid)
        if key is None or key.purpose != "enc":
            raise RejectedError("cannot-open", pointer="/kid")
        return key

    def holds(self, kid: str) -> bool:
        """Whether the private half of that key is here."""
        return kid in self._private

    def public_keys(self, participant: str) -> list[PublicKey]:
        """Every registered key of that participant, in the order given."""
        return list(self._public_of.get(participant, ()))

    def jwks(self, participants: Collection[str] | None = None) -> dict[str, Any]:
        """The JWK Set (RFC 7517 section 5) of these participants, or of all: what `keyring_from_jwks` reads back."""
        chosen = (k for k in self._public.values() if participants is None or k.participant in participants)
        return {"keys": [jwk_of(key) for key in chosen]}

    @staticmethod
    def _in_force(key: PublicKey | None, at: datetime) -> bool:
        return key is None or (key.valid_at(at) and not key.revoked_by(at))


def lasts_until(keys: Collection[PublicKey], now: datetime) -> datetime | None:
    """Until when one or another of them is in force without a gap; `now`: none is; None: without end."""
    at = now
    living = [key for key in keys if not key.revoked_by(now)]
    while valid := [key for key in living if key.valid_at(at)]:
        ends = [key.exp for key in valid if key.exp is not None]
        if len(ends) < len(valid):
            return None
        at = max(ends)
    return at


def keyring_from_jwks(document: Mapping[str, Any], private: Iterable[PrivateKey] = ()) -> Keyring:
    """A JWK Set handed over at registration → Keyring. A `kty` that we do not know is passed over (RFC 7517 section 5).

    Raises MisuseError when the document or a key in it is wrong.
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise MisuseError("a JWK Set is an object with the array keys")
    return Keyring((public_key_from_jwk(key) for key in keys if key.get("kty") in ("EC", "OKP")), private)


def _check_distinct(keys: Iterable[PublicKey | PrivateKey]) -> None:
    first: dict[str, str] = {}
    for key in keys:
        other = first.setdefault(thumbprint(key), key.kid)
        if other != key.kid:
            raise MisuseError(
                f"{other}, {key.kid}: 两个编号是同一把密钥，请各用各的 one key under two kids; each needs its own"
            )


def _since(key: PublicKey | None) -> datetime:
    return _BEGINNING if key is None or key.nbf is None else key.nbf
