"""Every rule by which a message is trusted, in one place, without I/O.

A message is trusted when all of this holds, judged in this order; the first that fails is the reason given.
`authenticate` proves who signed what; only after it has a message used up its id and its `seqno`.

 1. It is no larger than the limit, and its form is exactly `<JWS>~<disclosure>~`.
 2. Its protected header is exactly alg, kid, typ and cty, and `typ` is the one this place takes: a message is not
    a submission.
 3. Its kid names a key registered for the participant that is expected here (the owner of the queue, the
    authenticated client; at a partner, `source`), of the purpose this place takes. A header can bring no key.
 4. Its algorithm is the key's own, and the signature verifies over the bytes as received.
 5. Its event is strict JSON and has a `time`.
 6. That `time` lies within the key's dates (nbf ≤ time < exp); and on arrival the key is not revoked, whatever the
    `time` says, because whoever holds a stolen key also chooses the time.
 7. That `time` is not ahead of our clock, nor behind it, by more than the limits.
 8. Its disclosure is the one whose digest was signed, and has exactly our shape. A message whose disclosure was
    exchanged on the way is therefore nobody's, and uses up nothing.

`examine` and `examine_submission` then say whether what was proved is addressed and shaped as the contract wants:

 9. The envelope has exactly the members of the contract, each with a value of its type; what is not said is absent,
    never null.
10. `source` is the participant whose key verified.
11. The receiver is one of ours; a submission names us as its gateway.

Source: docs/contracts.md 3.1; RFC 7515, RFC 8725 sections 3.1 to 3.11, RFC 9901 section 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from lianzhi.crypto import jws, sdjwt
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.keys import PublicKey, Purpose
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import MESSAGE_TYP, Parsed
from lianzhi.crypto.strictjson import pointer_to
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS, FieldError
from lianzhi.protocol.envelope import (
    GATEWAY_NOTICE,
    GATEWAY_PING,
    GATEWAY_PONG,
    TIMESTAMP,
    Envelope,
    OutsideEnvelope,
    SubmissionEnvelope,
)

OUTSIDE_TYPES = frozenset({GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG})
_MOMENT = re.compile(TIMESTAMP, re.ASCII)
_ERRORS_TOLD = 10

AnyEnvelope = TypeVar("AnyEnvelope", Envelope, OutsideEnvelope, SubmissionEnvelope)


class ClockAheadError(RejectedError):
    """Rules 1 to 6 let it pass: the signature verifies, only its `time` has not come.

    time: its own; now: our clock; both aware UTC.
    """

    def __init__(self, time: datetime, now: datetime) -> None:
        seconds = round((time - now).total_seconds())
        told = FieldError(
            pointer="/time",
            rule="clock-ahead",
            detail=f"时间比本方时钟超前 {seconds} 秒；请核对双方时钟，校准后原样重发",
            detail_en=f"{seconds} s ahead of our clock: compare both, set the wrong one, send the same bytes again",
        )
        super().__init__("clock-ahead", [told])
        self.time = time


@dataclass(frozen=True, slots=True)
class Authentic:
    """A message that rules 1 to 8 let pass. sender: the participant whose key verified. time: its own, aware UTC."""

    parsed: Parsed
    sender: str
    key: PublicKey
    time: datetime


def authenticate(
    raw: bytes,
    *,
    sender: str,
    keyring: Keyring,
    now: datetime,
    limits: Limits,
    purpose: Purpose = "sig",
    typ: str = MESSAGE_TYP,
    arriving: bool = True,
    sure: datetime | None = None,
) -> Authentic:
    """Rules 1 to 8. sender: whose keys are looked at. now: arrival, aware UTC. arriving: False for what arrived before
    and was in time then: rule 7 was followed. sure: the time by which it is too old, where `now` is in doubt.

    Raises RejectedError: too-large, bad-encoding, not-an-sd-jwt, bad-header, bad-typ, foreign-key, unknown-kid,
    wrong-key-purpose, bad-alg, bad-signature, bad-envelope (no `time`), key-not-valid-at-time, key-revoked,
    clock-ahead, stale, bad-disclosure; and for JSON malformed-json, duplicate-member, too-deep, bad-number.
    """
    # 1, 2
    unread = sdjwt.take_apart(raw, limits)
    if unread.header["typ"] != typ:
        raise RejectedError("bad-typ", pointer="/typ")

    # 3
    key = keyring.verification_key(sender, unread.header["kid"], purpose)

    # 4
    jws.verify(unread.message, key)

    # 5
    event = sdjwt.read_event(unread, limits)
    time = _moment(event, "time")

    # 6
    if not key.valid_at(time):
        raise RejectedError("key-not-valid-at-time", pointer="/time")
    if key.revoked_by(now):
        raise RejectedError("key-revoked", pointer="/kid")

    # 7
    if arriving and time - now > limits.ahead:
        raise ClockAheadError(time, now)
    if arriving and (sure or now) - time > limits.behind:
        raise RejectedError("stale", pointer="/time")

    # 8
    return Authentic(sdjwt.read_disclosure(unread, event, limits), sender, key, time)


def examine(message: Authentic, *, receivers: Collection[str]) -> Envelope | OutsideEnvelope:
    """Rules 9 to 11 for a message. receivers: the participants that are served here.

    Raises RejectedError: bad-envelope, sender-mismatch, wrong-receiver.
    """
    # 9
    event = message.parsed.event
    envelope: Envelope | OutsideEnvelope
    if _is_outside(event.get("type")):
        envelope = _shape(OutsideEnvelope, event)
    else:
        envelope = _shape(Envelope, event)
        if envelope.expires is not None:
            _moment(event, "expires")

    # 10
    _same_sender(envelope.sender, message)

    # 11
    if envelope.receiver not in receivers:
        raise RejectedError("wrong-receiver", pointer="/receiver")
    return envelope


def examine_submission(message: Authentic, *, gateway: str) -> SubmissionEnvelope:
    """Rules 9 to 11 for a court system's submission. gateway: our own code.

    Raises RejectedError: bad-envelope, sender-mismatch, wrong-receiver.
    """
    # 9
    envelope = _shape(SubmissionEnvelope, message.parsed.event)
    if envelope.dataschema.split(":")[3:5] != [envelope.matter_type, envelope.verb]:
        raise RejectedError("bad-envelope", pointer="/dataschema")

    # 10
    _same_sender(envelope.sender, message)

    # 11
    if envelope.gateway != gateway:
        raise RejectedError("wrong-receiver", pointer="/gateway")
    return envelope


def _is_outside(kind: Any) -> bool:
    """Whether the event's `type`, which may still be any JSON value, stands outside any request."""
    return isinstance(kind, str) and kind in OUTSIDE_TYPES


