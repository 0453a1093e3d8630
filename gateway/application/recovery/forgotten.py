"""What a partner says about a request of ours that the store does not have (docs/adr/0030, 0041).

Nobody but us gives our numbers, and nobody hears of one before it is committed: either the partner made it up, or the
store was set back. Where it is known that it was, the request is of the lost hour; else this is what no mark could see.
A person hears of it, once an hour and partner. The message is kept whole, within bounds; its sender hears that it is,
and gives back what it holds of ours, by which the request can be proved and taken up (`application.recovery.take_up`).
"""

from __future__ import annotations

from gateway.application.context import Context
from gateway.application.conversation.apply_verb import CONTENT
from gateway.application.conversation.read_message import Arrived, body_digest
from gateway.application.conversation.request_unit import Conversation, last_seqno
from gateway.application.inbound.ahead_of_turn import bound_reached
from gateway.application.recovery.own_messages import (
    TWICE,
    Own,
    follows,
    go_on_with_what_is_kept,
    said_before,
    tell_twice,
)
from gateway.core.records import Event, Request
from gateway.core.recovery.forgotten import Forgotten
from lianzhi.crypto.sdjwt import Parsed
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import FORGOTTEN_KEPT, Envelope, opener_of, parse_timestamp

PERHAPS_RESTORED, FORGOTTEN = "perhaps-restored", "forgotten-request"
UNKNOWN = "unknown-request"
_KEPT = (
    "网关恢复过数据库，本库已无该请求，报文已整件留存，待人工恢复该请求；请把本单位收到的该请求的网关报文原样发回",
    "The gateway's database was restored and has lost this request. Your message is kept whole until a person takes "
    "the request up: publish the gateway's own messages of it, as you received them, back to the gateway",
)
_NO_ROOM = (
    "本库无此请求，且本单位此类报文的留存已满（{bound}），本件未整件留存；请勿删除，待网关单位处理后原样重发",
    "No such request here, and no more of yours of this kind is kept ({bound}): keep it, and send the same bytes again "
    "when the gateway's people have dealt with what is there",
)


async def keep_forgotten(talk: Conversation, arrived: Arrived) -> RejectedError:
    """A verified message of a partner about a request that is not there: what its sender is told."""
    envelope = arrived.envelope
    opener = talk.context.directory.get(opener_of(envelope.subject))
    if opener is None or not opener.local:
        return RejectedError(UNKNOWN, pointer="/subject")
    _note(talk, envelope)
    located = arrived.matter is not None and arrived.matter.result_class is Classification.LOCATION
    body = b"" if located and envelope.verb in CONTENT else arrived.parsed.raw
    bound = await _keep(talk, envelope.sender, envelope, arrived.parsed, body)
    rule, (zh, en) = (FORGOTTEN_KEPT, _KEPT) if bound is None else (bound.replace("_", "-"), _NO_ROOM)
    told = FieldError(
        pointer="/subject", rule=rule, detail=zh.format(bound=bound or ""), detail_en=en.format(bound=bound or "")
    )
    return RejectedError(UNKNOWN, [told])


async def keep_given_back(talk: Conversation, owner: str, envelope: Envelope, parsed: Parsed) -> RejectedError | None:
    """A message of ours, to `owner`, that it gave back: nothing of it is new where we have it, else it is kept.

    Where the court system signed what it handed in, whoever hands that in again is told what it was given."""
    known = talk.known.get((envelope.sender, envelope.id))
    if known is not None and known.digest == parsed.digest:
        return None
    request = talk.requests.get(envelope.subject)
    if known is not None or opener_of(envelope.subject) != envelope.sender:
        return RejectedError("foreign-key", pointer="/kid")  # ours, and yet nothing that this store can have said
    if request is not None and follows(request, envelope) and "kept" not in request.facts:
        return await _said(talk, request, envelope, parsed)
    if request is not None and envelope.seqno <= last_seqno(request, "asker"):
        tell_twice(talk, request, envelope.verb, envelope.seqno)
        return RejectedError(TWICE, pointer="/seqno")
    bound = await _keep(talk, owner, envelope, parsed, parsed.raw)
    if bound is not None:
        return RejectedError("held-limit", [FieldError(
            pointer="/subject", rule=bound.replace("_", "-"),
            detail=_NO_ROOM[0].format(bound=bound), detail_en=_NO_ROOM[1].format(bound=bound),
        )])  # fmt: skip
    if request is not None and "kept" in request.facts:
        await go_on_with_what_is_kept(talk, request)
    if envelope.submissionhash is not None and envelope.verb == "open":
        await talk.tx.done_before(envelope.submissionhash, envelope.subject)
    return None


async def _said(talk: Conversation, request: Request, envelope: Envelope, parsed: Parsed) -> RejectedError | None:
    """What we said last in a request that we have, and had forgotten: else its number would be used twice."""
    try:
        await said_before(talk, request, Own.of(talk.context, envelope, parsed))
    except RejectedError as error:
        return error
    return None


async def _keep(talk: Conversation, owner: str, envelope: Envelope, parsed: Parsed, body: bytes) -> str | None:
    """The bound that is reached; None where it is kept, now or from before."""
    message = Forgotten(
        owner=owner,
        body_sha256=body_digest(parsed.raw),
        request_no=envelope.subject,
        sender=envelope.sender,
        message_id=envelope.id,
        verb=envelope.verb,
        seqno=envelope.seqno,
        causationid=envelope.causationid,
        submissionhash=envelope.submissionhash,
        body=body,
        size=len(parsed.raw),
        time=parse_timestamp(envelope.time),
        at=talk.now,
    )
    fresh = [m for m in talk.changes.forgotten if m.owner == owner]
    if any(m.body_sha256 == message.body_sha256 for m in fresh):
        return None
    if await talk.tx.is_forgotten_kept(owner, message.body_sha256):
        return None
    count, size = await talk.tx.forgotten_totals(owner)
    bound = _full(talk.context, len(fresh) + count, sum(len(m.body) for m in fresh) + size + len(body))
    if bound is not None:
        bound_reached(talk.context, talk.changes, bound, owner, talk.now)
        return bound
    talk.changes.forgotten.append(message)
    return None


def _full(context: Context, messages: int, size: int) -> str | None:
    """messages: that are there. size: with the new one, bytes."""
    if messages >= context.bounds.forgotten_per_partner:
        return "forgotten_per_partner"
    return "forgotten_bytes_per_partner" if size > context.bounds.forgotten_bytes_per_partner else None


def _note(talk: Conversation, envelope: Envelope) -> None:
    context = talk.context
    reason = PERHAPS_RESTORED if context.identity.ages[-1].began_at is None else FORGOTTEN
    if context.reached.to_be_told(reason, envelope.sender, talk.now):
        head = {"reason": reason, "sender": envelope.sender, "request_no": envelope.subject}
        talk.changes.events.append(
            Event(
                at=talk.now,
                audience=context.home.code,
                kind="incident",
                head=head,
                detail=f"{reason}:{envelope.sender}",
            )
        )
