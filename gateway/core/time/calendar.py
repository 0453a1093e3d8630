"""Which days are worked: weekends, the public holidays of each year, and the days worked instead (调休).

A year is known only from the State Council's notice about it, which appears in the November before. A day of a year
that is not published is guessed from its weekday, and whoever asks is told that it was a guess (docs/domain.md 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

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
