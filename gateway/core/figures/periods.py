"""The week (Monday to Sunday) or month that a report is about, Asia/Shanghai (docs/domain.md section 10)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gateway.core.time.calendar import DAY, midnight, months_later

EARLIEST, LATEST = 1949, 9998
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Period:
    """name: `2026-W13` or `2026-03`. first, last: its days, both inside. start, end: its first moment, and the first
    after it; made once, for every counted row asks."""

    name: str
    first: date
    last: date
    start: datetime = field(init=False, compare=False, repr=False)
    end: datetime = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", midnight(self.first))
        object.__setattr__(self, "end", midnight(self.last + DAY))

    @property
    def is_week(self) -> bool:
        return "W" in self.name

    def __contains__(self, moment: datetime | None) -> bool:
        return moment is not None and self.start <= moment < self.end

    def has_day(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last

    def before(self) -> Period:
        """The one that ends when this begins."""
        return week_of(self.first - DAY) if self.is_week else month_of(self.first - DAY)


def week_of(day: date) -> Period:
    year, week, weekday = day.isocalendar()
    first = day - timedelta(days=weekday - 1)
    return Period(f"{year:04d}-W{week:02d}", first, first + timedelta(days=6))


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    return Period(f"{first:%Y-%m}", first, months_later(first, 1) - DAY)


def period_named(name: str) -> Period:
    """`2026-W13` (ISO 8601) or `2026-03`. Raises ValueError: not such a name, or no such week or month."""
    if found := _WEEK.fullmatch(name):
        first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    elif found := _MONTH.fullmatch(name):
        first = date(int(found[1]), int(found[2]), 1)
    else:
        raise ValueError(name)
    if not EARLIEST <= first.year <= LATEST:  # the period before it and the one after must be dates, too
        raise ValueError(name)
    return week_of(first) if "W" in name else month_of(first)


def last_week(today: date) -> Period:
    """The last one that is over: what is put on the table on Monday."""
    return week_of(today).before()
