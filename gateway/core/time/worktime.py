"""Working days and working hours, Asia/Shanghai, on whatever calendar is given (docs/domain.md section 6).

Day 0 is not counted; a term in working days ends with the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from gateway.core.approvals import SHANGHAI

DAY = timedelta(days=1)


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
