"""What becomes of a message by its number: the one rule by which a gateway and a partner keep the order.

Each side of a request numbers its messages 1, 2, 3, … and the other side acts on them in that order (docs/contracts.md
3.2 Order). Only a withdrawal overtakes: it is acted on at once, and what comes later with a lower number is kept and
never acted on. A number belongs to the message that is stored under it.

Pure. How much may wait is its caller's to bound, and so is whether the content can be used.
"""

from __future__ import annotations

from enum import Enum, auto

from lianzhi.errors import RejectedError


class Order(Enum):
    """ACCEPT: it is its turn. HOLD: it waits for the numbers before it. OVERTAKE: a withdrawal ahead of its turn, acted
    on at once. KEEP: stored, never acted on. DUPLICATE: the very same message came before. ID_REUSED, NUMBER_REUSED,
    TOO_FAR: refused; it uses up no number."""

    ACCEPT = auto()
    HOLD = auto()
    OVERTAKE = auto()
    KEEP = auto()
    DUPLICATE = auto()
    ID_REUSED = auto()
    NUMBER_REUSED = auto()
    TOO_FAR = auto()


_REFUSED = {Order.ID_REUSED: ("id-reused", "/id"), Order.NUMBER_REUSED: ("sequence-reused", "/seqno")}


def refusal(order: Order) -> RejectedError:
    """For ID_REUSED and NUMBER_REUSED; what is TOO_FAR each side tells in words of its own."""
    code, pointer = _REFUSED[order]
    return RejectedError(code, pointer=pointer)


def repeated(stored: str, digest: str) -> Order:
    """Of a message whose id is known from the same sender. stored, digest: of the JWS part, then and now."""
    return Order.DUPLICATE if stored == digest else Order.ID_REUSED


def decide(
    seqno: int,
    expected: int,
    *,
    withdrawn: int,
    taken: bool,
    withdraws: bool,
    distance: int,
    closed: bool = False,
) -> Order:
    """Of a message whose id is new.

    expected: the number of its sender whose turn it is in this request. withdrawn: the number of its last withdrawal
    that was acted on, 0 for none. taken: whether a message is stored under `seqno`. withdraws: whether it is a
    withdrawal that may overtake. distance: how far ahead of its turn a message is taken at most. closed: withdrawn
    before anything was done: nothing but another withdrawal is acted on any more.
    """
    if seqno == expected and seqno > withdrawn and not (taken or closed):
        return Order.ACCEPT
    if taken or withdrawn <= seqno < expected:
        return Order.NUMBER_REUSED
    if seqno - expected > distance:
        return Order.TOO_FAR
    if withdraws and seqno > withdrawn:
        return Order.OVERTAKE
    if closed or seqno < withdrawn:
        return Order.KEEP
    return Order.HOLD
