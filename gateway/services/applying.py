"""Applies verified messages of partners to requests, in order, inside one unit of work (docs/design.md 3.2 Order).

The rules, in the order in which `Unit.apply` follows them:
1. A known (sender, id) with the same digest changes nothing; its stored answer is published again. With another
   digest it is an alarm: `id-reused`.
2. A message must belong to its request: the same parties and type, else `misdirected`.
3. A number behind its turn is `sequence-reused`, unless a withdrawal overtook it: then it is kept, never acted on.
4. One ahead of its turn is held. Only `withdraw` overtakes: what is missing before it will never be acted on, and
   what waited before it neither. A withdrawal that cannot be applied overtakes nothing and waits for its turn.
5. In its turn, a message must answer one of ours by id and digest, name the case that we named, and only our refs.
6. The state machine decides. What it refuses goes to quarantine and has used up its number.
7. What was held is applied as soon as its turn comes; what is refused only then goes to quarantine like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.lifecycle import Decision
from gateway.core.records import Message, Request, Side, Timer
from gateway.errors import RejectedError
from gateway.services.admitting import first_contact
from gateway.services.carry import GAP
from gateway.services.conversation import Conversation, advance, last_seqno
from gateway.services.ports import KnownMessage
from gateway.services.reading import Arrived, Reader
from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a verified message goes to quarantine. next_seqno: the number that its request waits for. held: the
    message, when it is not the one at hand but one that had waited for its turn."""

    error: RejectedError
    request_no: str | None
    next_seqno: int | None = None
    held: Message | None = None


