"""Weeks, months, and hours that are worked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.figures.periods import last_week, month_of, period_named, week_of
from gateway.core.time.calendar import SHANGHAI, Calendar, OfficeHours, after_working_days, local_day, working_hours

DAYS = st.dates(date(1999, 1, 1), date(2100, 1, 1))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def test_a_week_is_monday_to_sunday_in_shanghai() -> None:
    week = period_named("2026-W13")
    assert (week.first, week.last) == (date(2026, 3, 23), date(2026, 3, 29))
    assert week.start == datetime(2026, 3, 22, 16, tzinfo=UTC)
    assert week.end == datetime(2026, 3, 29, 16, tzinfo=UTC)
    assert datetime(2026, 3, 29, 15, 59, tzinfo=UTC) in week
    assert datetime(2026, 3, 29, 16, tzinfo=UTC) not in week
    assert None not in week


@pytest.mark.parametrize(
    "name", ["2026-W54", "2025-W53", "2026-13", "2026-W00", "2026-00", "2026", "2026-W1", "26-W13", ""]
)
def test_what_is_no_period(name: str) -> None:
    with pytest.raises(ValueError):
        period_named(name)


def test_the_year_of_a_week_is_that_of_its_thursday() -> None:
    assert week_of(date(2027, 1, 3)).name == "2026-W53"
    assert week_of(date(2025, 12, 29)).name == "2026-W01"
    assert period_named("2026-W53").last == date(2027, 1, 3)


def test_on_monday_last_week_is_put_on_the_table() -> None:
    assert last_week(date(2026, 3, 30)).name == "2026-W13"
    assert last_week(date(2026, 4, 5)).name == "2026-W13"


def test_a_month() -> None:
    assert (period_named("2026-02").first, period_named("2026-02").last) == (date(2026, 2, 1), date(2026, 2, 28))
    assert period_named("2026-12").end == datetime(2027, 1, 1, tzinfo=SHANGHAI)


@given(DAYS)
def test_periods_lie_side_by_side(day: date) -> None:
    for period in (week_of(day), month_of(day)):
        assert period.has_day(day)
        assert period_named(period.name) == period
        assert period.before().last + timedelta(days=1) == period.first
        assert period.before().end == period.start


@given(MOMENTS, st.integers(1, 10))
def test_so_many_working_days_lie_between(start: datetime, count: int) -> None:
    end = after_working_days(start, count, Calendar(()))
    days = [local_day(start) + timedelta(days=n) for n in range(1, 40)]
    between = [day for day in days if day < local_day(end)]
    assert sum(day.weekday() < 5 for day in between) == count
    assert between[-1].weekday() < 5


@given(MOMENTS, st.integers(0, 20 * 1440), st.integers(0, 20 * 1440))
def test_hours_add_up(start: datetime, first: int, second: int) -> None:
    middle = start + timedelta(minutes=first)
    end = middle + timedelta(minutes=second)

    def hours(a: datetime, b: datetime) -> float:
        return working_hours(a, b, Calendar(()), OfficeHours())

    assert hours(start, end) == pytest.approx(hours(start, middle) + hours(middle, end))
    assert 0 <= hours(start, end) <= (end - start) / timedelta(hours=1)
    assert hours(end, start) == 0
