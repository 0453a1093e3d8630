"""Which public keys the client trusts: those of a file, or the gateway's key set, pinned when it is first fetched.

A key set that is fetched may add keys, dates and revocations; it may never put another key under a known kid, and a
key that it no longer shows still verifies what was signed with it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from lianzhi.client.bounds import DEFAULT_BOUNDS
from lianzhi.client.problems import ChangedKeyError, UnexpectedAnswerError
from lianzhi.client.spool import Spool
from lianzhi.crypto.keyring import Keyring, PrivateKey, keyring_from_jwks
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import MisuseError
from lianzhi.printable import printable

ADDRESS = "/.well-known/jwks.json"
PINNED = "keys"
_MATERIAL = ("kty", "crv", "x", "y")


class KeyBook:
    """given: a JWK Set that is trusted as it stands and alone. fetch: reads the gateway's. most: keys to pin."""

    def __init__(
        self,
        spool: Spool,
        open_keys: Iterable[PrivateKey],
        given: Mapping[str, Any] | None,
        fetch: Callable[[], Awaitable[Any]],
        most: int = DEFAULT_BOUNDS.keys,
    ) -> None:
        self._most = most
        self._spool = spool
        self._open_keys = tuple(open_keys)
        self._fetch = fetch
        self._fixed = given is not None
        self._ring = None if given is None else keyring_from_jwks(given, self._open_keys)

    @property
    def handed_over(self) -> bool:
        """Whether the court gave us every participant's keys; the gateway shows its own parties' alone."""
        return self._fixed

    @property
    def own(self) -> frozenset[str]:
        """Kids that we can open."""
        return frozenset(key.kid for key in self._open_keys)

    async def ring(self) -> Keyring:
        """Raises ChangedKeyError, UnavailableError, UnexpectedAnswerError."""
        if self._ring is None:
            kept = await self._spool.note(PINNED)
            self._ring = await self._renew() if kept is None else self._read(json.loads(kept))
        return self._ring

    async def renewed(self) -> Keyring:
        """After a kid that we do not know: the set as the gateway shows it now, unless ours was given."""
        return await self.ring() if self._fixed else await self._renew()

    async def _renew(self) -> Keyring:
        kept = await self._spool.note(PINNED)
        document = merged(json.loads(kept) if kept else {"keys": []}, await self._fetch(), self._most)
        self._ring = self._read(document)
        await self._spool.keep(PINNED, dumps(document))
        return self._ring

    def _read(self, document: Mapping[str, Any]) -> Keyring:
        """A set that was pinned by an older version may hold a key that this one refuses."""
        try:
            return keyring_from_jwks(document, self._open_keys)
        except (MisuseError, ValueError, TypeError, OverflowError) as error:
            raise UnexpectedAnswerError(f"{ADDRESS}：{printable(error)}") from error


def merged(pinned: Mapping[str, Any], shown: Any, most: int = DEFAULT_BOUNDS.keys) -> dict[str, Any]:
    """The key set to pin. Raises ChangedKeyError, UnexpectedAnswerError (not a JWK Set, or more than `most` keys)."""
    if not isinstance(shown, dict) or not isinstance(shown.get("keys"), list):
        raise UnexpectedAnswerError(f"{ADDRESS} 不是公钥集 is no JWK Set")
    keys = {key["kid"]: key for key in pinned["keys"]}
    for key in shown["keys"]:
        if not isinstance(key, dict) or not isinstance(key.get("kid"), str):
            raise UnexpectedAnswerError(f"{ADDRESS} 中有无编号的密钥 shows a key without kid")
        known = keys.get(key["kid"])
        if known is not None and any(known.get(name) != key.get(name) for name in _MATERIAL):
            kid = printable(key["kid"], 80)
            raise ChangedKeyError(f"公钥 {kid} 被换过，请与法院核对。 The key {kid} is another one now.")
        keys[key["kid"]] = key
    if len(keys) > most:
        raise UnexpectedAnswerError(f"{ADDRESS} 的公钥多于 {most} 把 shows more than {most} keys")
    return {"keys": list(keys.values())}
