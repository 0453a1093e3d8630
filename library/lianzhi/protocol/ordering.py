"""Where a message stands among those of its request: by its number, and by the message that it names.

Said once, for the gateway and a partner, for whoever writes it and whoever reads it. Pure.

Its number: each side of a request numbers its messages 1, 2, 3, … and the other side acts on them in that order
(docs/contracts.md 3.2 Order). Only a withdrawal overtakes: it is acted on at once, and what comes later with a lower
number is kept and never acted on. A number belongs to the message that is stored under it. How much may wait is the
caller's to bound, and so is whether the content can be used.

The message that it names (`causationid`, `originhash`, docs/contracts.md 3.1): a verb that answers a verb names that
one; any other names the `open` or the last `supplement`. The marks of a request are the last message of each verb, of
either side, the latest last: verb → (id, digest of its JWS part).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TypeVar

from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS, Side

# its number


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


# the message that it names

Mark = TypeVar("Mark", bound=Sequence[str])
_ANY = ("*",)
_DEFAULT = ("open", "supplement")


def marked(marks: Mapping[str, Mark], verb: str, mark: Mark) -> dict[str, Mark]:
    """`marks` with this message as the latest one of its verb."""
    return {**{name: known for name, known in marks.items() if name != verb}, verb: mark}


def _may_name(verb: str, by: Side) -> tuple[str, ...]:
    answers = VERBS[verb].answers
    if answers == _ANY:
        return tuple(v.name for v in VERBS.values() if v.by != by)
    return answers or _DEFAULT


def origin_for(marks: Mapping[str, Mark], verb: str, by: Side, handling: str | None = None) -> Mark | None:
    """The message that our `verb` names; None when there is nothing that it could answer.

    by: our side. handling: id of the message at hand, named where the verb may name it.
    """
    named = _may_name(verb, by)
    fitting = {name: mark for name, mark in marks.items() if name in named}
    for mark in fitting.values():
        if mark[0] == handling:
            return mark
    if VERBS[verb].answers == _ANY:
        fitting = {name: mark for name, mark in fitting.items() if name in _DEFAULT} or fitting
    return [*fitting.values()][-1] if fitting else None


def check_origin(
    marks: Mapping[str, Sequence[str]], verb: str, by: Side, causationid: str | None, originhash: str | None
) -> None:
    """by: the side that said `verb`. Raises RejectedError origin-mismatch unless both name one message that it may
    name."""
    for name in _may_name(verb, by):
        mark = marks.get(name)
        if mark is not None and mark[0] == causationid:
            if mark[1] == originhash:
                return
            raise RejectedError("origin-mismatch", pointer="/originhash")
    raise RejectedError("origin-mismatch", pointer="/causationid")
