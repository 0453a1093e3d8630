"""Reading `lianzhi.gateway.notice`, version 1 and 2: what the gateway says of bytes of ours that it refused.

Only `reason` has to be there. A member that we do not know is passed over, and so is one that is not of its form: a
notice is for a person who must be told, and a newer gateway may say more than we understand. What is kept is codes,
numbers and texts without control characters, so that a notice can write nothing of its own into a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lianzhi.partner.ledger.records import Notice
from lianzhi.printable import code_or_unknown, printable
from lianzhi.protocol.envelope import UUID7, OutsideEnvelope, is_request_no

NOTICE_VERSION = 2
"""Said in every ping of ours: without it the gateway writes version 1."""

_TITLE, _DETAIL, _POINTER = 200, 2_000, 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST = 2**53 - 1


def read_notice(envelope: OutsideEnvelope, body: Mapping[str, Any]) -> Notice | None:
    """None when it gives no reason at all."""
    if not isinstance(body.get("reason"), str):
        return None
    reason = code_or_unknown(body["reason"])
    return Notice(
        sender=envelope.sender,
        id=envelope.id,
        at=envelope.time,
        reason=reason,
        title_zh=_text(body.get("title_zh"), _TITLE) or "",
        title_en=_text(body.get("title_en"), _TITLE) or "",
        message_id=_matching(body.get("message_id"), UUID7),
        pointer=_text(body.get("pointer"), _POINTER),
        request_no=request_no_in(body),
        next_seqno=_number(body.get("next_seqno"), 1, _MOST),
        body_sha256=_matching(body.get("body_sha256"), _SHA256.pattern),
        rule=code_or_unknown(body["rule"]) if "rule" in body else None,
        detail_zh=_text(body.get("detail_zh"), _DETAIL),
        detail_en=_text(body.get("detail_en"), _DETAIL),
        clock_offset_ms=clock_offset_in(body),
    )


def request_no_in(body: Mapping[str, Any]) -> str | None:
    """The request that the notice belongs to."""
    value = body.get("request_no")
    return value if isinstance(value, str) and is_request_no(value) else None


def clock_offset_in(body: Mapping[str, Any]) -> int | None:
    """Of a notice or a pong: our message's `time` minus the gateway's clock when it came, milliseconds."""
    return _number(body.get("clock_offset_ms"), -_MOST, _MOST)


def _text(value: Any, most: int) -> str | None:
    return printable(value, most) if isinstance(value, str) else None


def _matching(value: Any, pattern: str) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(pattern, value) else None


def _number(value: Any, least: int, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None