class Unit:
    """The messages of one unit of work, one after another."""

    def __init__(self, talk: Conversation, reader: Reader) -> None:
        self._talk = talk
        self._reader = reader

    async def apply(self, arrived: Arrived) -> list[Refusal]:
        """Nothing when the message was applied, held, kept or a duplicate, and what it let go on was applied."""
        talk, envelope = self._talk, arrived.envelope
        known = talk.known.get((envelope.sender, envelope.id))
        if known is not None:
            return self._again(arrived, known)
        request = talk.requests.get(envelope.subject)
        if request is None:
            return await self._first(arrived)
        if not _belongs(request, envelope):
            return [Refusal(RejectedError("misdirected", pointer="/subject"), request.request_no)]
        by = request.side(envelope.sender)
        last = last_seqno(request, by)
        if envelope.seqno <= last:
            return await self._behind(request, arrived, by)
        if envelope.seqno > last + 1:
            return await self._ahead(request, arrived, by)
        refusals = await self._in_turn(request, arrived, by)
        return refusals + await self._drain(request, envelope.sender, by)

    def _again(self, arrived: Arrived, known: KnownMessage) -> list[Refusal]:
        envelope = arrived.envelope
        if known.digest != arrived.parsed.digest:
            return [Refusal(RejectedError("id-reused", pointer="/id"), known.request_no)]
        if known.answer_id is not None:
            self._talk.changes.outbox_again.append((envelope.receiver, known.answer_id))
        return []

    async def _first(self, arrived: Arrived) -> list[Refusal]:
        """A request that we do not have. When its `open` is refused, what waited for it is refused too."""
        talk, envelope = self._talk, arrived.envelope
        error = await first_contact(talk, arrived)
        request = talk.requests.get(envelope.subject)
        if request is not None:
            request.held = len(await talk.waiting(envelope.subject, envelope.sender, request.asker_seq))
            return await self._drain(request, envelope.sender, "asker")
        if error is None:
            return []
        refusals = [Refusal(error, envelope.subject)]
        if envelope.verb == "open" and error.code != "sequence-reused":
            for message in await talk.waiting(envelope.subject, envelope.sender, 0):
                talk.dispose(message, "quarantined")
                unknown = RejectedError("unknown-request", pointer="/subject")
                refusals.append(Refusal(unknown, envelope.subject, held=message))
            talk.changes.clear_timer(envelope.subject, f"{GAP}asker")
        return refusals

    async def _behind(self, request: Request, arrived: Arrived, by: Side) -> list[Refusal]:
        envelope = arrived.envelope
        owner = await self._talk.owner(request.request_no, envelope.sender, envelope.seqno)
        if owner is None and envelope.seqno < request.facts.get("withdraw_seq", 0):
            message = self._talk.store(arrived, "overtaken")
            self._talk.tell(request, "overtaken", message)
            return []
        return [_reused(request, by)]

    async def _ahead(self, request: Request, arrived: Arrived, by: Side) -> list[Refusal]:
        talk, envelope = self._talk, arrived.envelope
        if await talk.owner(request.request_no, envelope.sender, envelope.seqno) is not None:
            return [_reused(request, by)]
        if envelope.verb == "withdraw" and by == "asker":
            try:
                decision = talk.judge(request, arrived, by, overtaking=True)
            except RejectedError:
                return self._hold(request, arrived, by)
            return await self._overtake(request, arrived, decision)
        return self._hold(request, arrived, by)

    async def _overtake(self, request: Request, arrived: Arrived, decision: Decision) -> list[Refusal]:
        talk, envelope = self._talk, arrived.envelope
        for early in await talk.waiting(request.request_no, envelope.sender, last_seqno(request, "asker")):
            if early.seqno is not None and early.seqno < envelope.seqno:
                talk.dispose(early, "overtaken")
                talk.tell(request, "overtaken", early)
                request.held -= 1
        self._mind_the_gap(request, "asker")
        advance(request, "asker", envelope.seqno)
        await talk.carry(request, arrived, decision, talk.store(arrived, "applied"))
        request.facts["withdraw_seq"] = envelope.seqno
        return await self._drain(request, envelope.sender, "asker")

    def _hold(self, request: Request, arrived: Arrived, by: Side) -> list[Refusal]:
        talk = self._talk
        message = talk.store(arrived, "held")
        request.held += 1
        if request.held == 1:
            self._mind_the_gap(request, by)
        talk.touch(request)
        talk.tell(request, "held", message)
        return []

    async def _in_turn(self, request: Request, arrived: Arrived, by: Side) -> list[Refusal]:
        """The number is used up whatever comes of it."""
        talk, envelope = self._talk, arrived.envelope
        advance(request, by, envelope.seqno)
        talk.touch(request)
        try:
            decision = talk.judge(request, arrived, by)
        except RejectedError as error:
            talk.store(arrived, "quarantined")
            return [Refusal(error, request.request_no, envelope.seqno + 1)]
        await talk.carry(request, arrived, decision, talk.store(arrived, "applied"))
        return []

    async def _drain(self, request: Request, sender: str, by: Side) -> list[Refusal]:
        """Rule 7. What still waits then, waits for another number than before."""
        talk = self._talk
        if not request.held:
            return []
        refusals: list[Refusal] = []
        for message in await talk.waiting(request.request_no, sender, last_seqno(request, by)):
            if message.seqno != last_seqno(request, by) + 1:
                break
            request.held -= 1
            refusals += await self._turn_of(request, message, by)
        self._mind_the_gap(request, by)
        return refusals

    async def _turn_of(self, request: Request, message: Message, by: Side) -> list[Refusal]:
        talk = self._talk
        arrived = await self._reader.held(message)
        advance(request, by, message.seqno or 0)
        talk.touch(request)
        try:
            decision = talk.judge(request, arrived, by)
        except RejectedError as error:
            talk.dispose(message, "quarantined")
            return [Refusal(error, request.request_no, last_seqno(request, by) + 1, message)]
        talk.dispose(message, "applied")
        await talk.carry(request, arrived, decision, message)
        return []

    def _mind_the_gap(self, request: Request, by: Side) -> None:
        """From now on, if anything waits."""
        changes, kind = self._talk.changes, GAP + by
        if request.held:
            due = self._talk.now + self._talk.context.settings.gap_after
            changes.set_timer(Timer(request.request_no, kind, due))
        else:
            changes.clear_timer(request.request_no, kind)


def _reused(request: Request, by: Side) -> Refusal:
    error = RejectedError("sequence-reused", pointer="/seqno")
    return Refusal(error, request.request_no, last_seqno(request, by) + 1)


def _belongs(request: Request, envelope: Envelope) -> bool:
    parties = {request.asker, request.asked}
    same_parties = {envelope.sender, envelope.receiver} == parties
    return same_parties and envelope.matter_type == request.type
