"""When a term ends: the kinds of docs/domain.md section 6, on a dated calendar, in Shanghai's days.

`legal_days`: day 0 does not count; a last day that is a rest day moves to the next working day (CPL-85).
`legal_months`: to the same day of a later month, the last of a shorter one (民法典 202); then likewise.
`working_days`: only worked days count. All these end with their last day, at 24:00. `clock_hours`: day and night.
A term that had to guess a day (`core.time.calendar`) is `provisional`; once the year is published it is computed again.

Two kinds of term have rules of their own and stand below: those of the law's table, and those that run only while
somebody is on duty at the participant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from gateway.core.time.calendar import DAY, SHANGHAI, Calendar
from lianzhi.errors import RejectedError
from schemas.catalogue import Deadline, DeadlineKind, LastDay, MatterType
from schemas.law.terms import term
from schemas.validation import rule_error
from schemas.values.terms import months_later

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a term. on: its last day in Shanghai; at: the moment, UTC."""

    on: date
    at: datetime
    provisional: bool = False


def due(deadline: Deadline, start: datetime, calendar: Calendar) -> Due:
    """The end of a term that begins at `start` (aware). An amount of 0 days ends with the day of `start`, or the
    working day that follows it."""
    if deadline.kind is DeadlineKind.CLOCK_HOURS:
        at = start.astimezone(UTC) + deadline.amount * HOUR
        return Due(day_of(at), at)
    return _in_days(deadline, day_of(start), calendar)


def last_day(deadline: Deadline, day: date, calendar: Calendar) -> date:
    """The last day of a term in days that begins on `day`."""
    return _in_days(deadline, day, calendar).on


@lru_cache(maxsize=4096)
def _in_days(deadline: Deadline, day: date, calendar: Calendar) -> Due:
    """Remembered: what is opened on one day mostly has one of a few terms, and a calendar never changes."""
    if deadline.kind is DeadlineKind.WORKING_DAYS:
        return _whole(*working_days(day, deadline.amount, calendar))
    return _whole(*_working_from(_last_day(deadline, day), calendar))


def _last_day(deadline: Deadline, day: date) -> date:
    """Of a legal term that begins on `day`, before a rest day moves it."""
    if deadline.kind is DeadlineKind.LEGAL_MONTHS:
        return date.fromisoformat(months_later(day.isoformat(), deadline.amount))
    return day + deadline.amount * DAY


def working_days(start: date, amount: int, calendar: Calendar) -> tuple[date, bool]:
    """The `amount`-th working day after `start`, and whether a day in between was guessed."""
    day, guessed = start, False
    if amount == 0:
        return _working_from(start, calendar)
    while amount:
        day += DAY
        guessed = guessed or not calendar.is_published(day)
        amount -= calendar.is_working(day)
    return day, guessed


def after(end: Due, amount: int, calendar: Calendar) -> Due:
    """`amount` working days after the end of a term: at 24:00 where it ended at 24:00, else at the same time of day."""
    day, guessed = working_days(end.on, amount, calendar)
    clock = end.at.astimezone(SHANGHAI)
    midnight = clock.date() != end.on
    at = _end_of(day) if midnight else datetime.combine(day, clock.timetz()).astimezone(UTC)
    return Due(day, at, end.provisional or guessed)


def left(deadline: Deadline, start: datetime, stop: datetime, calendar: Calendar) -> Deadline:
    """What is left of a term from `start` when it is interrupted at `stop`: never below 0, in its own kind; of months,
    in legal days.

    Days that have begun count as used, hours are rounded up to the next full one in the party's favour. A legal term
    whose last day has come on a rest day has not expired: its end is the next working day (CPL-85 (3)), and what is
    left are the days up to that. Before that day nothing has moved, and nothing is added to the days that are left.
    """
    if deadline.kind is DeadlineKind.CLOCK_HOURS:
        used = (stop - start) // HOUR
        return Deadline(deadline.kind, max(0, deadline.amount - used))
    if deadline.kind is DeadlineKind.WORKING_DAYS:
        used = working_days_between(day_of(start), day_of(stop), calendar)
        return Deadline(deadline.kind, max(0, deadline.amount - used))
    today, last = day_of(stop), _last_day(deadline, day_of(start))
    end = last if today < last else _working_from(last, calendar)[0]
    return Deadline(DeadlineKind.LEGAL_DAYS, max(0, (end - today) // DAY))


def working_days_between(start: date, stop: date, calendar: Calendar) -> int:
    """Working days after `start` up to and with `stop`."""
    return sum(calendar.is_working(start + n * DAY) for n in range(1, (stop - start) // DAY + 1))


def day_of(moment: datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def _working_from(day: date, calendar: Calendar) -> tuple[date, bool]:
    """`day`, or the first working day that follows."""
    while not calendar.is_working(day):
        day += DAY
    return day, not calendar.is_published(day)


def _whole(day: date, guessed: bool) -> Due:
    return Due(day, _end_of(day), guessed)


def _end_of(day: date) -> datetime:
    """24:00 of that day."""
    return datetime.combine(day + DAY, time(), SHANGHAI).astimezone(UTC)


# --- terms of the law's table
#
# The table (`schemas.law.terms`) tells how many days of which kind; only the gateway has the calendar, so a payload
# states days and this judges them.


_KINDS = {"legal": DeadlineKind.LEGAL_DAYS, "working": DeadlineKind.WORKING_DAYS}


def ends_on(name: str, since: str, calendar: Calendar) -> date:
    """The last day of the term `name` that begins on `since`, YYYY-MM-DD, which does not count itself (CPL-85)."""
    begins = date.fromisoformat(since)
    found = term(name, begins)
    return last_day(Deadline(_KINDS[found.kind], found.days), begins, calendar)


def check_last_days(matter: MatterType, payload: Any, calendar: Calendar) -> None:
    """payload: the validated model. Raises RejectedError invalid-field: each day that is later than its term allows."""
    faults = [
        rule_error(stated.rule, f"/payload{stated.pointer}", **_words(stated))
        for stated in matter.last_days(payload)
        if _late(stated, calendar)
    ]
    if faults:
        raise RejectedError("invalid-field", faults)


def _late(stated: LastDay, calendar: Calendar) -> bool:
    return date.fromisoformat(stated.day) > max(ends_on(name, since, calendar) for name, since in stated.terms)


def _words(stated: LastDay) -> dict[str, str]:
    name, since = stated.terms[-1]
    found = term(name, date.fromisoformat(since))
    working = found.kind == "working"
    return {
        "longest": f"{found.days} 个工作日" if working else f"{found.days} 日",
        "longest_en": f"{found.days} working days" if working else f"{found.days} days",
        "source": found.source,
    }


# --- terms that run only while somebody is there at a participant (`[duty]` in its file, docs/examples.md)


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
