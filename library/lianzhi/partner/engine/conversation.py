"""What a verified message does to its conversation. Pure: the ledger is read before and written after.

The rules, in the order in which `decide` looks at them (docs/contracts.md 3.2 Order, docs/architecture.md 4 rule 2):
1. A known id with the same digest changes nothing; its stored answer goes out again. With other bytes it is
   `id-reused`. A message whose content could not be used before, and now can, is applied after all.
2. It must belong: sent by the other end of this request, of its type, with a verb that end may say.
3. Its seqno must be free: another id under a used number is `sequence-reused`.
4. Content that cannot be used takes up its number and is set aside. An `open` does not: without it the
   conversation has not begun, and the same bytes may be tried again.
5. `withdraw` overtakes: applied at once. If the application has not finished the `open`, nothing has been
   started: what waits is overtaken and `withdraw-ack` says `not-started`; otherwise the application answers.
6. What stands before the last `withdraw`, and anything more in a request withdrawn before it was started, is
   kept and never acted on.
7. In its turn a message is applied, and with it the held ones that follow; an early one is held. One that is too
   early, by its number or because too many are held already, is refused: nothing of it is kept in the conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lianzhi.crypto.strictjson import MAX_INTEGER
from lianzhi.partner.bounds import DEFAULT_BOUNDS, PartnerBounds
from lianzhi.partner.ledger.records import Conversation, Slot
from lianzhi.protocol.envelope import opener_of
from lianzhi.protocol.ordering import Order, marked, refusal, repeated
from lianzhi.protocol.ordering import decide as decide_order
from lianzhi.protocol.verbs import VERBS

Verdict = Literal["apply", "held", "overtaken", "set-aside", "duplicate", "refused"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message whose signature verified. fault: the reason why its content cannot be used, if any."""

    sender: str
    id: str
    digest: str
    request_no: str
    type: str
    version: int
    verb: str
    seqno: int
    dialect: str
    lane: str = "normal"
    case_no: str | None = None
    reply_key: str | None = None
    refs: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """verdict: what becomes of this message; reason, pointer: why it is refused or set aside.

    conversation: as it stands afterwards (None when nothing changes). applied: ids, this one and held ones
    that follow, in order. overtaken: ids of earlier messages that are now never acted on. not_started: the
    library answers the withdrawal itself.
    """

    verdict: Verdict
    reason: str | None = None
    pointer: str | None = None
    conversation: Conversation | None = None
    applied: tuple[str, ...] = ()
    overtaken: tuple[str, ...] = ()
    not_started: bool = False


def decide(
    conversation: Conversation | None,
    message: Arrival,
    known: Slot | None,
    slots: Mapping[int, Slot],
    *,
    own_code: str,
    bounds: PartnerBounds = DEFAULT_BOUNDS,
) -> Decision:
    """known: what the ledger holds under (sender, id). slots: the peer's seqnos taken in this request."""
    if known is not None:  # 1
        if (order := repeated(known.digest, message.digest)) is not Order.DUPLICATE:
            return _refused(order)
        if known.state != "set-aside" or message.fault is not None or conversation is None:
            return Decision("duplicate")
        return _mended(conversation, message)
    if refusal := _misplaced(conversation, message, own_code):  # 2
        return refusal
    after = replace(conversation) if conversation else _begun(message)
    withdraws = message.verb == "withdraw"
    order = decide_order(
        message.seqno,
        after.peer_next,
        withdrawn=after.withdrawn,
        taken=message.seqno in slots,
        withdraws=withdraws,
        distance=MAX_INTEGER if withdraws else bounds.held_distance,
        closed=after.withdrawn > 0 and not after.started,
    )
    if order is Order.NUMBER_REUSED:  # 3
        return _refused(order)
    if order is Order.TOO_FAR:
        return _too_early()
    if message.fault is not None:  # 4
        if message.verb == "open":
            return Decision("refused", message.fault)
        return _take(after, message, slots, "set-aside")
    if order is Order.KEEP:  # 6
        return _take(after, message, slots, "overtaken")
    if withdraws:  # 5
        return _withdraw(after, message, slots)
    if order is Order.HOLD:  # 7
        if sum(slot.state == "held" for slot in slots.values()) >= bounds.held_per_request:
            return _too_early()
        return Decision("held", conversation=after)
    return _take(after, message, slots, "apply")


