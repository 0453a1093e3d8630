"""What partners say and give back of requests of ours that the store does not have (docs/adr/0041). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One verified message about a request number of ours under which there is no request, as it came.

    owner: of the queue that it came from. sender: whose signature it bears: the owner's, or one that we sign for, where
    the owner gave our own message back. causationid, submissionhash: members of its envelope. body: the SD-JWT; empty
    where it is not kept (the content of a place, or taken up by now). size: of it as it came, bytes. time: its own; at:
    when it arrived. taken_up_at: since when the request stands again; then only messages of ours are left.
    """

    owner: str
    body_sha256: str
    request_no: str
    sender: str
    message_id: str
    verb: str
    seqno: int
    causationid: str | None
    submissionhash: str | None
    body: bytes
    size: int
    time: datetime
    at: datetime
    taken_up_at: datetime | None = None
    id: int | None = None

    @property
    def ours(self) -> bool:
        """Whether it is one of ours that its receiver gave back."""
        return self.sender != self.owner


@dataclass(frozen=True, slots=True)
class ForgottenRequest:
    """One number in the list. messages: of the partner. returned: of ours, that it gave back. provable: our `open` is
    among them, whole, so that the request can be taken up, or it was. waiting: it was taken up, and the rest waits for
    what its partner has to say or give back again. Size: of all that is kept, bytes."""

    request_no: str
    partner: str
    messages: int
    returned: int
    provable: bool
    size: int
    first_at: datetime
    last_at: datetime
    waiting: bool = False


def opening(messages: Sequence[Forgotten]) -> Forgotten | None:
    """The message of ours that began the request."""
    return next((m for m in messages if m.ours and m.verb == "open" and m.seqno == 1 and m.body), None)


def in_order(messages: Sequence[Forgotten]) -> list[Forgotten]:
    """As they were said: each side's by its numbers, and an answer after what it answers.

    The clocks of the two sides are not compared where a message names what it answers; else the earlier `time` goes
    first. What answers a message that is not here comes when nothing else is left: it is judged by the rules of intake.
    """
    waiting = sorted(messages, key=lambda m: (m.time, m.seqno))
    here = {m.message_id for m in messages}
    done: set[str] = set()
    ordered: list[Forgotten] = []
    while waiting:
        following = _first_of_each_side(waiting)
        ready = [m for m in following if m.causationid not in here or m.causationid in done]
        chosen = min(ready or following, key=lambda m: (m.causationid not in done | {None}, m.time, not m.ours))
        ordered.append(chosen)
        done.add(chosen.message_id)
        waiting.remove(chosen)
    return ordered


def _first_of_each_side(waiting: Sequence[Forgotten]) -> list[Forgotten]:
    first: dict[str, Forgotten] = {}
    for message in sorted(waiting, key=lambda m: m.seqno):
        first.setdefault(message.sender, message)
    return list(first.values())
