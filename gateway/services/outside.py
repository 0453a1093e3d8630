"""Messages outside any request: a ping is answered, a pong and a notice become events."""

from __future__ import annotations

from gateway.core.records import Event, Message
from gateway.errors import RejectedError
from gateway.services.compose import Composer
from gateway.services.conversation import Conversation
from gateway.services.reading import ArrivedOutside
from schemas.envelope import GATEWAY_PING, GATEWAY_PONG, parse_timestamp
from schemas.problem import REASONS


async def answer_outside(talk: Conversation, composer: Composer, arrived: ArrivedOutside) -> RejectedError | None:
    """A known id changes nothing (a second ping with the same id is answered by the stored pong); with other bytes
    it is an alarm: `id-reused`."""
    envelope, parsed = arrived.envelope, arrived.parsed
    known = talk.known.get((envelope.sender, envelope.id))
    if known is not None and known.digest != parsed.digest:
        return RejectedError("id-reused", pointer="/id")
    if known is not None:
        if known.answer_id is not None:
            talk.changes.outbox_again.append((envelope.receiver, known.answer_id))
        return None
    message = Message(
        sender=envelope.sender,
        id=envelope.id,
        request_no=None,
        receiver=envelope.receiver,
        verb=envelope.verb,
        seqno=None,
        digest=parsed.digest,
        jws=parsed.jws,
        disclosure=parsed.disclosure,
        disposition="applied",
        time=parse_timestamp(envelope.time),
        stored_at=talk.now,
    )
    talk.changes.messages.append(message)
    if envelope.type == GATEWAY_PING:
        partner = talk.context.participant(envelope.sender)
        composed = await composer.outside(partner, GATEWAY_PONG, {}, now=talk.now, origin=envelope.id)
        talk.changes.messages.append(composed.message)
        if composed.outbox is not None:
            talk.changes.outbox.append(composed.outbox)
        talk.changes.answers.append((message.sender, message.id, composed.message.id))
    reason = parsed.content.get("reason") if isinstance(parsed.content, dict) else None
    talk.changes.events.append(
        Event(
            at=talk.now,
            audience=talk.context.home.code,
            kind=f"partner-{envelope.verb}",
            message_id=envelope.id,
            digest=parsed.digest,
            detail=f"{envelope.sender}:{reason}" if reason in REASONS else envelope.sender,
        )
    )
    return None