def _refused(order: Order) -> Decision:
    error = refusal(order)
    return Decision("refused", error.code, error.pointer)


def _too_early() -> Decision:
    return Decision("refused", "sequence-gap", "/seqno")


def _misplaced(conversation: Conversation | None, message: Arrival, own_code: str) -> Decision | None:
    opener = opener_of(message.request_no)
    if conversation is None and opener == own_code:
        return Decision("refused", "unknown-request", "/subject")
    if conversation is not None and (conversation.peer, conversation.type) != (message.sender, message.type):
        return Decision("refused", "misdirected", "/source" if conversation.peer != message.sender else "/type")
    if opener not in (own_code, message.sender):
        return Decision("refused", "misdirected", "/subject")
    peer_role = "asked" if opener == own_code else "asker"
    verb = VERBS.get(message.verb)
    if verb is not None and verb.by != peer_role:
        return Decision("refused", "not-allowed", "/type")
    if peer_role == "asker" and (message.verb == "open") != (message.seqno == 1):
        return Decision("refused", "bad-envelope", "/seqno")
    return None


def _begun(message: Arrival) -> Conversation:
    """A conversation of which this is the first message to arrive, whatever its number."""
    return Conversation(
        message.request_no,
        message.type,
        message.version,
        "asked",
        message.sender,
        message.dialect,
        case_no=message.case_no,
    )


def _mended(conversation: Conversation, message: Arrival) -> Decision:
    if message.seqno < conversation.withdrawn:
        return Decision("overtaken")
    after = replace(conversation)
    after.marks = marked(after.marks, message.verb, (message.id, message.digest))
    return Decision("apply", conversation=after, applied=(message.id,))


def _withdraw(after: Conversation, message: Arrival, slots: Mapping[int, Slot]) -> Decision:
    after.withdrawn = message.seqno
    if after.started:
        overtaken = tuple(s.id for n, s in slots.items() if s.state == "held" and n < message.seqno)
    else:
        overtaken = tuple(s.id for s in slots.values() if s.state in ("held", "pending"))
    after.marks = marked(after.marks, message.verb, (message.id, message.digest))
    after.peer_next = message.seqno + 1  # nobody waits for what would never be acted on
    rest = _advance(after, slots)
    return Decision(
        "apply",
        conversation=after,
        applied=(message.id, *(i for i in rest if i not in overtaken)),
        overtaken=overtaken,
        not_started=not after.started,
    )


def _take(
    after: Conversation,
    message: Arrival,
    slots: Mapping[int, Slot],
    verdict: Literal["apply", "overtaken", "set-aside"],
) -> Decision:
    """Use up the number of this message and go on to the held ones behind it."""
    applied: tuple[str, ...] = ()
    if verdict == "apply":
        applied = (message.id,)
        if message.verb == "open":
            _open(after, message)
        if message.lane == "urgent":
            after.lane = "urgent"
        after.marks = marked(after.marks, message.verb, (message.id, message.digest))
    following = _advance(after, {**slots, message.seqno: Slot(message.id, message.digest, message.verb, "done")})
    return Decision(verdict, reason=message.fault, conversation=after, applied=(*applied, *following))


def _open(after: Conversation, message: Arrival) -> None:
    after.opened = True
    after.version = message.version
    after.dialect = message.dialect
    after.case_no = message.case_no
    after.reply_key = message.reply_key
    after.refs = list(message.refs)


def _advance(after: Conversation, slots: Mapping[int, Slot]) -> tuple[str, ...]:
    """Move over every number that is taken; the held messages met on the way that are now applied."""
    applied = []
    while (slot := slots.get(after.peer_next)) is not None:
        if slot.state == "held":
            after.marks = marked(after.marks, slot.verb, (slot.id, slot.digest))
            applied.append(slot.id)
        after.peer_next += 1
    return tuple(applied)
