"""Whom we believe, and why: every rule of trust in one place, without I/O.

A message is believed when all of this holds, judged in this order; the first that fails is the reason given.
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

 9. The envelope has exactly the members of the contract.
10. `source` is the participant whose key verified.
11. The receiver is one of ours; a submission names us as its gateway.

Source: docs/design.md 3.1; RFC 7515, RFC 8725 sections 3.1 to 3.11, RFC 9901 section 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.crypto import jws, sdjwt
from gateway.crypto.keyring import Keyring
from gateway.crypto.keys import PublicKey, Purpose
from gateway.crypto.limits import Limits
from gateway.crypto.sdjwt import Parsed
from gateway.crypto.strictjson import pointer_to
from gateway.errors import RejectedError
from schemas.envelope import (
    GATEWAY_NOTICE,
    GATEWAY_PING,
    GATEWAY_PONG,
    MESSAGE_TYP,
    TIMESTAMP,
    Envelope,
    OutsideEnvelope,
    SubmissionEnvelope,
)
from schemas.problem import REASONS, FieldError

OUTSIDE_TYPES = frozenset({GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG})
_MOMENT = re.compile(TIMESTAMP, re.ASCII)
_ERRORS_TOLD = 10

AnyEnvelope = TypeVar("AnyEnvelope", Envelope, OutsideEnvelope, SubmissionEnvelope)


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
) -> Authentic:
    """Rules 1 to 8. sender: whose keys are looked at. now: arrival, aware UTC. arriving: False for what arrived before
    and was in time then: rule 7 was followed.

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
        raise RejectedError("clock-ahead", pointer="/time")
    if arriving and now - time > limits.behind:
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
    if event.get("type") in OUTSIDE_TYPES:
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
    try:
        return model.model_validate(event)
    except ValidationError as error:
        raise RejectedError("bad-envelope", [_told(e) for e in error.errors()[:_ERRORS_TOLD]]) from None


def _told(error: Mapping[str, Any]) -> FieldError:
    """Where and which rule; never the value, which may be personal data."""
    return FieldError(
        pointer=pointer_to(*error["loc"]),
        rule=str(error["type"]).replace("_", "-"),
        detail=REASONS["bad-envelope"].zh,
        detail_en=str(error["msg"]),
    )
