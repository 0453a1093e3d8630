"""Which days and hours are worked: weekends, public holidays, the days worked instead (调休), a court's office hours.

A year is known only from the State Council's notice about it, which appears in the November before. A day of a year
that is not published is guessed from its weekday, and whoever asks is told that it was a guess (docs/domain.md 6).
Days are those of Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Year:
    """One year as its notice arranges it. notice: number of the notice, 国办发明电〔2025〕7号. rest: Mondays to Fridays
    off. work: Saturdays and Sundays that are worked."""

    year: int
    notice: str
    issued_on: date
    rest: frozenset[date]
    work: frozenset[date]

    def faults(self) -> list[str]:
        """What cannot be right about it; empty when it holds. In Chinese and English."""
        found = []
        if not self.notice.strip():
            found.append("缺少通知文号 The number of the notice is missing")
        if self.issued_on.year not in (self.year - 1, self.year):
            found.append(f"通知日期 {self.issued_on} 与年份不符 The notice is not of that year or the one before")
        for day in sorted(self.rest | self.work):
            if day.year != self.year:
                found.append(f"{day} 不在 {self.year} 年 Not a day of {self.year}")
        found += [f"{day} 本是周末 A day off that is a weekend anyway" for day in sorted(self.rest) if is_weekend(day)]
        found += [
            f"{day} 本是工作日 A day worked that is a weekday" for day in sorted(self.work) if not is_weekend(day)
        ]
        return found


class Calendar:
    """Published years; of two for one year the later holds. Never changed: another calendar is another object."""

    def __init__(self, years: Iterable[Year]) -> None:
        self.years: Mapping[int, Year] = {year.year: year for year in years}

    def is_published(self, day: date) -> bool:
        return day.year in self.years

    def is_working(self, day: date) -> bool:
        """Of a year that is not published: Monday to Friday."""
        year = self.years.get(day.year)
        if year is None:
            return not is_weekend(day)
        return day in year.work or (day not in year.rest and not is_weekend(day))

    def known_until(self, day: date) -> date:
        """First day that is not published, from `day` on; `day` itself where its year is not."""
        year = day.year
        while year in self.years:
            year += 1
        return day if year == day.year else date(year, 1, 1)


def is_weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


# --- working days and hours, on whatever calendar is given
#
# Day 0 is not counted; a term in working days ends with the last of them.


class WorkingDays(Protocol):
    """A calendar."""

    def is_working(self, day: date) -> bool:
        """For any day; beyond the last published year as well as one can tell."""
        ...


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When a court works on a working day; spans in order, local time. Default [D]: eight hours."""

    spans: tuple[tuple[time, time], ...] = ((time(8, 30), time(12)), (time(13, 30), time(18)))


def local_day(moment: datetime) -> date:
    """The day in Shanghai of an aware moment."""
    return moment.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """When `day` begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)


def after_working_days(start: datetime, count: int, days: WorkingDays) -> datetime:
    """The first moment after `count` whole working days, the day of `start` not counted."""
    day = local_day(start)
    while count > 0:
        day += DAY
        count -= days.is_working(day)
    return midnight(day + DAY)


def working_hours(start: datetime, end: datetime, days: WorkingDays, hours: OfficeHours) -> float:
    """Hours of office time between two moments; 0 when `end` is not after `start`."""
    total, day, last = timedelta(0), local_day(start), local_day(end)
    while day <= last:
        if days.is_working(day):
            for opens, closes in hours.spans:
                begins = max(start, datetime.combine(day, opens, SHANGHAI))
                ends = min(end, datetime.combine(day, closes, SHANGHAI))
                total += max(ends - begins, timedelta(0))
        day += DAY
    return total / timedelta(hours=1)


def months_later(day: date, months: int) -> date:
    """The same day of a later month; its last day where it has no such day (民法典 202)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - DAY)
