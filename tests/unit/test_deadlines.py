"""Terms on the published calendar: the vectors, every 调休 beside an independent library, and what must always hold."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.time.calendar import SHANGHAI, Calendar, Year
from gateway.core.time.deadlines import after, day_of, due, left, working_days, working_days_between
from gateway.registry.calendars import read_year, shipped
from lianzhi.errors import ConfigurationError
from schemas.catalogue import Deadline, DeadlineKind

CALENDAR = shipped()
DAY = timedelta(days=1)
is_workday = cache(chinese_calendar.is_workday)  # each day is asked for hundreds of times below
VECTORS = json.loads(Path("tests/vectors/deadlines.json").read_text(encoding="utf-8"))
KINDS = st.sampled_from([DeadlineKind.LEGAL_DAYS, DeadlineKind.WORKING_DAYS, DeadlineKind.CLOCK_HOURS])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 10, 1), timezones=st.just(UTC))
AMOUNTS = st.integers(0, 40)


def noon(day: str | date) -> datetime:
    return datetime.combine(date.fromisoformat(str(day)), time(12), SHANGHAI)


def days(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


def adjusted(year: int) -> list[date]:
    """Every day of that year whose weekday does not say whether it is worked, says the other library."""
    return [
        d for d in days(date(year, 1, 1), date(year, 12, 31)) if chinese_calendar.is_workday(d) != (d.weekday() < 5)
    ]


# --- the calendar


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_is_what_the_other_library_says(year: int) -> None:
    for day in days(date(year, 1, 1), date(year, 12, 31)):
        assert CALENDAR.is_working(day) == chinese_calendar.is_workday(day), day


def test_each_year_names_its_notice() -> None:
    notices = {y.year: (y.notice, y.issued_on) for y in CALENDAR.years.values()}
    assert notices[2026] == ("国办发明电〔2025〕7号", date(2025, 11, 4))
    assert set(notices) == {2024, 2025, 2026}


def test_a_year_that_is_not_published_is_never_invented() -> None:
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(2027, 1, 4))
    assert not CALENDAR.is_published(date(2027, 1, 4))
    assert CALENDAR.known_until(date(2025, 5, 1)) == date(2027, 1, 1)
    assert CALENDAR.known_until(date(2027, 5, 1)) == date(2027, 5, 1)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"year": "2026", "rest": "[2027-01-04]"}, "2027-01-04 不在 2026 年"),
        ({"rest": "[2027-01-02]"}, "本是周末"),
        ({"work": "[2027-01-04]"}, "本是工作日"),
        ({"notice": '" "'}, "文号"),
        ({"issued_on": "2020-11-01"}, "通知日期"),
        ({"rest": '["元旦"]'}, "rest.0"),
        ({"rest": ""}, "TOML"),
    ],
)
def test_a_calendar_file_that_is_wrong_is_refused(tmp_path: Path, change: dict[str, str], fault: str) -> None:
    members = {"year": "2027", "notice": '"演示1号"', "issued_on": "2026-11-04", "rest": "[2027-01-01]", "work": "[]"}
    path = tmp_path / "year.toml"
    path.write_text("\n".join(f"{k} = {v}" for k, v in (members | change).items()), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=fault):
        read_year(path)


# --- terms


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['kind']}-{v['start']}-{v['days']}")
def test_vectors(vector: dict[str, Any]) -> None:
    end = due(Deadline(DeadlineKind(vector["kind"]), vector["days"]), noon(vector["start"]), CALENDAR)
    assert end.provisional == (vector["due"] == "provisional")
    if not end.provisional:
        assert end.on == date.fromisoformat(vector["due"])
        assert end.at == datetime.combine(end.on + DAY, time(), SHANGHAI)


@pytest.mark.parametrize("year", [2025, 2026])
@pytest.mark.parametrize("amount", [1, 2, 3, 7, 10, 15])
def test_around_every_adjusted_day_both_kinds_agree_with_the_other_library(year: int, amount: int) -> None:
    assert len(adjusted(year)) >= 20
    for day in adjusted(year):
        for start in days(day - 12 * DAY, day + 3 * DAY):
            if (start + 40 * DAY).year > 2026 or start.year < 2024:
                continue
            worked = [d for d in days(start + DAY, start + 40 * DAY) if is_workday(d)]
            assert due(Deadline(DeadlineKind.WORKING_DAYS, amount), noon(start), CALENDAR).on == worked[amount - 1]
            last = next(d for d in days(start + amount * DAY, start + 40 * DAY) if is_workday(d))
            assert due(Deadline(DeadlineKind.LEGAL_DAYS, amount), noon(start), CALENDAR).on == last


def test_a_make_up_sunday_ends_a_legal_term_and_a_holiday_does_not() -> None:
    assert due(Deadline(DeadlineKind.LEGAL_DAYS, 3), noon("2026-09-17"), CALENDAR).on == date(2026, 9, 20)
    assert due(Deadline(DeadlineKind.LEGAL_DAYS, 3), noon("2026-09-22"), CALENDAR).on == date(2026, 9, 28)


def test_the_day_is_shanghais() -> None:
    """20:30 UTC is the next morning there."""
    late = datetime(2026, 3, 23, 20, 30, tzinfo=UTC)
    assert due(Deadline(DeadlineKind.WORKING_DAYS, 1), late, CALENDAR).on == date(2026, 3, 25)


def test_hours_run_through_holidays() -> None:
    start = datetime(2026, 9, 30, 9, 15, tzinfo=UTC)
    end = due(Deadline(DeadlineKind.CLOCK_HOURS, 24), start, CALENDAR)
    assert (end.at, end.on, end.provisional) == (start + DAY, date(2026, 10, 1), False)


def test_a_provisional_term_becomes_certain_when_its_year_is_published() -> None:
    ask = Deadline(DeadlineKind.WORKING_DAYS, 3)
    year = Year(2027, "演示", date(2026, 11, 4), frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset())
    guess = due(ask, noon("2026-12-30"), CALENDAR)
    sure = due(ask, noon("2026-12-30"), Calendar([*CALENDAR.years.values(), year]))
    assert (guess.on, guess.provisional) == (date(2027, 1, 4), True)
    assert (sure.on, sure.provisional) == (date(2027, 1, 6), False)


def test_working_days_after_an_end_keep_its_time_of_day() -> None:
    friday = due(Deadline(DeadlineKind.WORKING_DAYS, 1), noon("2026-03-26"), CALENDAR)
    assert after(friday, 1, CALENDAR).at == datetime(2026, 3, 31, 0, 0, tzinfo=SHANGHAI)
    hours = due(Deadline(DeadlineKind.CLOCK_HOURS, 24), noon("2026-03-26"), CALENDAR)
    assert after(hours, 1, CALENDAR).at == datetime(2026, 3, 30, 12, 0, tzinfo=SHANGHAI)


@given(KINDS, MOMENTS, AMOUNTS)
def test_a_term_ends_on_a_working_day_and_never_before_its_days_are_over(
    kind: DeadlineKind, start: datetime, amount: int
) -> None:
    end = due(Deadline(kind, amount), start, CALENDAR)
    if kind is DeadlineKind.CLOCK_HOURS:
        assert end.at - start == timedelta(hours=amount)
        return
    assert CALENDAR.is_working(end.on)
    assert end.on >= day_of(start) + amount * DAY if kind is DeadlineKind.LEGAL_DAYS else end.on >= day_of(start)
    assert end.at == datetime.combine(end.on + DAY, time(), SHANGHAI)
    assert not end.provisional


@given(KINDS, MOMENTS, AMOUNTS, st.integers(0, 30 * 24))
def test_longer_or_later_is_never_due_earlier(kind: DeadlineKind, start: datetime, amount: int, later: int) -> None:
    one = due(Deadline(kind, amount), start, CALENDAR)
    assert due(Deadline(kind, amount + 1), start, CALENDAR).at >= one.at
    assert due(Deadline(kind, amount), start + timedelta(hours=later), CALENDAR).at >= one.at


@given(MOMENTS, st.integers(1, 40))
def test_counting_forth_and_back(start: datetime, amount: int) -> None:
    day, guessed = working_days(day_of(start), amount, CALENDAR)
    assert not guessed
    assert working_days_between(day_of(start), day, CALENDAR) == amount


@given(KINDS, MOMENTS, AMOUNTS, st.integers(0, 40 * 24))
def test_an_interruption_that_lasts_no_time_costs_no_time(
    kind: DeadlineKind, start: datetime, amount: int, hours: int
) -> None:
    ask = Deadline(kind, amount)
    whole = due(ask, start, CALENDAR)
    stop = start + timedelta(hours=hours)
    if stop >= whole.at:
        assert left(ask, start, stop, CALENDAR).amount == 0
    else:
        assert due(left(ask, start, stop, CALENDAR), stop, CALENDAR) == whole


@pytest.mark.parametrize(
    ("start", "months", "on"),
    [
        ("2025-07-02", 3, "2025-10-09"),  # 10-02 lies in the holiday
        ("2025-11-30", 3, "2026-02-28"),  # a shorter month ends it with its last day (民法典 202), a make-up Saturday
        ("2026-03-24", 3, "2026-06-24"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2025-12-20", 1, "2026-01-20"),
        ("2025-09-09", 1, "2025-10-09"),
    ],
)
def test_months_run_to_the_same_day_and_a_last_day_on_a_holiday_moves_on(start: str, months: int, on: str) -> None:
    assert due(Deadline(DeadlineKind.LEGAL_MONTHS, months), noon(start), CALENDAR).on.isoformat() == on


@pytest.mark.parametrize(
    ("kind", "amount", "start", "stop", "days"),
    [
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-09-30", 1),  # the last day has not come: nothing has moved
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-10-01", 8),  # it has come, on a holiday: 10-09 is the end
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-10-03", 6),
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-10-08", 1),
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-10-09", 0),
        (DeadlineKind.LEGAL_DAYS, 7, "2025-09-24", "2025-10-20", 0),
        (DeadlineKind.LEGAL_MONTHS, 3, "2025-07-02", "2025-09-30", 2),
        (DeadlineKind.LEGAL_MONTHS, 3, "2025-07-02", "2025-10-03", 6),
        (DeadlineKind.LEGAL_MONTHS, 3, "2025-07-02", "2025-10-09", 0),
    ],
)
def test_what_an_interruption_leaves_of_a_legal_term(
    kind: DeadlineKind, amount: int, start: str, stop: str, days: int
) -> None:
    """A term that a holiday has moved keeps the days up to where it was moved to (CPL-85 (3))."""
    rest = left(Deadline(kind, amount), noon(start), noon(stop), CALENDAR)
    assert rest == Deadline(DeadlineKind.LEGAL_DAYS, days)


@given(MOMENTS, st.integers(1, 3), st.integers(0, 120))
def test_an_interruption_of_months_costs_no_time(start: datetime, months: int, days: int) -> None:
    ask, stop = Deadline(DeadlineKind.LEGAL_MONTHS, months), start + days * DAY
    whole = due(ask, start, CALENDAR)
    if stop < whole.at:
        assert due(left(ask, start, stop, CALENDAR), stop, CALENDAR) == whole
