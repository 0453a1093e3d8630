"""Composes a message of ours: translate, seal, number, sign. The bytes are stored, never made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.contract import Adapter, AdapterError, Canonical
from gateway.application.context import Context, new_id
from gateway.application.traces import making, tell_made
from gateway.core.records import Message, OutboxRow, Request
from gateway.core.routing import Participant, routing_key
from gateway.core.time.clocks import expiry
from lianzhi.crypto.keyring import PublicKey
from lianzhi.crypto.sdjwt import issue
from lianzhi.crypto.seal import seal
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import CANONICAL, dataschema, envelope_members, timestamp
from lianzhi.protocol.ordering import marked, origin_for
from lianzhi.protocol.tracing import TRACEPARENT, TraceContext
from schemas.catalogue import MatterType
from schemas.validation import refs_of


@dataclass(frozen=True, slots=True)
class Composed:
    """A signed message and, where a queue takes it, its outbox row. head: the codes in clear."""

    message: Message
    outbox: OutboxRow | None
    head: dict[str, Any]


class Composer:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._case_shown: dict[tuple[str, str], bool] = {}

    async def say(
        self,
        request: Request,
        *,
        sender: str,
        verb: str,
        data: Mapping[str, Any],
        now: datetime,
        submissionhash: str | None = None,
        sealed: str | None = None,
        message_id: str | None = None,
        cause: TraceContext | None = None,
    ) -> Composed:
        """`sender` (one that we sign for) says `verb` in `request`; its counter and marks in `request` move on.

        sealed: a JWE that the sender made itself (a location result); then `data` holds only head members.
        cause: the POST that says it, where calls are traced.
        Raises RejectedError invalid-field when a value has no word in the dialect, not-now without an origin.
        """
        ctx, matter = self._ctx, self._ctx.catalogue[request.type]
        made = None if ctx.tracer is None else making(ctx.tracer, request)
        by = request.side(sender)
        receiver = ctx.participant(request.other(sender))
        refs = request.refs if verb == "open" else refs_of(data)
        head, body = replies.split(verb, data, refs or None)
        dialect, words = await self._translate(request, matter, verb, body)
        origin = None if verb == "open" else origin_for(request.marks, verb, by)
        if origin is None and verb != "open":
            raise RejectedError("not-now", pointer="/verb")
        number = (request.asker_seq if by == "asker" else request.asked_seq) + 1
        message_id = message_id or new_id()
        event = envelope_members(
            {
                "specversion": "1.0",
                "id": message_id,
                "source": f"//{sender}",
                "receiver": receiver.code,
                "type": f"lianzhi.{request.type}.{verb}",
                "subject": request.request_no,
                "time": timestamp(now),
                "expires": _expires(matter, verb, request, now),
                "dataschema": dataschema(dialect, request.type, verb, request.version),
                "datacontenttype": "application/json",
                "seqno": number,
                "causationid": origin[0] if origin else None,
                "originhash": origin[1] if origin else None,
                "caseno": opened_case(request) if request.facts.get("caseno") else None,
                "related": request.related if verb == "open" else None,
                "groupno": request.group_no if verb == "open" else None,
                "submissionhash": submissionhash,
                "replykey": request.reply_key if verb == "open" else None,
                "data": {"head": head} if head else {},
            }
        )
        if made is not None:
            event[TRACEPARENT] = str(made.context)
        key = ctx.keyring.signing_key(sender, at=now, alg=receiver.jws_alg)
        if sealed is not None:
            signed = issue(event, "sealed", sealed, key)
        elif matter.classification(verb).sealed:
            target = self._sealing_key(request, receiver, verb, now)
            jwe = seal(words, request_no=request.request_no, message_id=message_id, key=target)
            signed = issue(event, "sealed", jwe, key)
        else:
            signed = issue(event, "body", words, key)
        if by == "asker":
            request.asker_seq = number
        else:
            request.asked_seq = number
        request.marks = marked(request.marks, verb, [message_id, signed.digest])
        message = Message(
            sender=sender,
            id=message_id,
            request_no=request.request_no,
            receiver=receiver.code,
            verb=verb,
            seqno=number,
            digest=signed.digest,
            jws=signed.jws,
            disclosure=signed.disclosure,
            disposition="sent",
            time=now,
            stored_at=now,
        )
        if made is not None:
            tell_made(made, request, message, cause)
        lane = "urgent" if request.lane == "urgent" or matter.urgent(verb, "normal") else "normal"
        return Composed(message, self._row(receiver, message, request.type, verb, lane), head)

    def _sealing_key(self, request: Request, receiver: Participant, verb: str, now: datetime) -> PublicKey:
        """The key that the `open` named for its result; where that is no longer in force, the receiver's own today."""
        named = request.reply_key if verb in ("result", "correct") else None
        for key in self._ctx.keyring.public_keys(receiver.code):
            if key.kid == named and key.valid_at(now) and not key.revoked_by(now):
                return key
        return self._ctx.keyring.sealing_key(receiver.code, at=now)

    async def outside(
        self, receiver: Participant, kind: str, body: Mapping[str, Any], *, now: datetime, origin: str | None = None
    ) -> Composed:
        """A `gateway.notice`, `ping` or `pong` from the home court; belongs to no request."""
        ctx, message_id = self._ctx, new_id()
        event = envelope_members(
            {
                "specversion": "1.0",
                "id": message_id,
                "source": f"//{ctx.home.code}",
                "receiver": receiver.code,
                "type": kind,
                "time": timestamp(now),
                "datacontenttype": "application/json",
                "causationid": origin,
                "data": {},
            }
        )
        key = ctx.keyring.signing_key(ctx.home.code, at=now, alg=receiver.jws_alg)
        signed = issue(event, "body", body, key)
        verb = kind.rsplit(".", 1)[1]
        message = Message(
            sender=ctx.home.code,
            id=message_id,
            request_no=None,
            receiver=receiver.code,
            verb=verb,
            seqno=None,
            digest=signed.digest,
            jws=signed.jws,
            disclosure=signed.disclosure,
            disposition="sent",
            time=now,
            stored_at=now,
        )
        return Composed(message, self._row(receiver, message, "gateway", verb, "normal"), {})

    async def _translate(
        self, request: Request, matter: MatterType, verb: str, body: dict[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        if verb in ("result", "correct") and matter.result_class is Classification.LOCATION:
            return CANONICAL, body
        dialect = self._ctx.dialect(request)
        adapter = self._ctx.adapter(dialect)
        if adapter is None:
            return dialect, body
        canonical = Canonical(request.type, verb, body)
        try:
            if verb == "open" and request.case_no is not None:
                request.facts["caseno"] = self._shows_case(adapter, request.type)
            return dialect, await adapter.encode(canonical)
        except AdapterError as error:
            detail = FieldError(pointer=error.pointer, rule=error.rule, detail=error.zh, detail_en=error.en)
            raise RejectedError("invalid-field", [detail]) from error

    def _shows_case(self, adapter: Adapter, matter: str) -> bool:
        """Whether this partner may see the case number at all (docs/architecture.md 4 rule 5)."""
        key = (adapter.dialect, matter)
        if key not in self._case_shown:
            seen = adapter.visible(Canonical(matter, "open", {"request": {"case_no": "?"}}))
            self._case_shown[key] = "case_no" in seen.get("request", {})
        return self._case_shown[key]

    def _row(self, receiver: Participant, message: Message, matter: str, verb: str, lane: str) -> OutboxRow | None:
        if receiver.local:
            return None
        return OutboxRow(
            sender=message.sender,
            message_id=message.id,
            receiver=receiver.code,
            request_no=message.request_no,
            seqno=message.seqno,
            verb=verb,
            routing_key=routing_key(receiver.code, lane, matter, verb),
            overtakes=verb == "withdraw",
        )


def opened_case(request: Request) -> str | None:
    """The case number that binds the conversation: the one it was opened with, whatever its case is called by now."""
    opened: str | None = request.facts.get("opened_case_no", request.case_no)
    return opened


def _expires(matter: MatterType, verb: str, request: Request, now: datetime) -> str | None:
    if verb != "open" or matter.validity_days is None:
        return None
    return timestamp(expiry(matter.validity_days, request, now))
