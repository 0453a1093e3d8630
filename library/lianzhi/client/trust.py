"""What the client believes: which public keys, and which messages.

Keys: those of a file, or the gateway's key set, pinned when it is first fetched (`KeyBook`). A key set that is fetched
may add keys, dates and revocations; it may never put another key under a known kid, and a key that it no longer shows
still verifies what was signed with it.

A message of a request is verified, opened and validated, in this order (`open_message`, pure):
1. The bytes are a message, signed by the sender with a key that was good when the gateway stored it.
2. It is the message that it was listed as, and addressed to us.
3. What is sealed to us is opened with our own key; both ids inside are the envelope's.
4. Head and body together are valid canonical data, and name only objects of the request.
A body that is not sealed to us is signed by the partner in its own dialect; there `data` is the gateway's translation.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from lianzhi.client.answers import Message, Opened
from lianzhi.client.bounds import DEFAULT_BOUNDS
from lianzhi.client.problems import ChangedKeyError, DestroyedError, InvalidBodyError, UnexpectedAnswerError
from lianzhi.client.spool import Spool
from lianzhi.crypto.keyring import Keyring, PrivateKey, keyring_from_jwks
from lianzhi.crypto.limits import MESSAGE_CEILING, Limits
from lianzhi.crypto.seal import recipient_of, unseal
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.printable import printable
from lianzhi.problem import REASONS, FieldError
from lianzhi.protocol import policy
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.envelope import Envelope, parse_timestamp
from lianzhi.protocol.verbs import join, refs_in

ADDRESS = "/.well-known/jwks.json"
PINNED = "keys"
_MATERIAL = ("kty", "crv", "x", "y")
NO_CONTRACT = (
    "client.toml 缺 contract：请向法院索取 contract.json（lianzhi participants contract 本院编号）"
    " client.toml has no contract: ask for contract.json (lianzhi participants contract CODE)"
)
# How large and how late a message may be, the gateway judged by its own configuration when it came.
LIMITS = Limits(message_bytes=MESSAGE_CEILING, behind=timedelta(days=36_500))
# The sender's fault, and only a new answer mends it; anything else is an alarm.
_UNUSABLE = frozenset(
    {"cannot-open", "seal-mismatch", "malformed-json", "duplicate-member", "too-deep", "bad-number", "bad-encoding"}
)


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


# a message


def open_message(
    message: Message,
    *,
    court: str,
    keyring: Keyring,
    own: Collection[str],
    refs: Collection[str],
    contract: Contract | None,
) -> Opened:
    """own: kids of our own enc keys. refs: the objects of the request. contract: by which what only we can open is
    validated.

    Raises RejectedError (not believed, or for somebody else), InvalidBodyError (believed, but of no use),
    DestroyedError.
    """
    if message.destroyed:
        raise DestroyedError(f"{message.request_no} {message.message_id}")
    try:
        stored_at = parse_timestamp(message.stored_at)
    except ValueError:
        raise RejectedError("bad-envelope", pointer="/stored_at") from None
    # 1
    authentic = policy.authenticate(
        message.bytes.encode(),
        sender=message.sender,
        keyring=keyring,
        now=stored_at,
        limits=LIMITS,
    )
    # 2
    envelope = policy.examine(authentic, receivers={court})
    if not isinstance(envelope, Envelope) or envelope.subject != message.request_no:
        raise RejectedError("misdirected", pointer="/subject")
    if envelope.id != message.message_id:
        raise RejectedError("misdirected", pointer="/id")
    parsed = authentic.parsed
    if parsed.content_kind == "body" or recipient_of(parsed.content) not in own:
        if message.data is None:
            raise RejectedError("cannot-open", pointer="/sealed")
        return Opened(envelope=envelope, data=message.data, own=False)
    # 3
    if contract is None:
        raise MisuseError(NO_CONTRACT)
    try:
        body = unseal(parsed.content, request_no=envelope.subject, message_id=envelope.id, keyring=keyring)
    except RejectedError as error:
        if error.code not in _UNUSABLE:
            raise
        raise InvalidBodyError(envelope.subject, envelope.id, error.errors or [_told(error.code)]) from error
    # 4
    data = _canonical(contract, envelope, parsed.event["data"].get("head") or {}, body)
    if not set(refs_in(body)) <= set(refs):
        raise InvalidBodyError(envelope.subject, envelope.id, [_told("unknown-ref", "/items")])
    return Opened(envelope=envelope, data=data, own=True)


def _canonical(contract: Contract, envelope: Envelope, head: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    if envelope.matter_type not in contract.types:
        raise RejectedError("unknown-type", pointer="/type")
    try:
        data = join(envelope.verb, head, body)
    except ValueError:  # a member stands in both
        raise InvalidBodyError(envelope.subject, envelope.id, [_told("duplicate-member")]) from None
    codes = {name: data[name] for name in data.keys() - body.keys()}
    if faults := contract.faults(envelope.matter_type, envelope.verb, body, codes):
        raise InvalidBodyError(envelope.subject, envelope.id, faults)
    return data


def _told(code: str, pointer: str = "") -> FieldError:
    reason = REASONS[code]
    return FieldError(pointer=pointer, rule=code, detail=reason.zh, detail_en=reason.en)
