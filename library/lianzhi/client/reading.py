"""Verifies, opens and validates one message of a request, in this order. Pure.

1. The bytes are a message, signed by the sender with a key that was good when the gateway stored it.
2. It is the message that it was listed as, and addressed to us.
3. What is sealed to us is opened with our own key; both ids inside are the envelope's.
4. Head and body together are valid canonical data, and name only objects of the request.
A body that is not sealed to us is signed by the partner in its own dialect; there `data` is the gateway's translation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from lianzhi.client.answers import Message, Opened
from lianzhi.client.problems import DestroyedError, InvalidBodyError
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.limits import MESSAGE_CEILING, Limits
from lianzhi.crypto.seal import recipient_of, unseal
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.problem import REASONS, FieldError
from lianzhi.protocol import policy
from lianzhi.protocol.contract import Contract
from lianzhi.protocol.envelope import Envelope, parse_timestamp
from lianzhi.protocol.verbs import join, refs_in

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
