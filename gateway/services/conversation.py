"""One unit of work's hold on its requests: store a message of theirs, judge it, carry it out, answer at once.

Shared by the ordering rules (`applying`) and by partners' openings (`admitting`); knows neither order nor admission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.approvals import SHANGHAI
from gateway.core.lifecycle import Decision, Step, decide
from gateway.core.origins import check_origin
from gateway.core.records import Changes, Disposition, Message, Request, Side
from gateway.errors import RejectedError
from gateway.services.booking import book_answer
from gateway.services.carry import carry_out
from gateway.services.compose import Composer, opened_case
from gateway.services.context import Context
from gateway.services.destroying import keep_for_its_time
from gateway.services.feed import request_events
from gateway.services.ports import KnownMessage, Transaction
from gateway.services.reading import Arrived
from gateway.services.settling import settle_measures
from schemas.catalogue import MatterType
from schemas.envelope import parse_timestamp
from schemas.validation import documents_of, refs_of

SYSTEM = "lianzhi"


class Conversation:
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
        self.context, self.tx, self.changes, self.now = context, tx, changes, now
        self.requests, self.known = requests, known
        self._composer = composer
        self._touched: dict[str, Request] = {}
        self._new: dict[str, Request] = {}
        self._held_now: list[Message] = []
        self._disposed: set[tuple[str, str]] = set()
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
        if disposition == "held":
            self._held_now.append(message)
        self.known[(message.sender, message.id)] = KnownMessage(message.digest, disposition, None, message.request_no)
        return message

    async def waiting(self, request_no: str, sender: str, after: int) -> list[Message]:
        """Early messages behind `after`, by number, those of this very unit included."""
        stored = await self.tx.held(request_no, sender)
        mine = [m for m in self._held_now if m.request_no == request_no and m.sender == sender]
        found = [m for m in stored + mine if m.disposition == "held" and (m.sender, m.id) not in self._disposed]
        return sorted((m for m in found if (m.seqno or 0) > after), key=lambda m: m.seqno or 0)

    def dispose(self, message: Message, disposition: Disposition) -> None:
        """A held message has found its end."""
        message.disposition = disposition
        self._disposed.add((message.sender, message.id))
        if message not in self._held_now:
            self.changes.dispositions.append((message.sender, message.id, disposition))

    async def owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        """The id of the message that used up this number."""
        return self._numbers.get((request_no, sender, seqno)) or await self.tx.seqno_owner(request_no, sender, seqno)

    def judge(self, request: Request, arrived: Arrived, by: Side, *, overtaking: bool = False) -> Decision:
        """Rules 5 and 6 of `applying`. overtaking: what it names may be among the messages that it has overtaken.
        Raises RejectedError."""
        if arrived.fault is not None:
            raise arrived.fault
        envelope = arrived.envelope
        if not overtaking or any(envelope.causationid == known for known, _ in request.marks.values()):
            check_origin(request, envelope.verb, by, envelope.causationid, envelope.originhash)
        carried = {opened_case(request), request.case_no} if request.facts.get("caseno") else {None}
        if envelope.caseno not in carried:
            raise RejectedError("misdirected", pointer="/caseno")
        if not set(head_of(arrived).get("refs") or ()) | set(refs_of(arrived.data)) <= set(request.refs):
            raise RejectedError("unknown-ref", pointer="/data/head/refs")
        if arrived.sealed_to is not None and arrived.sealed_to != request.reply_key:
            raise RejectedError("cannot-open", pointer="/data/_sd")
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
        return decide(request, step)

    async def carry(self, request: Request, arrived: Arrived, decision: Decision, message: Message) -> None:
        """State, events, timers, measures, and the `delivered` that a supplement is owed."""
        self.touch(request)
        self.name_documents(request, arrived.data)
        carry_out(self.context, request, decision, self.changes, self.now, message=message, head=head_of(arrived))
        await settle_measures(self.context, self.tx, request, arrived.data, self.changes, self.now)
        book_answer(self.context, request, message.verb, arrived.data, self.changes, self.now)
        if message.verb == "supplement":
            await self.deliver(request, message)

    async def deliver(self, request: Request, message: Message) -> None:
        """We sign `delivered` for a party of ours: its gateway has stored the message (docs/design.md 3.2)."""
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

    def name_documents(self, request: Request, data: Mapping[str, Any]) -> None:
        """Both parties of a request may read the documents that its messages name (docs/design.md 3.3)."""
        self.changes.document_refs += [(request.request_no, digest) for digest in documents_of(data)]

    def tell(self, request: Request, kind: str, message: Message | None = None, detail: str | None = None) -> None:
        """An event of this request."""
        self.changes.events += request_events(self.context, request, kind, self.now, message=message, detail=detail)


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
