"""Writes what a partner is told about its own messages, `lianzhi.gateway.notice`, and `pong` (docs/contracts.md 3.1,
docs/adr/0021).

Version 2 says more: the rule, what to do, the request and the number that we expect next, whose clock is off. A partner
hears it once it has said that it reads it; the readers of earlier libraries refuse a member that they do not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.ports.arrivals import ArrivalUnit
from gateway.application.ports.conversations import RequestUnit
from gateway.core.routing import Participant
from lianzhi.crypto.sdjwt import read_event, take_apart
from lianzhi.crypto.strictjson import MAX_INTEGER
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import TIMESTAMP, is_request_no, opener_of, parse_timestamp

FIRST, NEWEST = 1, 2
VERSION = "notice_version"
NAMES_ANSWERS = "answer-not-lawful"
_MOMENT = re.compile(TIMESTAMP, re.ASCII)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """About which bytes and why. request_no, next_seqno: where they name a request of that partner's; clock_offset_ms:
    the message's `time` minus our clock when it arrived."""

    body_sha256: str
    error: RejectedError
    message_id: str | None = None
    request_no: str | None = None
    next_seqno: int | None = None
    clock_offset_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What bytes say of themselves that nobody has signed for, as far as it can be read."""

    request_no: str | None = None
    time: datetime | None = None


def said_version(body: Any) -> int | None:
    """The newest version that both know, of a ping's body; None when it says nothing of it."""
    said = body.get(VERSION) if isinstance(body, dict) else None
    return min(said, NEWEST) if isinstance(said, int) and not isinstance(said, bool) and said >= FIRST else None


async def version_for(context: Context, tx: ArrivalUnit, partner: Participant) -> int:
    """Its file's word, else its own, else the first."""
    return partner.notice_version or await tx.notice_version(partner.code) or FIRST


def notice_body(told: Told, version: int, incarnation: str) -> dict[str, Any]:
    """The body of a notice. incarnation: of our store (docs/adr/0030)."""
    error, reason = told.error, told.error.reason
    first = error.errors[0] if error.errors else None
    named = first if error.code == NAMES_ANSWERS else None  # a reader of version 1 has the title alone
    next_seqno = told.next_seqno if told.next_seqno is not None and told.next_seqno <= MAX_INTEGER else None
    body = {
        "body_sha256": told.body_sha256,
        "reason": error.code,
        "title_zh": named.detail if named else reason.zh,
        "title_en": named.detail_en if named else reason.en,
        "pointer": error.pointer,
        "message_id": told.message_id,
        "request_no": told.request_no,
        "next_seqno": next_seqno,
    }
    if version > FIRST:
        body |= {
            "version": version,
            "rule": first.rule if first else error.code,
            "detail_zh": first.detail if first else reason.zh,
            "detail_en": first.detail_en if first else reason.en,
            "clock_offset_ms": told.clock_offset_ms,
            "incarnation": incarnation,
        }
    return {name: value for name, value in body.items() if value is not None}


def pong_body(version: int, clock_offset_ms: int, incarnation: str) -> dict[str, Any]:
    """The body of a pong: empty to a partner that has not said version 2."""
    if version == FIRST:
        return {}
    return {VERSION: version, "clock_offset_ms": clock_offset_ms, "incarnation": incarnation}


def offset_ms(time: datetime, now: datetime) -> int:
    """How far a sender's clock is ahead of ours, milliseconds; behind: negative."""
    return (time - now) // _MILLISECOND


def named_in(context: Context, body: bytes) -> Named:
    """The request and the time that bytes name whose signature may be nobody's: good for telling their owner, for
    nothing else. Never raises for what they hold."""
    try:
        event = read_event(take_apart(body, context.limits), context.limits)
    except RejectedError:
        return Named()
    number, time = event.get("subject"), event.get("time")
    return Named(
        number if isinstance(number, str) and is_request_no(number) else None,
        _moment(time) if isinstance(time, str) and _MOMENT.fullmatch(time) else None,
    )


async def expected_of(tx: RequestUnit, request_no: str, partner: str) -> int | None:
    """The number that we expect next from that partner in that request; None when it is none of its own."""
    request = await tx.request(request_no)
    if request is None:
        if opener_of(request_no) != partner:
            return None
        return 1 if await tx.seqno_owner(request_no, partner, 1) is None else 2  # its `open` was refused
    if partner not in (request.asker, request.asked):
        return None
    return (request.asker_seq if partner == request.asker else request.asked_seq) + 1


def _moment(text: str) -> datetime | None:
    try:
        return parse_timestamp(text)
    except ValueError:
        return None
