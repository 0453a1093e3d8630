"""When somebody is there at a participant (`[duty]` in its file, docs/examples.md), and terms that run only then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase

from gateway.core.time.calendar import DAY, Calendar
from gateway.core.time.deadlines import SHANGHAI, Due, day_of

Hours = tuple[time, time]
_ANY = date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Duty:
    """hours: from and to, on each working day, in order and apart. always: types that are taken at any hour."""

    hours: tuple[Hours, ...] = ((time(9), time(17)),)
    always: tuple[str, ...] = ()

    def takes_always(self, matter: str) -> bool:
        return any(fnmatchcase(matter, pattern) for pattern in self.always)

    def day(self) -> timedelta:
        """How much of a working day is duty."""
        return sum((_on(_ANY, end) - _on(_ANY, start) for start, end in self.hours), timedelta())


def within_duty(start: datetime, days: int, duty: Duty, calendar: Calendar) -> Due:
    """`days` working days of duty after `start` (aware): as many hours as these days have, counted only on duty.

    Delivered Friday at 20:00, one day, 09:00 to 17:00: Monday at 17:00. Delivered at 11:00: at 11:00 of the next
    working day. days: at least 1.
    """
    left, guessed = days * duty.day(), False
    for opens, closes, published in _shifts(day_of(start), duty, calendar):
        guessed = guessed or not published
        here = closes - max(opens, start)
        if here <= timedelta():
            continue
        if here >= left:
            at = max(opens, start) + left
            return Due(day_of(at), at.astimezone(UTC), guessed)
        left -= here
    raise AssertionError("shifts never end")


def _shifts(day: date, duty: Duty, calendar: Calendar) -> Iterator[tuple[datetime, datetime, bool]]:
    while True:
        published = calendar.is_published(day)
        if calendar.is_working(day):
            for start, end in duty.hours:
                yield _on(day, start), _on(day, end), published
        day += DAY


def _on(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)
