"""Cursors of pages and of the feed: written and read by the gateway, opaque to clients, so that their content may
change.

A page cursor holds the last key. A feed cursor holds an event's id, which alone decides order and position, and the
time of that event as a hint to a reader: no clock of ours, whatever it says, makes a cursor wrong (docs/adr/0032).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.core.recovery.marks import SHORT, Age, common_event
from lianzhi.crypto import base64url
from lianzhi.errors import RejectedError

_FEED = re.compile(r"(?:f1|f2\.(?P<age>[0-9a-f]{8}))\.(?P<event>[0-9]{1,18})\.(?P<seconds>[0-9]{1,11})")
_PAGE = re.compile(r"p1\.([ -~]{1,80})")
_EVENT = re.compile(r"e1\.([0-9]{1,18})")
_MESSAGE = re.compile(r"m1\.([0-9]{1,16})\.([0-9a-f-]{36})")
_LONGEST = 160
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def page_cursor(last: str) -> str:
    """last: key of the last row of the page, ASCII."""
    return base64url.encode(f"p1.{last}".encode())


def page_after(cursor: str) -> str:
    """The key in it. Raises RejectedError bad-cursor."""
    return _read(_PAGE, cursor)[1]


def event_cursor(event_id: int) -> str:
    """Of a timeline."""
    return base64url.encode(f"e1.{event_id}".encode())


def event_after(cursor: str) -> int:
    """Raises RejectedError bad-cursor."""
    return int(_read(_EVENT, cursor)[1])


def message_cursor(stored_at: datetime, message_id: str) -> str:
    """Of the messages of a request, in the order in which they were stored."""
    micros = (stored_at - FIRST) // timedelta(microseconds=1)
    return base64url.encode(f"m1.{micros}.{message_id}".encode())


def message_after(cursor: str) -> tuple[datetime, str]:
    """Raises RejectedError bad-cursor."""
    found = _read(_MESSAGE, cursor)
    return FIRST + timedelta(microseconds=int(found[1])), found[2]


def feed_cursor(event_id: int, at: datetime, ages: Sequence[Age]) -> str:
    """Of one event, the same in every answer of one incarnation. at: when it was written; nothing is decided by it.
    ages: of the store, the present one last."""
    return _feed(event_id, int(at.timestamp()), ages)


def _feed(event_id: int, seconds: int, ages: Sequence[Age]) -> str:
    return base64url.encode(f"f2.{ages[-1].incarnation[:SHORT]}.{event_id}.{seconds}".encode())


def feed_after(cursor: str, oldest: int | None, ages: Sequence[Age]) -> int:
    """The event id to read on from. oldest: id of the first event that is kept, of anybody's; None: there is none.
    `f1` is the form of the first incarnation's.

    Raises RejectedError bad-cursor; cursor-gone: an event behind it may have been deleted; other-incarnation (with the
    cursor to go on with, where there is one)."""
    found = _read(_FEED, cursor)
    after = _in_this_age(found, ages)
    if oldest is not None and after < oldest - 1:
        raise RejectedError("cursor-gone", pointer="/after")
    return after


def _in_this_age(found: re.Match[str], ages: Sequence[Age]) -> int:
    """Raises RejectedError other-incarnation: ids beyond the last common event are given anew."""
    age, event_id, seconds = found["age"], int(found["event"]), int(found["seconds"])
    if (age or ages[0].incarnation[:SHORT]) == ages[-1].incarnation[:SHORT]:
        return event_id
    shared = common_event(ages, age)
    go_on = None if shared is None else _feed(min(event_id, shared), seconds, ages)
    raise RejectedError("other-incarnation", pointer="/after", cursor=go_on)


def _read(pattern: re.Pattern[str], cursor: str) -> re.Match[str]:
    if len(cursor) <= _LONGEST and cursor.isascii():
        try:
            found = pattern.fullmatch(base64url.decode(cursor).decode("ascii"))
        except ValueError:
            found = None
        if found is not None:
            return found
    raise RejectedError("bad-cursor", pointer="/after")
