"""Days, moments and sums on the wire, and how far a day may lie.

Every day and moment lies within `FIRST`…`LAST`, so that no sum of a date and a term leaves the calendar: a registry's
"9999-12-31" for "without end" is no day: the member is left out.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from lianzhi.protocol.rules import broken

FIRST, LAST = date(1600, 1, 1), date(2999, 12, 31)
_SHANGHAI = timedelta(hours=8)

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONEY = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{2}")


def moment(text: str) -> str:
    """RFC 3339 with seconds and an offset. Raises `moment-form`, `day-range`."""
    try:
        at = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        at = None  # shaped like one, but no real time
    if at is None or at.tzinfo is None:
        raise broken("moment-form")
    # On the edges the offset decides whether there is such a time here: years first, which cannot overflow.
    if not FIRST.year < at.year < LAST.year:
        _within(at.date())
        _within((at.replace(tzinfo=None) - (at.utcoffset() or timedelta()) + _SHANGHAI).date())
    return text


def day(text: str) -> str:
    """A real calendar day. Raises `day-form`, `day-range`."""
    try:
        on = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        on = None  # shaped like one, but no real day
    if on is None:
        raise broken("day-form")
    _within(on)
    return text


def month(text: str) -> str:
    """A month `2026-03`. Raises `month-form`, `day-range`."""
    if not _MONTH.fullmatch(text):
        raise broken("month-form")
    if not FIRST.year <= int(text[:4]) <= LAST.year:
        raise _out_of_range()
    return text


def money(text: str) -> str:
    """CNY with two decimals. Raises `money-form`."""
    if not _MONEY.fullmatch(text):
        raise broken("money-form")
    return text


def _within(on: date) -> None:
    if not FIRST <= on <= LAST:
        raise _out_of_range()


def _out_of_range() -> Exception:
    return broken("day-range", first=FIRST.isoformat(), last=LAST.isoformat())