def _same_sender(source: str, message: Authentic) -> None:
    if source != message.sender:
        raise RejectedError("sender-mismatch", pointer="/source")


def _moment(event: Mapping[str, Any], member: str) -> datetime:
    """A member in the one form of the contract, and a day and hour that exist."""
    text = event.get(member)
    try:
        if isinstance(text, str) and _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise RejectedError("bad-envelope", pointer=pointer_to(member))


def _shape(model: type[AnyEnvelope], event: Mapping[str, Any]) -> AnyEnvelope:
    _no_nulls(event)
    try:
        return model.model_validate(event)
    except ValidationError as error:
        raise RejectedError("bad-envelope", [_told(e) for e in error.errors()[:_ERRORS_TOLD]]) from None


def _no_nulls(event: Mapping[str, Any]) -> None:
    """A member of the event, of `data` or of `head` that is null says nothing, and is refused: two readers could take
    it for two things. (What earlier versions stored is not looked at again.)"""
    data = event.get("data")
    head = data.get("head") if isinstance(data, dict) else None
    for path, members in (((), event), (("data",), data), (("data", "head"), head)):
        if isinstance(members, dict) and None in members.values():
            name = next(name for name, value in members.items() if value is None)
            detail = FieldError(
                pointer=pointer_to(*path, name),
                rule="null-member",
                detail="成员不得为 null；没有内容就不写该成员",
                detail_en="A member must not be null; leave it out where there is nothing to say",
            )
            raise RejectedError("bad-envelope", [detail])


def _told(error: Mapping[str, Any]) -> FieldError:
    """Where and which rule; never the value, which may be personal data."""
    return FieldError(
        pointer=pointer_to(*error["loc"]),
        rule=str(error["type"]).replace("_", "-"),
        detail=REASONS["bad-envelope"].zh,
        detail_en=str(error["msg"]),
    )
