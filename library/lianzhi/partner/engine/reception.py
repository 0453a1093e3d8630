"""Classifies the bytes of a delivery: a message of a request, a message outside any request, or set aside with a
reason.

Pure. Authenticity comes first (`protocol.policy`), then whether the content can be used: a known type and
verb, sealed exactly when its type says so, openable with our key, not past its validity.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.limits import DEFAULT_LIMITS, Limits
from lianzhi.crypto.sdjwt import parse, take_apart
from lianzhi.crypto.seal import unseal
from lianzhi.errors import RejectedError
from lianzhi.partner.engine.conversation import Arrival
from lianzhi.partner.ledger.records import SetAside
from lianzhi.protocol.cards import TypeCard
from lianzhi.protocol.envelope import CONTENT_TYPE, Envelope, OutsideEnvelope
from lianzhi.protocol.policy import Authentic, authenticate, examine
from lianzhi.protocol.verbs import VERBS

_log = logging.getLogger(__name__)

MENDABLE = (
    "unknown-kid", "cannot-open", "unknown-type", "unknown-verb", "clock-ahead", "stale", "key-not-valid-at-time",
    "sequence-gap", "poison",
)  # fmt: skip
"""Reasons that a new key file, an old key given back, an update, a set clock or more room may mend."""
CLOCKS = ("clock-ahead", "stale")
"""Of these what time alone mends, or whoever sets a clock: tried again while we run."""

_HEADERS = 1_000  # protected headers remembered at most


@dataclass(frozen=True, slots=True)
class Raw:
    """What a queue gave. lane: the second word of the routing key, else what the queue's name says. beginning_of: the
    SHA-256 of all of it, hex, where it was too large and `body` is only its beginning."""

    body: bytes
    queue: str
    lane: str = "normal"
    content_type: str | None = CONTENT_TYPE
    beginning_of: str | None = None

    @property
    def sha256(self) -> str:
        return self.beginning_of or hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Received:
    """A verified message of a request. body: opened; None when `arrival.fault` says why it could not be used."""

    raw: Raw
    arrival: Arrival
    envelope: Envelope
    body: dict[str, Any] | None

    @property
    def text(self) -> str:
        return self.raw.body.decode("ascii")


@dataclass(frozen=True, slots=True)
class Outside:
    """A verified message outside any request: ping, pong, notice."""

    raw: Raw
    digest: str
    envelope: OutsideEnvelope
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return self.raw.body.decode("ascii")


class Reader:
    """Reads for one participant. code: ours. cards: the types that are known here."""

    def __init__(
        self, code: str, keyring: Keyring, cards: Mapping[str, TypeCard], limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._code = code
        self._keyring = keyring
        self._cards = cards
        self._limits = limits
        self._senders: dict[bytes, str] = {}

    def read(self, raw: Raw, now: datetime) -> Received | Outside | SetAside:
        """now: arrival. Never raises for what the other side sent: what trips a reader of ours over is set aside too,
        so that the messages behind it are read."""
        try:
            return self._read(raw, now)
        except RejectedError as error:
            return set_aside(raw, now, error.code, error.pointer)
        except Exception as error:  # a fault of ours that these bytes lay bare
            _log.error("a message on %s cannot be read: %s, set aside", raw.queue, type(error).__name__)
            return set_aside(raw, now, "poison", None)

    def _read(self, raw: Raw, now: datetime) -> Received | Outside:
        if raw.beginning_of is not None:
            raise RejectedError("too-large")
        if raw.content_type != CONTENT_TYPE:
            raise RejectedError("bad-content-type")
        message = self._authenticate(raw.body, now)
        envelope = examine(message, receivers=(self._code,))
        if isinstance(envelope, OutsideEnvelope):
            return Outside(raw, message.parsed.digest, envelope, self._outside_body(message))
        body, fault = None, None
        try:
            body = self._content(message.parsed.content_kind, message.parsed.content, envelope, now)
        except RejectedError as error:
            fault = error.code
        return Received(raw, _arrival(message, envelope, raw.lane, fault), envelope, body)

    def _authenticate(self, body: bytes, now: datetime) -> Authentic:
        """Looks among the keys of the participant that the kid names; that it is `source`, `examine` says. The same
        key writes the same header each time, so a header that verified once need not be read again for that."""
        header = body.partition(b".")[0]
        claimed = self._senders.get(header)
        sender = claimed or str(take_apart(body, self._limits).header["kid"]).partition(".")[0]
        message = authenticate(body, sender=sender, keyring=self._keyring, now=now, limits=self._limits)
        if claimed is None:
            if len(self._senders) >= _HEADERS:
                self._senders.clear()
            self._senders[header] = sender
        return message

    def _outside_body(self, message: Authentic) -> dict[str, Any]:
        if message.parsed.content_kind != "body":
            raise RejectedError("must-not-be-sealed")
        body: dict[str, Any] = message.parsed.content
        return body

    def _content(self, kind: str, content: Any, envelope: Envelope, now: datetime) -> dict[str, Any]:
        if envelope.expires is not None and datetime.fromisoformat(envelope.expires) <= now:
            raise RejectedError("expired", pointer="/expires")
        body = self.open(kind, content, envelope)
        if envelope.verb == "open":
            self._check_reply_key(envelope, now)
        return body

    def _check_reply_key(self, envelope: Envelope, now: datetime) -> None:
        """The answer can be sealed to the key that is named: that shows now, not when the application has worked for
        days. Raises RejectedError: foreign-key, unknown-kid, wrong-key-purpose, key-revoked, key-not-valid-at-time."""
        if envelope.replykey is None or not self._cards[envelope.matter_type].result_class.sealed:
            return
        key = self._keyring.verification_key(envelope.sender, envelope.replykey, "enc")
        if key.revoked_by(now):
            raise RejectedError("key-revoked", pointer="/replykey")
        if not key.valid_at(now):
            raise RejectedError("key-not-valid-at-time", pointer="/replykey")

    def open(self, kind: str, content: Any, envelope: Envelope) -> dict[str, Any]:
        """The body in clear. Raises RejectedError: unknown-type, unknown-verb, not-sealed, must-not-be-sealed,
        cannot-open, seal-mismatch."""
        card = self._cards.get(envelope.matter_type)
        if card is None:
            raise RejectedError("unknown-type", pointer="/type")
        if envelope.verb not in VERBS:
            raise RejectedError("unknown-verb", pointer="/type")
        sealed = card.classification(envelope.verb).sealed
        if sealed != (kind == "sealed"):
            raise RejectedError("not-sealed" if sealed else "must-not-be-sealed")
        if sealed:
            return unseal(content, request_no=envelope.subject, message_id=envelope.id, keyring=self._keyring)
        body: dict[str, Any] = content
        return body

    def again(self, text: str) -> tuple[Envelope, dict[str, Any]]:
        """A message that the ledger holds: it was verified before it was stored. Raises RejectedError as `open`."""
        parsed = parse(text.encode("ascii"), self._limits)
        envelope = Envelope.model_validate(parsed.event)
        return envelope, self.open(parsed.content_kind, parsed.content, envelope)


def set_aside(raw: Raw, now: datetime, reason: str, pointer: str | None, about: Arrival | None = None) -> SetAside:
    """The bytes with the reason, for `doctor`."""
    return SetAside(
        raw.sha256,
        raw.body,
        raw.queue,
        reason,
        now.isoformat(timespec="milliseconds"),
        pointer,
        about.sender if about else None,
        about.id if about else None,
        about.request_no if about else None,
        raw.lane,
    )


def _arrival(message: Authentic, envelope: Envelope, lane: str, fault: str | None) -> Arrival:
    head = envelope.data.head
    return Arrival(
        sender=message.sender,
        id=envelope.id,
        digest=message.parsed.digest,
        request_no=envelope.subject,
        type=envelope.matter_type,
        version=envelope.schema_version,
        verb=envelope.verb,
        seqno=envelope.seqno,
        dialect=envelope.dialect,
        lane=lane,
        case_no=envelope.caseno,
        reply_key=envelope.replykey,
        refs=tuple(head.refs or ()) if head else (),
        fault=fault,
    )
