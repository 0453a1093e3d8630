"""Applies verified messages of partners to requests, in order, inside one unit of work (docs/contracts.md 3.2 Order).

The rules, in the order in which `Unit.apply` follows them:
1. A known (sender, id) with the same digest changes nothing; its stored answer is published again. With another
   digest it is an alarm: `id-reused`.
2. A message must belong to its request: the same parties and type, else `misdirected`.
3. A number behind its turn is `sequence-reused`, unless a withdrawal overtook it: then it is kept, never acted on.
4. One ahead of its turn is held, within bounds (`ahead_of_turn`): what is too much is `held-limit`, too far ahead is
   `seqno-too-far`. Only `withdraw` overtakes: what is missing before it will never be acted on, and what waited before
   it neither. A withdrawal that cannot be applied overtakes nothing and waits for its turn.
5. In its turn, a message must answer one of ours by id and digest, name the case that we named, and only our refs.
6. The state machine decides. What it refuses goes to quarantine and has used up its number.
7. What was held is applied as soon as its turn comes; what is refused only then goes to quarantine like any other.
8. After each, what we had said next before a restore and was kept is said again (`own_messages`).
A number is used up by the message that is stored under it: what rules 1 to 4 refuse uses up none (docs/adr/0021).
What rules 1, 3 and 4 say of a number stands in `lianzhi.protocol.ordering`: a partner goes by the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.application.conversation.apply_decision import GAP
from gateway.application.conversation.read_message import Arrived, Reader
from gateway.application.conversation.request_unit import Conversation, advance, last_seqno
from gateway.application.inbound.ahead_of_turn import no_room, too_far
from gateway.application.inbound.partner_open import first_contact
from gateway.application.ports.conversations import KnownMessage
from gateway.application.recovery.own_messages import go_on_with_what_is_kept
from gateway.core.records import Held, Request, Side, Timer
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import Envelope, opener_of
from lianzhi.protocol.ordering import Order, decide, refusal, repeated

BEYOND = "beyond"
"""Fact: side → the highest number that was refused for want of room and has not come again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a verified message goes to quarantine.

    request_no: of the request that it names. next_seqno: the number that we expect next from its sender in that
    request; None when the request is none of its own. numbered: it has used up its number, so this is told, whatever
    the same bytes were refused for before. held, start: the message and its first bytes, when it is not the one at
    hand but one that had waited for its turn.
    """

    error: RejectedError
    request_no: str | None
    next_seqno: int | None = None
    numbered: bool = False
    held: Held | None = None
    start: bytes = b""


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
            return await self._again(arrived, known)
        request = talk.requests.get(envelope.subject)
        if request is None:
            return await self._first(arrived)
        if not _belongs(request, envelope):
            error = RejectedError("misdirected", pointer="/subject")
            return [Refusal(error, request.request_no, await self._expected(envelope))]
        by = request.side(envelope.sender)
        expected = last_seqno(request, by) + 1
        # who has the number is looked up only out of turn: the number whose turn it is is free
        taken = envelope.seqno != expected and await self._is_taken(envelope)
        order = decide(
            envelope.seqno,
            expected,
            withdrawn=request.facts.get("withdraw_seq", 0) if by == "asker" else 0,
            taken=taken,
            withdraws=envelope.verb == "withdraw" and by == "asker",
            distance=talk.context.bounds.held_distance,
        )
        if order is Order.ACCEPT:
            refusals = await self._in_turn(request, arrived, by)
            return refusals + await self._drain(request, envelope.sender, by)
        if order is Order.HOLD:
            return await self._hold(request, arrived, by)
        if order is Order.OVERTAKE:
            return await self._overtake(request, arrived)
        if order is Order.KEEP:
            talk.tell(request, "overtaken", talk.store(arrived, "overtaken"))
            return []
        error = too_far(talk, arrived, expected - 1) if order is Order.TOO_FAR else refusal(order)
        return [Refusal(error, request.request_no, expected)]

    async def _is_taken(self, envelope: Envelope) -> bool:
        return await self._talk.owner(envelope.subject, envelope.sender, envelope.seqno) is not None

    async def _again(self, arrived: Arrived, known: KnownMessage) -> list[Refusal]:
        envelope = arrived.envelope
        order = repeated(known.digest, arrived.parsed.digest)
        if order is not Order.DUPLICATE:
            return [Refusal(refusal(order), envelope.subject, await self._expected(envelope))]
        if known.answer_id is not None:
            self._talk.changes.outbox_again.append((envelope.receiver, known.answer_id))
        return []

    async def _expected(self, envelope: Envelope) -> int | None:
        """The number that the sender should use next in the request that it names; None when it is none of its own."""
        talk, sender = self._talk, envelope.sender
        request = talk.requests.get(envelope.subject)
        if request is not None:
            parties = (request.asker, request.asked)
            return last_seqno(request, request.side(sender)) + 1 if sender in parties else None
        if opener_of(envelope.subject) != sender:
            return None
        return 1 if await talk.owner(envelope.subject, sender, 1) is None else 2  # its `open` was refused

    async def _first(self, arrived: Arrived) -> list[Refusal]:
        """A request that we do not have. When its `open` is refused, what waited for it is refused too."""
        talk, envelope = self._talk, arrived.envelope
        error = await first_contact(talk, arrived)
        request = talk.requests.get(envelope.subject)
        if request is not None:
            request.held = await talk.held_count(envelope.subject, envelope.sender)
            return await self._drain(request, envelope.sender, "asker")
        if error is None:
            return []
        numbered = talk.known.get((envelope.sender, envelope.id)) is not None
        refusals = [Refusal(error, envelope.subject, await self._expected(envelope), numbered)]
        if envelope.verb == "open" and numbered:
            for held in await talk.held_after(envelope.subject, envelope.sender, 0):
                unknown = RejectedError("unknown-request", pointer="/subject")
                start = await talk.start_of(held, talk.context.bounds.quarantine_bytes)
                refusals.append(Refusal(unknown, envelope.subject, 2, True, held, start))
                talk.end_wait(held, "quarantined")
            talk.changes.clear_timer(envelope.subject, f"{GAP}asker")
        return refusals

    async def _overtake(self, request: Request, arrived: Arrived) -> list[Refusal]:
        talk, envelope = self._talk, arrived.envelope
        try:
            decision = talk.judge(request, arrived, "asker", overtaking=True)
        except RejectedError:
            return await self._hold(request, arrived, "asker")
        for early in await talk.held_after(request.request_no, envelope.sender, last_seqno(request, "asker")):
            if early.seqno < envelope.seqno:
                talk.end_wait(early, "overtaken")
                talk.tell(request, "overtaken", early)
                request.held -= 1
        self._mind_the_gap(request, "asker")
        advance(request, "asker", envelope.seqno)
        await talk.carry(request, arrived, decision, talk.store(arrived, "applied"))
        request.facts["withdraw_seq"] = envelope.seqno
        return await self._drain(request, envelope.sender, "asker")

    async def _hold(self, request: Request, arrived: Arrived, by: Side) -> list[Refusal]:
        talk, last = self._talk, last_seqno(request, by)
        if error := await no_room(talk, arrived, last):
            self._ask_again(request, by, arrived.envelope.seqno)
            return [Refusal(error, request.request_no, last + 1)]
        message = talk.hold(arrived)
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
            await self._number_used(request)
            return [Refusal(error, request.request_no, envelope.seqno + 1, numbered=True)]
        await talk.carry(request, arrived, decision, talk.store(arrived, "applied"))
        await self._number_used(request)
        return []

    async def _drain(self, request: Request, sender: str, by: Side) -> list[Refusal]:
        """Rule 7. What still waits then, waits for another number than before."""
        talk = self._talk
        if not request.held and "beyond" not in request.facts:
            return []
        refusals: list[Refusal] = []
        waited = request.held
        while request.held and (held := await talk.held_at(request.request_no, sender, last_seqno(request, by) + 1)):
            request.held -= 1
            refusals += await self._turn_of(request, held, by)
        self._mind_the_gap(request, by, at_once=request.held < waited)
        return refusals

    async def _turn_of(self, request: Request, held: Held, by: Side) -> list[Refusal]:
        talk = self._talk
        message = await talk.bytes_of(held)
        arrived = await self._reader.held(message)
        advance(request, by, held.seqno)
        talk.touch(request)
        try:
            decision = talk.judge(request, arrived, by)
        except RejectedError as error:
            talk.end_wait(held, "quarantined")
            start = arrived.parsed.raw[: talk.context.bounds.quarantine_bytes]
            await self._number_used(request)
            return [Refusal(error, request.request_no, held.seqno + 1, True, held, start)]
        talk.end_wait(held, "applied")
        await talk.carry(request, arrived, decision, message)
        await self._number_used(request)
        return []

    async def _number_used(self, request: Request) -> None:
        """Whatever came of a message, its number is used up. Where a restore lost messages of ours in this request
        (fact `kept`), what came after that number may have its turn now."""
        if "kept" in request.facts:
            await go_on_with_what_is_kept(self._talk, request)

    def _ask_again(self, request: Request, by: Side, seqno: int) -> None:
        """There was no room for this number: its sender is asked for it when the ones before it have come."""
        beyond = {**request.facts.get("beyond", {})}
        beyond[by] = max(seqno, beyond.get(by, 0))
        if request.facts.get("beyond") != beyond:
            request.facts["beyond"] = beyond
            self._talk.touch(request)

    def _mind_the_gap(self, request: Request, by: Side, *, at_once: bool = False) -> None:
        """From now on, if anything waits. What was refused for want of room is asked for as soon as there is some
        (at_once), else after the same time."""
        talk, kind, last = self._talk, GAP + by, last_seqno(request, by)
        beyond = request.facts.get("beyond", {})
        if beyond.get(by, last) <= last and by in beyond:
            left = {side: seqno for side, seqno in beyond.items() if side != by}
            request.facts = {**request.facts, "beyond": left}
            if not left:
                del request.facts["beyond"]
            talk.touch(request)
        wanted = by in request.facts.get("beyond", {})
        if request.held or wanted:
            soon = wanted and at_once and not request.held
            due = talk.now + (timedelta(0) if soon else talk.context.settings.gap_after)
            talk.changes.set_timer(Timer(request.request_no, kind, due))
        else:
            talk.changes.clear_timer(request.request_no, kind)


def _belongs(request: Request, envelope: Envelope) -> bool:
    parties = {request.asker, request.asked}
    same_parties = {envelope.sender, envelope.receiver} == parties
    return same_parties and envelope.matter_type == request.type
