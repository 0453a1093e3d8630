"""The requests of one unit of work: stores a partner's message, decides it, applies it, and answers at once where the
answer is the gateway's.

Shared by the ordering rules (`apply_messages`) and by partners' openings (`partner_open`); knows neither order nor
admission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.apply_verb import apply_verb, keep_for_its_time
from gateway.application.conversation.compose import Composer, opened_case
from gateway.application.conversation.read_message import Arrived, body_digest, in_its_words
from gateway.application.ports.conversations import KnownMessage
from gateway.application.ports.store import Transaction
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Disposition, Held, Message, Naming, Request, Side
from gateway.core.requests.lifecycle import Decision, Step, decide
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import parse_timestamp
from lianzhi.protocol.ordering import check_origin
from lianzhi.protocol.tracing import parse_traceparent
from schemas.answers import before_request, undone
from schemas.catalogue import MatterType
from schemas.validation import documents_of, refs_of

SYSTEM = "lianzhi"


class Conversation(UnitOfWork):
    """requests: the locked rows; known: what the dedup look-up found. Call `finish` once, before `apply`."""

    def __init__(
        self,
        context: Context,
        composer: Composer,
        tx: Transaction,
        requests: dict[str, Request],
        known: dict[tuple[str, str], KnownMessage],
        changes: Changes,
        now: datetime,
    ) -> None:
        super().__init__(context, tx, changes, now)
        self.requests, self.known = requests, known
        self._composer = composer
        self._touched: dict[str, Request] = {}
        self._new: dict[str, Request] = {}
        self._held_now: dict[tuple[str, str, int], tuple[Held, Message]] = {}
        self._ended: set[tuple[str, str, int]] = set()
        self._totals: dict[str, tuple[int, int]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._numbers: dict[tuple[str, str, int], str] = {}

    def finish(self) -> None:
        """Every touched row once: new ones are inserted, the others updated."""
        self.changes.new_requests += self._new.values()
        self.changes.requests += [r for no, r in self._touched.items() if no not in self._new]

    def touch(self, request: Request) -> None:
        self._touched[request.request_no] = request

    def begin(self, arrived: Arrived, matter: MatterType, state: str) -> Request:
        """A new row for a request that a partner opens."""
        envelope = arrived.envelope
        urgency = arrived.data.get("request", {}).get("urgency", "normal")
        request = Request(
            request_no=envelope.subject,
            type=matter.name,
            version=matter.version,
            shape=matter.shape.value,
            state=state,
            asker=envelope.sender,
            asked=envelope.receiver,
            created_at=self.now,
            updated_at=self.now,
            case_no=envelope.caseno,
            lane="urgent" if matter.urgent("open", urgency) else "normal",
            group_no=envelope.groupno,
            related=envelope.related,
            reply_key=envelope.replykey,
        )
        request.facts["caseno"] = envelope.caseno is not None
        if self.context.tracer is not None and (trace := parse_traceparent(envelope.traceparent)) is not None:
            request.facts["trace"] = str(trace)
        self.requests[request.request_no] = self._new[request.request_no] = request
        return request

    def store(self, arrived: Arrived, disposition: Disposition) -> Message:
        """Their bytes, as received."""
        envelope = arrived.envelope
        message = Message(
            sender=envelope.sender,
            id=envelope.id,
            request_no=envelope.subject,
            receiver=envelope.receiver,
            verb=envelope.verb,
            seqno=envelope.seqno,
            digest=arrived.parsed.digest,
            jws=arrived.parsed.jws,
            disclosure=arrived.parsed.disclosure,
            disposition=disposition,
            time=parse_timestamp(envelope.time),
            stored_at=self.now,
        )
        self.changes.messages.append(message)
        if arrived.matter is not None:
            keep_for_its_time(arrived.matter, message, head_of(arrived), self.changes)
        self._numbers[envelope.subject, envelope.sender, envelope.seqno] = envelope.id
        self.known[(message.sender, message.id)] = KnownMessage(
            message.digest, disposition, None, message.request_no, message.receiver
        )
        return message

    def hold(self, arrived: Arrived) -> Message:
        """It came ahead of its turn and waits; that there is room for it, `ahead_of_turn` says."""
        message, raw = self.store(arrived, "held"), arrived.parsed.raw
        held = Held(
            sender=message.sender,
            request_no=arrived.envelope.subject,
            seqno=arrived.envelope.seqno,
            message_id=message.id,
            verb=message.verb,
            digest=message.digest,
            body_sha256=body_digest(raw),
            size=len(raw),
        )
        self.changes.held.append(held)
        self._held_now[_place(held)] = held, message
        self._count(held, 1)
        return message

    async def held_at(self, request_no: str, sender: str, seqno: int) -> Held | None:
        """What waits under exactly this number."""
        place = (sender, request_no, seqno)
        if place in self._held_now:
            return self._held_now[place][0]
        return None if place in self._ended else await self.tx.held_at(request_no, sender, seqno)

    async def held_after(self, request_no: str, sender: str, seqno: int) -> list[Held]:
        """What waits behind `seqno`, by number, that of this very unit included; never its bytes."""
        stored = [h for h in await self.tx.held_after(request_no, sender, seqno) if _place(h) not in self._ended]
        fresh = [h for h, _ in self._held_now.values() if (h.request_no, h.sender) == (request_no, sender)]
        return sorted([*stored, *(h for h in fresh if h.seqno > seqno)], key=lambda h: h.seqno)

    async def held_count(self, request_no: str, sender: str) -> int:
        key = (request_no, sender)
        if key not in self._counts:
            fresh = sum((s, no) == (sender, request_no) for s, no, _ in self._held_now)
            gone = sum((s, no) == (sender, request_no) for s, no, _ in self._ended)
            self._counts[key] = await self.tx.held_count(request_no, sender) + fresh - gone
        return self._counts[key]

    async def held_totals(self, sender: str) -> tuple[int, int]:
        """(messages, bytes) of that sender that wait, in all requests. What this unit has let go on by now is counted
        only once this was asked: too many rather than too few."""
        if sender not in self._totals:
            count, size = await self.tx.held_totals(sender)
            fresh = [h for h, _ in self._held_now.values() if h.sender == sender]
            self._totals[sender] = count + len(fresh), size + sum(h.size for h in fresh)
        return self._totals[sender]

    async def bytes_of(self, held: Held) -> Message:
        """The message itself: its turn has come."""
        fresh = self._held_now.get(_place(held))
        message = fresh[1] if fresh else await self.tx.message(held.sender, held.message_id)
        assert message is not None, "what waits is stored"
        return message

    async def start_of(self, held: Held, size: int) -> bytes:
        """Its first bytes, for the quarantine."""
        fresh = self._held_now.get(_place(held))
        if fresh is not None:
            return f"{fresh[1].jws}~{fresh[1].disclosure or ''}~".encode()[:size]
        return await self.tx.message_start(held.sender, held.message_id, size)

    def end_wait(self, held: Held, disposition: Disposition) -> None:
        """What waited has found its end."""
        place = _place(held)
        fresh = self._held_now.pop(place, None)
        if fresh is None:
            self._ended.add(place)
            self.changes.dispositions.append((held.sender, held.message_id, disposition))
            self.changes.held_over.append(place)
        else:
            self.changes.held.remove(held)
            fresh[1].disposition = disposition
        self._count(held, -1)

    def _count(self, held: Held, by: int) -> None:
        key = (held.request_no, held.sender)
        if key in self._counts:
            self._counts[key] += by
        if held.sender in self._totals:
            count, size = self._totals[held.sender]
            self._totals[held.sender] = count + by, size + by * held.size

    async def owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        """The id of the message that used up this number."""
        return self._numbers.get((request_no, sender, seqno)) or await self.tx.seqno_owner(request_no, sender, seqno)

    def judge(self, request: Request, arrived: Arrived, by: Side, *, overtaking: bool = False) -> Decision:
        """Rules 5 and 6 of `apply_messages`. overtaking: what it names may be among the messages that it has overtaken.
        Raises RejectedError."""
        if arrived.fault is not None:
            raise arrived.fault
        envelope = arrived.envelope
        if not overtaking or any(envelope.causationid == known for known, _ in request.marks.values()):
            check_origin(request.marks, envelope.verb, by, envelope.causationid, envelope.originhash)
        carried = {opened_case(request), request.case_no} if request.facts.get("caseno") else {None}
        if envelope.caseno not in carried:
            raise RejectedError("misdirected", pointer="/caseno")
        if not set(head_of(arrived).get("refs") or ()) | set(refs_of(arrived.data)) <= set(request.refs):
            raise RejectedError("unknown-ref", pointer="/data/head/refs")
        asked_on = request.facts.get("asked_on")
        if arrived.sealed_to is not None and arrived.sealed_to != request.reply_key:
            raise RejectedError("cannot-open", pointer="/data/_sd")
        if lacking := undone(request.facts.get("done_states", ()), arrived.data):
            raise in_its_words(self.context, envelope, RejectedError("invalid-field", lacking))
        if wrong := before_request(self.context.catalogue[request.type], envelope.verb, arrived.data, asked_on):
            raise in_its_words(self.context, envelope, RejectedError("invalid-field", wrong))
        step = Step(
            envelope.verb,
            by,
            self.now,
            message_id=envelope.id,
            digest=arrived.parsed.digest,
            origin=envelope.causationid,
            data=arrived.data,
            attempted=True,
        )
        try:
            return decide(request, step)
        except RejectedError as error:
            raise error if error.pointer == "/type" else in_its_words(self.context, envelope, error) from None

    async def carry(self, request: Request, arrived: Arrived, decision: Decision, message: Message) -> None:
        """State, events, timers, measures, and the `delivered` that a supplement is owed."""
        self.touch(request)
        self.name_documents(request, arrived)
        await apply_verb(
            self,
            request,
            message.verb,
            decision,
            by=request.side(message.sender),
            data=arrived.data,
            said_at=message.time,
            message=message,
            head=head_of(arrived),
        )
        if message.verb == "supplement":
            await self.deliver(request, message)

    async def deliver(self, request: Request, message: Message) -> None:
        """We sign `delivered` for a party of ours: its gateway has stored the message (docs/contracts.md 3.2)."""
        stored_at = self.now.astimezone(SHANGHAI).isoformat(timespec="seconds")
        data = {"stored_at": stored_at, "system": SYSTEM}
        decision = decide(request, Step("delivered", "asked", self.now, origin=message.id, data=data))
        request.facts = decision.facts
        answer = await self.answer(request, message, "delivered", data)
        settled = replace(decision, facts=request.facts, marks=request.marks)
        carry_out(self.context, request, settled, self.changes, self.now, message=answer)

    async def answer(self, request: Request, message: Message, verb: str, data: Mapping[str, Any]) -> Message:
        """Composes `verb` for the asked side and keeps it as the stored answer to `message`."""
        composed = await self._composer.say(request, sender=request.asked, verb=verb, data=data, now=self.now)
        self.touch(request)
        self.changes.messages.append(composed.message)
        if composed.outbox is not None:
            self.changes.outbox.append(composed.outbox)
        self.changes.answers.append((message.sender, message.id, composed.message.id))
        return composed.message

    def name_documents(self, request: Request, arrived: Arrived) -> None:
        """Both parties of a request may read what a message of one that could read it names (docs/adr/0025)."""
        sender, other = arrived.envelope.sender, arrived.envelope.receiver
        self.changes.documents_named += [
            Naming(request.request_no, digest, sender, other) for digest in documents_of(arrived.data)
        ]


def _place(held: Held) -> tuple[str, str, int]:
    return held.sender, held.request_no, held.seqno


def head_of(arrived: Arrived) -> Mapping[str, Any]:
    """The codes in clear; checked already."""
    return arrived.parsed.event["data"].get("head") or {}


def last_seqno(request: Request, by: Side) -> int:
    return request.asker_seq if by == "asker" else request.asked_seq


def advance(request: Request, by: Side, seqno: int) -> None:
    if by == "asker":
        request.asker_seq = seqno
    else:
        request.asked_seq = seqno
