"""Cursors are ours to make and to read: opaque to the client, so that their content may change.

A page cursor holds the last key. A feed cursor also holds when it was given: events are kept for so many days, so a
cursor that is older may have missed some, and nobody is left to guess (docs/design.md 3.3 Feed).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from gateway.crypto import base64url
from gateway.errors import RejectedError

_FEED = re.compile(r"f1\.([0-9]{1,18})\.([0-9]{1,12})")
_PAGE = re.compile(r"p1\.([ -~]{1,80})")
_LONGEST = 160
SKEW = timedelta(hours=1)
"""Two clocks of ours, and the time between an event's `at` and its commit, never differ by more."""


def page_cursor(last: str) -> str:
    """last: key of the last row of the page, ASCII."""
    return base64url.encode(f"p1.{last}".encode())


def page_after(cursor: str) -> str:
    """The key in it. Raises RejectedError bad-cursor."""
    return _read(_PAGE, cursor)[1]


def feed_cursor(event_id: int, now: datetime) -> str:
    return base64url.encode(f"f1.{event_id}.{int(now.timestamp())}".encode())


def feed_after(cursor: str, now: datetime, days: int) -> int:
    """The event id to read on from. days: how long events are kept. Raises RejectedError bad-cursor, cursor-gone."""
    found = _read(_FEED, cursor)
    given = datetime.fromtimestamp(int(found[2]), UTC)
    if given > now + SKEW:
        raise RejectedError("bad-cursor", pointer="/after")
    if given < now - timedelta(days=days) + SKEW:
        raise RejectedError("cursor-gone", pointer="/after")
    return int(found[1])


def _read(pattern: re.Pattern[str], cursor: str) -> re.Match[str]:
    if len(cursor) <= _LONGEST and cursor.isascii():
        try:
            found = pattern.fullmatch(base64url.decode(cursor).decode("ascii"))
        except ValueError:
            found = None
        if found is not None:
            return found
    raise RejectedError("bad-cursor", pointer="/after")
