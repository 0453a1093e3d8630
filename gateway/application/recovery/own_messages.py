"""Messages of ours that a restore has lost and their receiver gave back: each is stored again under its number, as
already sent (docs/adr/0041).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.apply_verb import settle
from gateway.application.conversation.request_unit import Conversation, advance, last_seqno
from gateway.core.records import Message, OutboxRow, Request
from gateway.core.recovery.forgotten import Forgotten, in_order
from gateway.core.requests.lifecycle import Step, decide
from gateway.core.routing import routing_key
from lianzhi.crypto.sdjwt import Parsed, parse
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import Envelope, parse_timestamp
from schemas.catalogue import MatterType

TWICE = "sequence-reused"


@dataclass(frozen=True, slots=True)
class Own:
    """A message of ours as it was sent and came back."""

    envelope: Envelope
    parsed: Parsed
    matter: MatterType

    @classmethod
    def of(cls, context: Context, envelope: Envelope, parsed: Parsed) -> Own:
        """Raises RejectedError unknown-type."""
        matter = context.catalogue.get(envelope.matter_type)
        if matter is None or matter.version != envelope.schema_version:
            raise RejectedError("unknown-type", pointer="/type")
        return cls(envelope, parsed, matter)

    @property
    def time(self) -> datetime:
        return parse_timestamp(self.envelope.time)

    @property
    def head(self) -> Mapping[str, Any]:
        """The codes in clear: what is sealed to its receiver we cannot read ourselves."""
        found: Mapping[str, Any] = self.parsed.event["data"].get("head") or {}
        return found

    def message(self, now: datetime) -> Message:
        envelope, parsed = self.envelope, self.parsed
        return Message(
            sender=envelope.sender, id=envelope.id, request_no=envelope.subject, receiver=envelope.receiver,
            verb=envelope.verb, seqno=envelope.seqno, digest=parsed.digest, jws=parsed.jws,
            disclosure=parsed.disclosure, disposition="sent", time=self.time, stored_at=now,
        )  # fmt: skip

    def sent(self, message: Message, lane: str) -> OutboxRow:
        """It went long ago; it can go again when its partner lacks it."""
        key = routing_key(message.receiver, lane, self.matter.name, message.verb)
        return OutboxRow(
            sender=message.sender, message_id=message.id, receiver=message.receiver, request_no=message.request_no,
            seqno=message.seqno, verb=message.verb, routing_key=key, overtakes=message.verb == "withdraw",
            state="sent", attempts=1,
        )  # fmt: skip


def follows(request: Request, envelope: Envelope) -> bool:
    """Whether it is what our side of `request`, which we opened, said next."""
    parties = (request.asker, request.asked) == (envelope.sender, envelope.receiver)
    same = parties and request.type == envelope.matter_type
    return same and envelope.seqno == last_seqno(request, "asker") + 1


async def said_before(talk: Conversation, request: Request, own: Own) -> None:
    """It uses up its number and does to the request what it did then. Raises RejectedError: the state machine does not
    take it where the request stands now."""
    envelope, now = own.envelope, talk.now
    step = Step(
        envelope.verb, "asker", now, message_id=envelope.id, digest=own.parsed.digest, data=own.head, attempted=True
    )
    decision = decide(request, step)
    message = own.message(now)
    advance(request, "asker", envelope.seqno)
    carry_out(talk.context, request, decision, talk.changes, now, message=message, head=own.head)
    await settle(talk, request, own.head)
    talk.touch(request)
    talk.changes.messages.append(message)
    talk.changes.outbox.append(own.sent(message, request.lane))


def tell_twice(talk: Conversation, request: Request, verb: str, seqno: int) -> None:
    """After a restore we have used a number of ours for something else: its partner takes only the first of the two.
    Somebody has to say again what it did not take."""
    head = {"reason": TWICE, "verb": verb, "seqno": seqno}
    talk.tell(request, "incident", head=head, detail=f"{TWICE}:{verb}:{seqno}")


async def go_on_with_what_is_kept(talk: Conversation, request: Request) -> None:
    """The partner has said again what was not kept of it: what we had said after that is said again too, in the same
    unit of work, so that nobody says it anew under the same number meanwhile.

    request: with the fact `kept`. What the partner said itself is not taken from what is kept: it sends everything that
    followed again."""
    kept = [*await talk.tx.forgotten_of(request.request_no), *_of_this_unit(talk, request)]
    kept = [m for m in kept if m.owner == request.asked]
    done: list[Forgotten] = []
    for message in in_order(kept):
        if not (await _said_again(talk, request, message) if message.ours else message.seqno <= request.asked_seq):
            break
        done.append(message)
    fresh = [m for m in done if m.id is None]
    await talk.tx.end_forgotten([m for m in done if m.id is not None], talk.now)
    talk.changes.forgotten = [m for m in talk.changes.forgotten if m not in fresh]
    if len(done) == len(kept):
        request.facts = request.facts.copy()
        del request.facts["kept"]
        talk.touch(request)


def _of_this_unit(talk: Conversation, request: Request) -> list[Forgotten]:
    return [m for m in talk.changes.forgotten if m.request_no == request.request_no]


async def _said_again(talk: Conversation, request: Request, message: Forgotten) -> bool:
    """One of ours; not where its turn has not come, or the state machine does not take it: it stays listed then."""
    if message.seqno <= request.asker_seq:
        if not await talk.tx.known([(message.sender, message.message_id)]):
            tell_twice(talk, request, message.verb, message.seqno)
        return True
    parsed = parse(message.body, talk.context.limits)
    try:
        own = Own.of(talk.context, Envelope.model_validate(parsed.event), parsed)
        if not follows(request, own.envelope):
            return False
        await said_before(talk, request, own)
    except RejectedError:
        return False
    return True
