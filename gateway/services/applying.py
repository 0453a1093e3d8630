"""Applies verified messages of partners to requests, in order, inside one unit of work (docs/design.md 3.2 Order).

The rules, in the order in which `Unit.apply` follows them:
1. A known (sender, id) with the same digest changes nothing; its stored answer is published again. With another
   digest it is an alarm: `id-reused`.
2. A message must belong to its request: the same parties and type, else `misdirected`.
3. `withdraw` overtakes; whatever comes later with a lower number is kept and never acted on.
4. A number behind its turn is `sequence-reused` (or overtaken, rule 3); one ahead of its turn is held.
5. In its turn, a message must answer one of ours by id and digest, name the case that we named, and only our refs.
6. The state machine decides. What it refuses goes to quarantine and has used up its number.
7. What was held is applied as soon as its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.records import Request, Side, Timer
from gateway.errors import RejectedError
from gateway.services.admitting import first_contact
from gateway.services.carry import GAP
from gateway.services.conversation import Conversation, advance, last_seqno
from gateway.services.ports import KnownMessage
from gateway.services.reading import Arrived, Reader
from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a verified message went to quarantine. next_seqno: the number that its request waits for."""

    error: RejectedError
    request_no: str | None
    next_seqno: int | None = None


class Unit:
    """The messages of one unit of work, one after another."""

    def __init__(self, talk: Conversation, reader: Reader) -> None:
        self._talk = talk
        self._reader = reader

    async def apply(self, arrived: Arrived) -> Refusal | None:
        """None when the message was applied, held, kept or a duplicate."""
        talk, envelope = self._talk, arrived.envelope
        known = talk.known.get((envelope.sender, envelope.id))
        if known is not None:
            return self._again(arrived, known)
        request = talk.requests.get(envelope.subject)
        if request is None:
            error = await first_contact(talk, arrived)
            opened = talk.requests.get(envelope.subject)
            if opened is not None and envelope.verb == "open":
                await self._drain(opened, envelope.sender, "asker")
            return Refusal(error, envelope.subject) if error else None
        if not _belongs(request, envelope):
            return Refusal(RejectedError("misdirected", pointer="/subject"), request.request_no)
        by = request.side(envelope.sender)
        last = last_seqno(request, by)
        if envelope.verb == "withdraw" and by == "asker" and envelope.seqno > last:
            return await self._overtake(request, arrived)
        if envelope.seqno <= last:
            return await self._behind(request, arrived, by)
        if envelope.seqno > last + 1:
            return await self._hold(request, arrived, by)
        refusal = await self._in_turn(request, arrived, by)
        if request.held:
            await self._drain(request, envelope.sender, by)
        return refusal

    def _again(self, arrived: Arrived, known: KnownMessage) -> Refusal | None:
        envelope = arrived.envelope
        if known.digest != arrived.parsed.digest:
            return Refusal(RejectedError("id-reused", pointer="/id"), known.request_no)
        if known.answer_id is not None:
            self._talk.changes.outbox_again.append((envelope.receiver, known.answer_id))
        return None

    async def _overtake(self, request: Request, arrived: Arrived) -> Refusal | None:
        talk, envelope = self._talk, arrived.envelope
        refusal = await self._in_turn(request, arrived, "asker")
        request.facts["withdraw_seq"] = envelope.seqno
        for early in await talk.waiting(request.request_no, envelope.sender, 0):
            talk.dispose(early, "overtaken")
        if request.held:
            request.held = 0
            talk.changes.timers_clear.append((request.request_no, f"{GAP}asker"))
        return refusal

    async def _behind(self, request: Request, arrived: Arrived, by: Side) -> Refusal | None:
        envelope = arrived.envelope
        owner = await self._talk.owner(request.request_no, envelope.sender, envelope.seqno)
        if owner is None and envelope.seqno < request.facts.get("withdraw_seq", 0):
            message = self._talk.store(arrived, "overtaken")
            self._talk.tell(request, "overtaken", message)
            return None
        error = RejectedError("sequence-reused", pointer="/seqno")
        return Refusal(error, request.request_no, last_seqno(request, by) + 1)

    async def _hold(self, request: Request, arrived: Arrived, by: Side) -> Refusal | None:
        talk, envelope = self._talk, arrived.envelope
        if await talk.owner(request.request_no, envelope.sender, envelope.seqno) is not None:
            error = RejectedError("sequence-reused", pointer="/seqno")
            return Refusal(error, request.request_no, last_seqno(request, by) + 1)
        message = talk.store(arrived, "held")
        request.held += 1
        talk.touch(request)
        due = talk.now + talk.context.settings.gap_after
        talk.changes.timers.append(Timer(request.request_no, GAP + by, due))
        talk.tell(request, "held", message)
        return None

    async def _in_turn(self, request: Request, arrived: Arrived, by: Side) -> Refusal | None:
        """The number is used up whatever comes of it."""
        talk, envelope = self._talk, arrived.envelope
        advance(request, by, envelope.seqno)
        talk.touch(request)
        try:
            decision = talk.judge(request, arrived, by)
        except RejectedError as error:
            talk.store(arrived, "quarantined")
            return Refusal(error, request.request_no, envelope.seqno + 1)
        await talk.carry(request, arrived, decision, talk.store(arrived, "applied"))
        return None

    async def _drain(self, request: Request, sender: str, by: Side) -> None:
        """Rule 7. What is refused only now is told by an event; its bytes stand in the request's messages."""
        talk = self._talk
        early = await talk.waiting(request.request_no, sender, last_seqno(request, by))
        left = len(early)
        for message in early:
            if message.seqno != last_seqno(request, by) + 1:
                break
            arrived = await self._reader.again(message.jws, message.disclosure or "")
            advance(request, by, message.seqno)
            talk.touch(request)
            left -= 1
            try:
                decision = talk.judge(request, arrived, by)
            except RejectedError as error:
                talk.dispose(message, "quarantined")
                talk.tell(request, "quarantined", message, detail=error.code)
                continue
            talk.dispose(message, "applied")
            await talk.carry(request, arrived, decision, message)
        request.held = left
        if early and not left:
            talk.changes.timers_clear.append((request.request_no, GAP + by))


def _belongs(request: Request, envelope: Envelope) -> bool:
    parties = {request.asker, request.asked}
    same_parties = {envelope.sender, envelope.receiver} == parties
    return same_parties and envelope.matter_type == request.type
