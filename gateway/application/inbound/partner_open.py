"""Opens a request for a partner: under its number, where the catalogue allows it (docs/contracts.md 3.2)."""

from __future__ import annotations

from gateway.application.conversation.alert_effects import alert_raised
from gateway.application.conversation.apply_decision import GAP, set_deadline, start_clocks
from gateway.application.conversation.apply_verb import note_told
from gateway.application.conversation.ledger_entries import book_opening
from gateway.application.conversation.read_message import Arrived, in_its_words
from gateway.application.conversation.request_unit import Conversation, head_of
from gateway.application.inbound.ahead_of_turn import no_room, too_far
from gateway.application.recovery.forgotten import keep_forgotten
from gateway.application.submission.measure_rules import note_done_states
from gateway.core.control.moves import is_live
from gateway.core.records import Measure, Request, Timer
from gateway.core.requests.lifecycle import FIRST
from gateway.core.routing import admit, check_dept
from gateway.core.time.deadlines import check_last_days
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import opener_of, parse_timestamp
from lianzhi.protocol.ordering import Order, decide, marked, refusal
from schemas.catalogue import MatterType
from schemas.validation import refs_of


async def first_contact(talk: Conversation, arrived: Arrived) -> RejectedError | None:
    """A message of a request that we do not have: an `open`, a `withdraw` or another that came before it, or a
    reply to nothing. None when it was applied or held."""
    envelope, matter = arrived.envelope, arrived.matter
    if opener_of(envelope.subject) != envelope.sender:
        return await keep_forgotten(talk, arrived)
    withdraws = envelope.verb == "withdraw" and arrived.fault is None
    order = decide(
        envelope.seqno,
        1,
        withdrawn=0,
        taken=await talk.owner(envelope.subject, envelope.sender, envelope.seqno) is not None,
        withdraws=withdraws,
        distance=talk.context.bounds.held_distance,
    )
    if order is Order.NUMBER_REUSED:
        return refusal(order)
    if envelope.verb == "open":
        return await _opened(talk, arrived)
    if await talk.owner(envelope.subject, envelope.sender, 1) is not None:
        return RejectedError("unknown-request", pointer="/subject")  # its `open` was refused
    if matter is None:
        return RejectedError("unknown-type", pointer="/type")
    if order is Order.TOO_FAR:
        return too_far(talk, arrived, 0)
    if withdraws:
        return await _withdrawn_early(talk, arrived, matter)
    if error := await no_room(talk, arrived, 0):
        return error
    if not await talk.held_count(envelope.subject, envelope.sender):
        due = talk.now + talk.context.settings.gap_after
        talk.changes.set_timer(Timer(envelope.subject, f"{GAP}asker", due))
    talk.hold(arrived)
    return None


async def _opened(talk: Conversation, arrived: Arrived) -> RejectedError | None:
    envelope = arrived.envelope
    try:
        matter = _admitted(talk, arrived)
        control = await _live_control(talk, arrived, matter)
    except RejectedError as error:
        talk.store(arrived, "quarantined")
        return error
    request = talk.begin(arrived, matter, FIRST[matter.shape.value])
    request.asker_seq = 1
    request.refs = refs_of(arrived.data["payload"])
    note_done_states(request, matter.done_states(arrived.payload))
    request.marks = marked({}, "open", [envelope.id, arrived.parsed.digest])
    if control is not None:
        request.related, request.case_no = control.request_no, control.case_no or None
        request.asked_case_no = request.case_no  # the court's own control: its act
    else:
        request.related = await _shared(talk, arrived)
    note_told(talk.context, request, "open", arrived.data, parse_timestamp(envelope.time), talk.changes)
    _set_deadline(talk, request, arrived)
    book_opening(talk.context, request, arrived.payload, talk.changes, talk.now)
    message = talk.store(arrived, "applied")
    talk.name_documents(request, arrived)
    talk.tell(request, "message", message)
    await talk.deliver(request, message)
    raised_at = parse_timestamp(envelope.time)
    payload = arrived.data["payload"]
    await alert_raised(talk, request, control, payload, raised_at)
    return None


def _set_deadline(talk: Conversation, request: Request, arrived: Arrived) -> None:
    urgency = arrived.data.get("request", {}).get("urgency", "normal")
    set_deadline(talk.context, request, arrived.payload, urgency, talk.now)
    start_clocks(talk.context, request, talk.changes, talk.now)


