"""Partners open requests too: their numbering, our catalogue's permission (docs/design.md 3.2)."""

from __future__ import annotations

from gateway.core.lifecycle import FIRST
from gateway.core.origins import marked
from gateway.core.records import Timer
from gateway.core.routing import admit
from gateway.errors import RejectedError
from gateway.services.carry import GAP
from gateway.services.conversation import Conversation, head_of
from gateway.services.reading import Arrived
from schemas.catalogue import MatterType
from schemas.validation import refs_of


async def first_contact(talk: Conversation, arrived: Arrived) -> RejectedError | None:
    """A message of a request that we do not have: an `open`, a `withdraw` or another that came before it, or a
    reply to nothing. None when it was applied or held."""
    envelope, matter = arrived.envelope, arrived.matter
    if envelope.subject.rsplit("-", 2)[0] != envelope.sender:
        return RejectedError("unknown-request", pointer="/subject")
    if envelope.verb == "open":
        return await _opened(talk, arrived)
    if envelope.verb == "withdraw":
        return await _withdrawn_early(talk, arrived)
    if await talk.owner(envelope.subject, envelope.sender, envelope.seqno) is not None:
        return RejectedError("sequence-reused", pointer="/seqno")
    if matter is None:
        return RejectedError("unknown-type", pointer="/type")
    talk.store(arrived, "held")
    due = talk.now + talk.context.settings.gap_after
    talk.changes.timers.append(Timer(envelope.subject, f"{GAP}asker", due))
    return None


async def _opened(talk: Conversation, arrived: Arrived) -> RejectedError | None:
    envelope = arrived.envelope
    try:
        matter = await _admitted(talk, arrived)
    except RejectedError as error:
        if await talk.owner(envelope.subject, envelope.sender, envelope.seqno) is not None:
            return RejectedError("sequence-reused", pointer="/seqno")
        talk.store(arrived, "quarantined")
        return error
    request = talk.begin(arrived, matter, FIRST[matter.shape.value])
    request.asker_seq = 1
    request.refs = refs_of(arrived.data["payload"])
    request.marks = marked({}, "open", envelope.id, arrived.parsed.digest)
    message = talk.store(arrived, "applied")
    talk.name_documents(request, arrived.data)
    talk.tell(request, "message", message)
    await talk.deliver(request, message)
    return None


async def _admitted(talk: Conversation, arrived: Arrived) -> MatterType:
    """Raises RejectedError: what the content, the catalogue or the participants' files refuse."""
    envelope, matter = arrived.envelope, arrived.matter
    if arrived.fault is not None:
        raise arrived.fault
    if matter is None:
        raise RejectedError("unknown-type", pointer="/type")
    if envelope.seqno != 1:
        raise RejectedError("bad-envelope", pointer="/seqno")
    admit(matter, talk.context.participant(envelope.sender), talk.context.participant(envelope.receiver))
    if sorted(head_of(arrived).get("refs") or ()) != sorted(refs_of(arrived.data["payload"])):
        raise RejectedError("bad-envelope", pointer="/data/head/refs")
    if envelope.caseno != arrived.data["request"].get("case_no"):
        raise RejectedError("misdirected", pointer="/caseno")
    await _live_control(talk, arrived, matter)
    return matter


async def _live_control(talk: Conversation, arrived: Arrived, matter: MatterType) -> None:
    """A hit must name a live measure that this very partner controls."""
    assert arrived.model is not None, "an admitted open was validated"
    control_no = matter.alert_control_no(arrived.model.payload)  # type: ignore[attr-defined]
    if control_no is None:
        return
    measure = await talk.tx.measure_by_control(control_no, arrived.envelope.sender)
    if measure is None:
        raise RejectedError("unknown-control", pointer="/payload/control_no")
    if arrived.envelope.related not in (None, measure.request_no):
        raise RejectedError("misdirected", pointer="/related")


async def _withdrawn_early(talk: Conversation, arrived: Arrived) -> RejectedError | None:
    """Nothing was started; the `open` that comes later is kept, never acted on."""
    envelope, matter = arrived.envelope, arrived.matter
    fault = arrived.fault or (RejectedError("unknown-type", pointer="/type") if matter is None else None)
    if fault is not None or matter is None:
        talk.store(arrived, "quarantined")
        return fault
    request = talk.begin(arrived, matter, "withdrawn")
    request.asker_seq = envelope.seqno
    request.facts["withdraw_seq"] = envelope.seqno
    request.marks = marked({}, "withdraw", envelope.id, arrived.parsed.digest)
    message = talk.store(arrived, "applied")
    talk.tell(request, "message", message)
    talk.tell(request, "message", await talk.answer(request, message, "withdraw-ack", {"effect": "not-started"}))
    for early in await talk.waiting(request.request_no, envelope.sender, 0):
        talk.dispose(early, "overtaken")
    return None
