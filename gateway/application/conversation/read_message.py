"""Reads a message of a partner: authenticate the bytes, examine the envelope, open, translate, validate.

A message that fails to authenticate raises and leaves no trace but its quarantined bytes. One that authenticates
but whose content is wrong comes back with its `fault`: it uses up its number (docs/contracts.md 3.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from adapters.contract import AdapterError
from gateway.application.context import Context
from gateway.core.records import Message
from lianzhi.crypto.sdjwt import Parsed, parse
from lianzhi.crypto.seal import recipient_of, unseal
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol import policy
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.base import Model
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import (
    CANONICAL,
    CONTENT_TYPE,
    Envelope,
    MessageId,
    OutsideEnvelope,
    parse_timestamp,
    timestamp,
)
from lianzhi.protocol.times import PastMoment
from schemas.answers import unlawful_answer
from schemas.bodies import Opening
from schemas.catalogue import MatterType
from schemas.validation import InvalidError, parse_data, validate


@dataclass(slots=True)
class Arrived:
    """A message whose signature verifies. data: canonical, `head` members included; only those when the body is
    sealed to the court system. payload: of a valid `open`, validated. fault: why its content cannot be applied."""

    envelope: Envelope
    parsed: Parsed
    matter: MatterType | None
    data: dict[str, Any] = field(default_factory=dict)
    payload: Any = None
    sealed_to: str | None = None
    fault: RejectedError | None = None


@dataclass(slots=True)
class ArrivedOutside:
    """A verified message outside any request."""

    envelope: OutsideEnvelope
    parsed: Parsed


def body_digest(body: bytes) -> str:
    """SHA-256 of bytes as they came, hex."""
    return hashlib.sha256(body).hexdigest()


class Reader:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def read(
        self, body: bytes, *, owner: str, user_id: str | None, content_type: str | None, now: datetime
    ) -> Arrived | ArrivedOutside:
        """Bytes off `owner`'s queue → a verified message. Raises RejectedError when they are not its own."""
        ctx = self._ctx
        if len(body) > ctx.limits.message_bytes:
            raise RejectedError("too-large")
        if user_id != (ctx.participant(owner).broker_user or owner):
            raise RejectedError("sender-mismatch", pointer="/user_id")
        if content_type != CONTENT_TYPE:
            raise RejectedError("bad-content-type", pointer="/content_type")
        sure = ctx.clocks.sure(now)
        authentic = policy.authenticate(body, sender=owner, keyring=ctx.keyring, now=now, limits=ctx.limits, sure=sure)
        envelope = policy.examine(authentic, receivers=ctx.directory.local)
        if isinstance(envelope, OutsideEnvelope):
            return ArrivedOutside(envelope, authentic.parsed)
        if _expired(envelope, sure):
            arrived = Arrived(envelope, authentic.parsed, ctx.catalogue.get(envelope.matter_type))
            arrived.fault = RejectedError("expired", pointer="/expires")
            return arrived
        return await self.content(envelope, authentic.parsed)

    async def again(self, jws: str, disclosure: str, *, applied: bool = True) -> Arrived:
        """A stored message, verified when it arrived, read once more. applied: its content was accepted then."""
        parsed = parse(f"{jws}~{disclosure}~".encode(), self._ctx.limits)
        return await self.content(Envelope.model_validate(parsed.event), parsed, stored=applied)

    async def held(self, message: Message) -> Arrived:
        """An early message whose turn has come; its validity is judged at its first arrival."""
        arrived = await self.again(message.jws, message.disclosure or "", applied=False)
        if _expired(arrived.envelope, message.stored_at):
            arrived.fault = RejectedError("expired", pointer="/expires")
        return arrived

    async def content(self, envelope: Envelope, parsed: Parsed, *, stored: bool = False) -> Arrived:
        """Opens, translates and validates; what is wrong with it stands in `fault`. stored: it was accepted before."""
        arrived = Arrived(envelope, parsed, self._ctx.catalogue.get(envelope.matter_type))
        try:
            arrived.data = await self._canonical(arrived, stored)
        except RejectedError as error:
            arrived.fault = error
        except AdapterError as error:
            told = FieldError(pointer=error.pointer, rule=error.rule, detail=error.zh, detail_en=error.en)
            arrived.fault = RejectedError("invalid-field", [told])
        except InvalidError as error:
            arrived.fault = in_its_words(self._ctx, envelope, RejectedError("invalid-field", error.errors))
        return arrived

    async def _canonical(self, arrived: Arrived, stored: bool) -> dict[str, Any]:
        envelope, matter, parsed = arrived.envelope, arrived.matter, arrived.parsed
        verb = envelope.verb
        if matter is None:
            raise RejectedError("unknown-type", pointer="/type")
        if verb not in replies.VERBS:
            raise RejectedError("unknown-verb", pointer="/type")
        if told := unlawful_answer(matter, verb, pointer="/type"):
            raise RejectedError("answer-not-lawful", [told])
        if envelope.schema_version != matter.version:
            raise RejectedError("wrong-version", pointer="/dataschema")
        head = (parsed.event["data"].get("head") or {}) if isinstance(parsed.event.get("data"), dict) else {}
        classification = matter.classification(verb)
        location = verb in ("result", "correct") and classification is Classification.LOCATION
        sender = self._ctx.participant(envelope.sender)
        partner = sender if sender.code != self._ctx.home.code else self._ctx.participant(envelope.receiver)
        if envelope.dialect != (CANONICAL if location else partner.dialect):
            raise RejectedError("bad-dialect", pointer="/dataschema")
        if classification.sealed != (parsed.content_kind == "sealed"):
            raise RejectedError("not-sealed" if classification.sealed else "must-not-be-sealed", pointer="/data/_sd")
        if location:
            arrived.sealed_to = recipient_of(parsed.content)
            codes = replies.join(verb, _allowed(verb, head), {})
            check_location_codes(verb, codes, "/data/head", said_at=parse_timestamp(envelope.time))
            return codes
        words = self._open(envelope, parsed)
        adapter = self._ctx.adapter(envelope.dialect)
        body = words if adapter is None else await adapter.decode(envelope.matter_type, verb, words)
        try:
            data = replies.join(verb, _allowed(verb, head), body)
        except ValueError as error:
            raise RejectedError("bad-envelope", pointer="/data/head") from error
        said_at = None if stored else parse_timestamp(envelope.time)
        model = parse_data(matter, verb, data, today=self._ctx.today(), said_at=said_at, stored=stored)
        if isinstance(model, Opening):
            arrived.payload = model.payload
        return model.canonical()

    def _open(self, envelope: Envelope, parsed: Parsed) -> dict[str, Any]:
        if parsed.content_kind == "body":
            return dict(parsed.content)
        return unseal(parsed.content, request_no=envelope.subject, message_id=envelope.id, keyring=self._ctx.keyring)