def _admitted(talk: Conversation, arrived: Arrived) -> MatterType:
    """Who may, before what it says. Raises RejectedError: what the catalogue, the participants' files or the content
    refuse."""
    envelope, matter = arrived.envelope, arrived.matter
    if matter is None:
        raise RejectedError("unknown-type", pointer="/type")
    admit(matter, talk.context.participant(envelope.sender), talk.context.participant(envelope.receiver))
    if envelope.seqno != 1:
        raise RejectedError("bad-envelope", pointer="/seqno")
    if arrived.fault is not None:
        raise arrived.fault
    try:
        check_dept(matter, arrived.payload, talk.context.participant(envelope.receiver))
        check_last_days(matter, arrived.payload, talk.context.calendars.now)
    except RejectedError as error:
        raise in_its_words(talk.context, envelope, error) from None
    if sorted(head_of(arrived).get("refs") or ()) != sorted(refs_of(arrived.data["payload"])):
        raise RejectedError("bad-envelope", pointer="/data/head/refs")
    _own_group(arrived)
    if envelope.caseno != arrived.data.get("request", {}).get("case_no"):
        raise RejectedError("misdirected", pointer="/caseno")
    _can_be_answered(talk, arrived, matter)
    return matter


def _can_be_answered(talk: Conversation, arrived: Arrived, matter: MatterType) -> None:
    """A result that will be sealed needs a key of the asker's that is in force (docs/contracts.md 3.1 `replykey`)."""
    if not matter.result_class.sealed:
        return
    envelope, keyring = arrived.envelope, talk.context.keyring
    if envelope.replykey is None:
        raise RejectedError("bad-envelope", pointer="/replykey")
    key = keyring.verification_key(envelope.sender, envelope.replykey, "enc")
    if not key.valid_at(talk.now) or key.revoked_by(talk.now):
        raise RejectedError("bad-envelope", pointer="/replykey")


async def _live_control(talk: Conversation, arrived: Arrived, matter: MatterType) -> Measure | None:
    """A hit must name a live measure that this very partner controls, and the object under it; its case is the
    hit's."""
    control_no = matter.alert_control_no(arrived.payload)
    if control_no is None:
        return None
    sender = arrived.envelope.sender
    named = (control_no, sender, arrived.envelope.receiver)
    fresh = [m for m in talk.changes.measures if (m.control_no, m.asked, m.opener) == named]
    measure = fresh[-1] if fresh else await talk.tx.measure_by_control(*named)
    if measure is None or not is_live(measure):
        raise in_its_words(
            talk.context, arrived.envelope, RejectedError("unknown-control", pointer="/payload/control_no")
        )
    if measure.ref not in refs_of(arrived.data["payload"]):
        raise in_its_words(talk.context, arrived.envelope, RejectedError("unknown-ref", pointer="/payload/ref"))
    if arrived.envelope.related not in (None, measure.request_no):
        raise RejectedError("misdirected", pointer="/related")
    return measure


def _own_group(arrived: Arrived) -> None:
    """A group is its opener's: nobody puts a request among another's. Raises RejectedError foreign-group."""
    envelope = arrived.envelope
    if envelope.groupno is not None and envelope.groupno.rsplit("-", 2)[0] != envelope.sender:
        told = FieldError(
            pointer="/groupno",
            rule="foreign-group",
            detail=f"组编号须以发起单位自己的编号 {envelope.sender} 开头；不成组的请勿填写",
            detail_en=f"A group's number begins with its opener's own code, {envelope.sender}; leave it out otherwise",
        )
        raise RejectedError("foreign-group", [told])


async def _shared(talk: Conversation, arrived: Arrived) -> str | None:
    """The earlier request that it names, if both parties are parties of that one too. Anything else stays what it is, a
    text in the message: nothing is decided by it and nothing links to it."""
    envelope = arrived.envelope
    if envelope.related is None:
        return None
    earlier = talk.requests.get(envelope.related) or await talk.context.store.request(envelope.related)
    parties = {envelope.sender, envelope.receiver}
    return envelope.related if earlier is not None and {earlier.asker, earlier.asked} == parties else None


async def _withdrawn_early(talk: Conversation, arrived: Arrived, matter: MatterType) -> RejectedError | None:
    """Nothing was started; the `open` that comes later is kept, never acted on."""
    envelope = arrived.envelope
    try:
        admit(matter, talk.context.participant(envelope.sender), talk.context.participant(envelope.receiver))
    except RejectedError as error:
        talk.store(arrived, "quarantined")
        return error
    request = talk.begin(arrived, matter, "withdrawn")
    request.group_no = request.related = None  # an `open` says that
    request.asker_seq = envelope.seqno
    request.facts["withdraw_seq"] = envelope.seqno
    request.marks = marked({}, "withdraw", [envelope.id, arrived.parsed.digest])
    message = talk.store(arrived, "applied")
    talk.tell(request, "message", message)
    talk.tell(request, "message", await talk.answer(request, message, "withdraw-ack", {"effect": "not-started"}))
    for early in await talk.held_after(request.request_no, envelope.sender, 0):
        if early.seqno < envelope.seqno:
            talk.end_wait(early, "overtaken")
    talk.changes.clear_timer(request.request_no, f"{GAP}asker")
    return None
