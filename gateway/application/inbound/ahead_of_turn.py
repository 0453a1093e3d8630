"""Messages ahead of their turn: whether one may wait, and how much waits already (docs/adr/0022).

Reaching a bound refuses the one message that is too much, and only that: its number is not used up, so that the same
bytes may come again when there is room. Its sender gets a notice with the number that is waited for; a person is told
once an hour.
"""

from __future__ import annotations

from datetime import datetime

from gateway.application.context import Context
from gateway.application.conversation.read_message import Arrived
from gateway.application.conversation.request_unit import Conversation
from gateway.core.records import Changes, Event
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

TOO_FAR, TOO_MUCH = "seqno-too-far", "held-limit"
_TEXTS = {
    "held_distance": (
        "顺序号比所缺的 {missing} 号超前太多，最多超前 {bound}",
        "The seqno is too far ahead of {missing}, which is missing; at most {bound} ahead",
    ),
    "held_per_request": (
        "该请求已有 {bound} 件报文在等待 {missing} 号，请先补发 {missing} 号，再发本件",
        "{bound} messages of this request wait for seqno {missing} already; send that one first, then this one again",
    ),
    "held_per_partner": (
        "本单位已有 {bound} 件报文在等待所缺顺序号，请先补发（本请求缺 {missing} 号），再发本件",
        "{bound} messages of yours wait for missing ones already; send those first (here seqno {missing}), then this",
    ),
    "held_bytes_per_partner": (
        "本单位等待中的报文已达 {bound} 字节，请先补发所缺顺序号（本请求缺 {missing} 号），再发本件",
        "Messages of yours that wait have {bound} bytes already; send the missing ones first (here seqno {missing})",
    ),
}


def too_far(talk: Conversation, arrived: Arrived, last: int) -> RejectedError:
    """last: the number of the same sender in the same request that was applied last; 0: none."""
    return _refused(TOO_FAR, talk, arrived, last, "held_distance")


async def no_room(talk: Conversation, arrived: Arrived, last: int) -> RejectedError | None:
    """Why it cannot wait; None when it can."""
    bounds, envelope = talk.context.bounds, arrived.envelope
    if await talk.held_count(envelope.subject, envelope.sender) >= bounds.held_per_request:
        return _refused(TOO_MUCH, talk, arrived, last, "held_per_request")
    count, size = await talk.held_totals(envelope.sender)
    if count >= bounds.held_per_partner:
        return _refused(TOO_MUCH, talk, arrived, last, "held_per_partner")
    if size + len(arrived.parsed.jws) + len(arrived.parsed.disclosure) > bounds.held_bytes_per_partner:
        return _refused(TOO_MUCH, talk, arrived, last, "held_bytes_per_partner")
    return None


def bound_reached(
    context: Context, changes: Changes, bound: str, participant: str, now: datetime, *, times: int = 1
) -> None:
    """Counts it, and writes the incident that a person reads, at most once an hour."""
    context.reached.count(bound, participant, times)
    if context.reached.to_be_told(bound, participant, now):
        detail = f"bound:{bound}:{participant}"
        changes.events.append(Event(at=now, audience=context.home.code, kind="incident", detail=detail))


def _refused(code: str, talk: Conversation, arrived: Arrived, last: int, bound: str) -> RejectedError:
    bound_reached(talk.context, talk.changes, bound, arrived.envelope.sender, talk.now)
    told = {"bound": getattr(talk.context.bounds, bound), "missing": last + 1}
    zh, en = _TEXTS[bound]
    error = FieldError(
        pointer="/seqno", rule=bound.replace("_", "-"), detail=zh.format_map(told), detail_en=en.format_map(told)
    )
    return RejectedError(code, [error])
