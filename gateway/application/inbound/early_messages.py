"""Messages of a participant whose clock is ahead of ours, or ours behind: they wait, and are judged when their time
has come, as if they arrived then (docs/adr/0032).

Only bytes whose signature verifies wait, within the bounds of what waits for an earlier number (docs/adr/0022): the two
share them. A message that waits has used up neither its id nor its number, so the order of its sender's messages is
that of their numbers, as ever, and what is wrong with it is found, by all the rules, when it is let in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.read_message import body_digest
from gateway.application.inbound.ahead_of_turn import bound_reached
from gateway.application.inbound.notices import named_in, offset_ms
from gateway.application.ports.broker import Delivery
from gateway.application.ports.store import Transaction
from gateway.core.records import Changes, EarlyMessage, Event
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.policy import ClockAheadError

AHEAD = "clock-ahead"
WAITS = "held-until-its-time"
"""The rule that a notice names when the message was not refused: it waits."""


def early_message(context: Context, delivery: Delivery, error: ClockAheadError, now: datetime) -> EarlyMessage | None:
    """What is to wait of a delivery; None where it is refused: too far ahead, or outside any request."""
    if error.time - now > timedelta(hours=context.bounds.held_ahead_hours):
        return None
    number = named_in(context, delivery.body).request_no
    if number is None:
        return None
    return EarlyMessage(
        owner=delivery.owner,
        body_sha256=body_digest(delivery.body),
        queue=delivery.queue,
        body=delivery.body,
        user_id=delivery.user_id,
        content_type=delivery.content_type,
        request_no=number,
        time=error.time,
        at=now,
        size=len(delivery.body),
    )


def arrived_early(message: EarlyMessage) -> Delivery:
    """As it came, to be judged again."""
    return Delivery(
        owner=message.owner,
        queue=message.queue,
        body=message.body,
        user_id=message.user_id,
        content_type=message.content_type,
        routing_key="",
        redelivered=True,
        dead_from=None,
        tag=None,
        early=message.id,
    )


class Waiting:
    """Of one unit of work: what it lets wait counts at once."""

    def __init__(self, context: Context, tx: Transaction, changes: Changes, now: datetime) -> None:
        self._ctx, self._tx, self._changes, self._now = context, tx, changes, now

    async def keep(self, message: EarlyMessage) -> RejectedError:
        """It waits, unless there is no room. What its sender is told: that it waits, or that it is refused."""
        key = (message.owner, message.body_sha256)
        waits = any((m.owner, m.body_sha256) == key for m in self._changes.early) or await self._tx.is_early(*key)
        if not waits:
            bound = await self._full(message)
            if bound is not None:
                bound_reached(self._ctx, self._changes, bound, message.owner, self._now)
                return _told(message, self._now, bound.replace("_", "-"), _NO_ROOM)
            self._changes.early.append(message)
        return _told(message, self._now, WAITS, _WAITS)

    async def _full(self, message: EarlyMessage) -> str | None:
        """The bound that is reached, with what waits for an earlier number."""
        bounds, owner, number = self._ctx.bounds, message.owner, message.request_no
        fresh = [m for m in self._changes.early if m.owner == owner]
        here = sum(m.request_no == number for m in fresh)
        here += await self._tx.early_count(owner, number) + await self._tx.held_count(number, owner)
        if here >= bounds.held_per_request:
            return "held_per_request"
        (count, size), (held, held_size) = await self._tx.early_totals(owner), await self._tx.held_totals(owner)
        if len(fresh) + count + held >= bounds.held_per_partner:
            return "held_per_partner"
        if sum(m.size for m in fresh) + size + held_size + message.size > bounds.held_bytes_per_partner:
            return "held_bytes_per_partner"
        return None

    def tell_us(self, owner: str, time: datetime) -> None:
        """An incident an hour: whose clock, by how much, and what the others' clocks say of ours."""
        ctx = self._ctx
        if not ctx.reached.to_be_told(AHEAD, owner, self._now):
            return
        offset = offset_ms(time, self._now)
        middle = ctx.clocks.partners.middle()
        head: dict[str, Any] = {"reason": AHEAD, "participant": owner, "clock_offset_ms": offset}
        if middle is not None:
            head["others_offset_ms"] = middle // timedelta(milliseconds=1)
        detail = f"{AHEAD}:{owner}:{offset}"
        self._changes.events.append(
            Event(at=self._now, audience=ctx.home.code, kind="incident", head=head, detail=detail)
        )


_WAITS = (
    "本报文的时间比网关时钟超前 {seconds} 秒，已暂存，到时自动处理，不必重发；请校准时钟",
    "The message's time is {seconds} s ahead of the gateway's clock. It waits and is dealt with when its time has "
    "come: do not send it again, set the clock",
)
_NO_ROOM = (
    "本报文的时间比网关时钟超前 {seconds} 秒，且暂存已满，未予收下；请校准时钟后原样重发",
    "The message's time is {seconds} s ahead of the gateway's clock and there is no room for more that waits: set the "
    "clock, then send the same bytes again",
)


def _told(message: EarlyMessage, now: datetime, rule: str, texts: tuple[str, str]) -> RejectedError:
    zh, en = (text.format(seconds=round((message.time - now).total_seconds())) for text in texts)
    return RejectedError(AHEAD, [FieldError(pointer="/time", rule=rule, detail=zh, detail_en=en)])
