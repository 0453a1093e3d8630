"""How long a measure may last: pure arithmetic on days written `YYYY-MM-DD`."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from lianzhi.protocol.rules import broken
from schemas.values.objects import Measure


def years_later(day: str, years: int) -> str:
    """The same day `years` on; 29 February becomes 28 February. Raises ValueError beyond the year 9999."""
    start = date.fromisoformat(day)
    try:
        return start.replace(year=start.year + years).isoformat()
    except ValueError:
        return start.replace(year=start.year + years, day=28).isoformat()


def days_later(day: str, days: int) -> str:
    """The day that many days on. Raises OverflowError beyond the year 9999."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def days_between(start_on: str, end_on: str) -> int:
    """How many days the second is after the first; negative when it is before."""
    return (date.fromisoformat(end_on) - date.fromisoformat(start_on)).days


def months_later(day: str, months: int) -> str:
    """The same day `months` on; where that month is too short, its last day."""
    start = date.fromisoformat(day)
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(years, month + 1, min(start.day, monthrange(years, month + 1)[1])).isoformat()


def within_months(start_on: str, end_on: str, months: int) -> bool:
    """Whether `end_on` is at most `months` months after `start_on`, the same day included."""
    reaches_beyond_dates = date.fromisoformat(start_on).year + months // 12 >= date.max.year
    return reaches_beyond_dates or end_on <= months_later(start_on, months)


def check_order(start_on: str, end_on: str, *, at: str = "/end_on") -> None:
    """Raises PydanticCustomError `end-before-start` at `at`."""
    if end_on < start_on:
        raise broken("end-before-start", at=at)


def check_years(start_on: str, end_on: str, years: int, *, at: str = "/end_on") -> None:
    """At most `years` years, the same day included. Raises `end-before-start`, `term-too-long`."""
    check_order(start_on, end_on, at=at)
    if date.fromisoformat(start_on).year + years <= date.max.year and end_on > years_later(start_on, years):
        raise broken("term-too-long", at=at, longest=f"{years} 年", longest_en=f"{years} years")


def check_days(start_on: str, end_on: str, days: int, *, at: str = "/end_on") -> None:
    """At most `days` days after the first. Raises `end-before-start`, `term-too-long`."""
    check_order(start_on, end_on, at=at)
    if date.fromisoformat(end_on) - date.fromisoformat(start_on) > timedelta(days=days):
        raise broken("term-too-long", at=at, longest=f"{days} 天", longest_en=f"{days} days")


def check_months(start_on: str, end_on: str, months: int, *, at: str = "/end_on") -> None:
    """At most `months` months, the same day included. Raises `end-before-start`, `term-too-long`."""
    check_order(start_on, end_on, at=at)
    if not within_months(start_on, end_on, months):
        raise broken("term-too-long", at=at, longest=f"{months} 个月", longest_en=f"{months} months")


def check_prolonging(current_end_on: str, end_on: str, *, today: date | None) -> None:
    """A control that is prolonged is still in force on the day of asking, and then ends later.

    today: the day in Asia/Shanghai; None does not ask. Raises `renewal-late` at /current_end_on,
    `renewal-not-longer` at /end_on.
    """
    if today is not None and current_end_on < today.isoformat():
        raise broken("renewal-late", at="/current_end_on")
    if end_on <= current_end_on:
        raise broken("renewal-not-longer", at="/end_on")


def check_renewal(original: Measure, start_on: str, end_on: str) -> None:
    """A renewal joins on without a gap and ends later (docs/domain.md section 3: complete before the end).

    Raises `renewal-gap` at /start_on, `renewal-not-longer` at /end_on.
    """
    if date.fromisoformat(start_on) - date.fromisoformat(original.end_on) > timedelta(days=1):
        raise broken("renewal-gap", at="/start_on")
    if end_on <= original.end_on:
        raise broken("renewal-not-longer", at="/end_on")
