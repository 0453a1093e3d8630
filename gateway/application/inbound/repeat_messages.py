"""A partner says which messages of a request it lacks, and gets our stored bytes again (docs/adr/0031).

It says so by a `lianzhi.gateway.notice` with the reason `sequence-gap`, `request_no` and `next_seqno`, the number that
it takes next: its ledger is gone, or a queue with our messages in it was. What it gets is the very same bytes from
that number on, in order, and before them a notice with the number that we expect next of it, so that a new ledger
counts on from there.

It decides about its own request only, and about nothing in it: no state, no clock, no measure moves. At most
`sent_again_per_request` messages an hour; what is beyond that it asks for again later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.compose import Composer
from gateway.application.conversation.read_message import ArrivedOutside
from gateway.application.conversation.request_unit import Conversation, last_seqno
from gateway.application.deadlines.redelivery import tell_expected
from gateway.application.inbound.ahead_of_turn import bound_reached
from gateway.application.ports.conversations import Requests
from gateway.core.records import Request
from gateway.core.requests.facts import SentAgain
from lianzhi.crypto.strictjson import MAX_INTEGER
from lianzhi.protocol.envelope import GATEWAY_NOTICE, is_request_no

LACKING = "sequence-gap"
HOUR = timedelta(hours=1)
BEHIND_THE_NOTICE = timedelta(seconds=1)
"""The bytes go so long after the number that we expect: who reads that first does not use up a number in vain."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a notice says that its sender lacks: everything of the other side from this number on."""

    request_no: str
    seqno: int


def lacking(arrived: ArrivedOutside) -> Lacking | None:
    """None: a notice that asks for nothing, or no notice at all. What is not of its form asks for nothing."""
    body: Any = arrived.parsed.content
    if arrived.envelope.type != GATEWAY_NOTICE or not isinstance(body, dict) or body.get("reason") != LACKING:
        return None
    number, seqno = body.get("request_no"), body.get("next_seqno")
    if not isinstance(number, str) or not is_request_no(number):
        return None
    if not isinstance(seqno, int) or isinstance(seqno, bool) or not 1 <= seqno <= MAX_INTEGER:
        return None
    return Lacking(number, seqno)


async def own_request(tx: Requests, arrived: ArrivedOutside) -> str | None:
    """The request to be locked for it: only one that its sender is a party of, so that nobody's notice ever holds up
    another's work."""
    wanted = lacking(arrived)
    request = await tx.request(wanted.request_no) if wanted is not None else None
    parties = (request.asker, request.asked) if request is not None else ()
    return request.request_no if request is not None and arrived.envelope.sender in parties else None


class Repeater:
    def __init__(self, context: Context, composer: Composer) -> None:
        self._ctx = context
        self._composer = composer

    async def heed(self, talk: Conversation, arrived: ArrivedOutside) -> None:
        """Our bytes into the outbox once more, as far as they still exist and there is room."""
        wanted, sender = lacking(arrived), arrived.envelope.sender
        request = talk.requests.get(wanted.request_no) if wanted is not None else None
        if wanted is None or request is None or sender not in (request.asker, request.asked):
            return
        other = request.other(sender)
        if not self._ctx.participant(other).local:  # its own words, which we do not hold
            return
        room = self._room(request, talk.now)
        found = await talk.tx.sent_from(request.request_no, other, wanted.seqno, room + 1)
        if len(found) > room:
            bound_reached(self._ctx, talk.changes, "sent_again_per_request", sender, talk.now)
        again = found[:room]
        if not again:
            return
        due = talk.now + BEHIND_THE_NOTICE
        talk.changes.outbox_in_order += [(due, other, message_id) for message_id, _ in again]
        times = self._count(request, len(again), talk.now)
        talk.touch(request)
        talk.tell(request, "sent-again", detail=f"asked:{again[0][1]}-{again[-1][1]}")
        side = request.side(sender)
        await tell_expected(
            talk,
            self._composer,
            request,
            side,
            about=f"lacking:{request.request_no}:{last_seqno(request, side) + 1}:{times}",
        )

    def _room(self, request: Request, now: datetime) -> int:
        """Messages that may still go again in this hour."""
        said = self._of_this_hour(request, now)
        return max(0, self._ctx.bounds.sent_again_per_request - int(said["messages"]))

    def _count(self, request: Request, messages: int, now: datetime) -> str:
        """What tells this occasion from the one before."""
        said = self._of_this_hour(request, now)
        said["messages"] += messages
        request.facts = {**request.facts, "again": said}
        return f"{said['since']}:{said['messages']}"

    def _of_this_hour(self, request: Request, now: datetime) -> SentAgain:
        said = request.facts.get("again")
        if said is not None and timedelta(0) <= now - datetime.fromisoformat(said["since"]) < HOUR:
            return said.copy()
        return {"since": now.isoformat(), "messages": 0}
