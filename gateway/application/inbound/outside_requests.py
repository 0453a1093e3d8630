"""Messages outside any request: a ping is answered, a pong and a notice become events, and a notice that says which of
our messages its sender lacks is answered with them (`repeat_messages`)."""

from __future__ import annotations

from typing import Any

from gateway.application.conversation.compose import Composer
from gateway.application.conversation.read_message import ArrivedOutside
from gateway.application.conversation.request_unit import Conversation
from gateway.application.inbound.notices import offset_ms, pong_body, said_version, version_for
from gateway.application.inbound.repeat_messages import Repeater
from gateway.application.recovery.own_messages import TWICE, tell_twice
from gateway.core.records import Event, Message, PartnerVersion
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS
from lianzhi.protocol.envelope import (
    GATEWAY_NOTICE,
    GATEWAY_PING,
    GATEWAY_PONG,
    is_message_id,
    is_request_no,
    parse_timestamp,
)


async def answer_outside(
    talk: Conversation, composer: Composer, repeater: Repeater, arrived: ArrivedOutside
) -> RejectedError | None:
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
        offset = offset_ms(message.time, talk.now)
        body = pong_body(await _version(talk, partner, parsed.content), offset, talk.context.identity.incarnation)
        composed = await composer.outside(partner, GATEWAY_PONG, body, now=talk.now, origin=envelope.id)
        talk.changes.messages.append(composed.message)
        if composed.outbox is not None:
            talk.changes.outbox.append(composed.outbox)
        talk.changes.answers.append((message.sender, message.id, composed.message.id))
    await repeater.heed(talk, arrived)
    await _heed_reused(talk, arrived)
    reason = parsed.content.get("reason") if isinstance(parsed.content, dict) else None
    talk.changes.events.append(
        Event(
            at=talk.now,
            audience=talk.context.home.code,
            kind=f"partner-{envelope.verb}",
            message_id=envelope.id,
            digest=parsed.digest,
            detail=f"{envelope.sender}:{reason}" if isinstance(reason, str) and reason in REASONS else envelope.sender,
        )
    )
    return None


async def _heed_reused(talk: Conversation, arrived: ArrivedOutside) -> None:
    """A partner says that a number of ours was used before: that happens after a restore, and a person must hear which
    message it did not take. Believed of a message that is ours, to that partner, in that request."""
    body = arrived.parsed.content
    if arrived.envelope.type != GATEWAY_NOTICE or not isinstance(body, dict) or body.get("reason") != TWICE:
        return
    number, message_id = body.get("request_no"), body.get("message_id")
    if not isinstance(number, str) or not is_request_no(number) or not isinstance(message_id, str):
        return
    request = await talk.tx.request(number)
    sender = arrived.envelope.sender
    if request is None or sender not in (request.asker, request.asked) or not is_message_id(message_id):
        return
    message = await talk.tx.message(request.other(sender), message_id)
    if message is not None and (message.request_no, message.receiver) == (number, sender):
        tell_twice(talk, request, message.verb, message.seqno or 0)


async def _version(talk: Conversation, partner: Participant, body: Any) -> int:
    """The version that it reads; what this ping says of it is remembered."""
    said = said_version(body)
    if said is not None and said != await talk.tx.notice_version(partner.code):
        talk.changes.partner_versions.append(PartnerVersion(partner.code, said, talk.now))
    if said is not None and partner.notice_version is None:
        return said
    return await version_for(talk.context, talk.tx, partner)