def in_its_words(context: Context, envelope: Envelope, error: RejectedError) -> RejectedError:
    """The same refusal of a message's content, with the sender's own field names: what its canonical pointers name
    stands in the head of the envelope, or somewhere in a body of the sender's dialect."""
    adapter, verb = context.adapter(envelope.dialect), envelope.verb

    def moved(pointer: str) -> str:
        if pointer.split("/")[1:2] and pointer.split("/")[1] in replies.VERBS[verb].head:
            return f"/data/head{pointer}"
        return pointer if adapter is None else adapter.pointer(envelope.matter_type, verb, pointer)

    return RejectedError(error.code, [e.model_copy(update={"pointer": moved(e.pointer)}) for e in error.errors])


class _ResultCodes(Model):
    outcome: Literal["done", "partial", "none", "impossible"]
    as_of: PastMoment
    ttl_hours: Annotated[int, Field(ge=1, le=72)]


class _CorrectCodes(_ResultCodes):
    supersedes: MessageId


def check_location_codes(verb: str, codes: dict[str, Any], pointer: str, *, said_at: datetime) -> None:
    """A location result is decided on by its codes alone, so each must be there. Raises InvalidError."""
    validate(_CorrectCodes if verb == "correct" else _ResultCodes, codes, base_pointer=pointer, said_at=said_at)


def _expired(envelope: Envelope, arrival: datetime) -> bool:
    return envelope.expires is not None and envelope.expires < timestamp(arrival)


def _allowed(verb: str, head: dict[str, Any]) -> dict[str, Any]:
    """Only the codes that this verb may carry in clear. Raises RejectedError bad-envelope."""
    for member in head:
        if member != "refs" and member not in replies.VERBS[verb].head:
            raise RejectedError("bad-envelope", pointer=f"/data/head/{member}")
    return head
