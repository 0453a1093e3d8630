"""Terms that run only while somebody is on duty."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.deadlines import Duty, within_duty
from gateway.registry.calendars import shipped

CALENDAR = shipped()
OFFICE = Duty()
SPLIT = Duty(hours=((time(8, 30), time(12)), (time(14), time(18))), always=("police.*.alert",))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "days", "duty", "end"),
    [
        ("2026-03-24T11:00", 1, OFFICE, "2026-03-25T11:00"),
        ("2026-03-27T20:00", 1, OFFICE, "2026-03-30T17:00"),  # Friday evening: the whole Monday
        ("2026-03-28T12:00", 1, OFFICE, "2026-03-30T17:00"),  # a Saturday
        ("2026-03-24T09:00", 1, OFFICE, "2026-03-24T17:00"),
        ("2026-03-24T17:00", 2, OFFICE, "2026-03-26T17:00"),
        ("2026-09-19T12:00", 1, OFFICE, "2026-09-20T17:00"),  # a Sunday that is worked
        ("2026-09-30T16:00", 1, OFFICE, "2026-10-08T16:00"),  # the holidays in between
        ("2026-03-24T12:30", 1, SPLIT, "2026-03-25T12:00"),
        ("2026-03-24T15:00", 1, SPLIT, "2026-03-25T15:00"),
    ],
)
def test_a_working_day_of_duty(start: str, days: int, duty: Duty, end: str) -> None:
    found = within_duty(at(start), days, duty, CALENDAR)
    assert (found.at, found.on, found.provisional) == (at(end), at(end).date(), False)


def test_it_reaches_into_a_year_that_is_not_published() -> None:
    assert within_duty(at("2026-12-31T16:00"), 1, OFFICE, CALENDAR).provisional
    assert not within_duty(at("2026-12-30T16:00"), 1, OFFICE, CALENDAR).provisional


def test_some_types_are_taken_at_any_hour() -> None:
    assert SPLIT.takes_always("police.person-hit.alert")
    assert not SPLIT.takes_always("police.person-info.query")
    assert not OFFICE.takes_always("police.person-hit.alert")


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 10, 1), timezones=st.just(UTC)),
    st.integers(1, 10),
    st.sampled_from([OFFICE, SPLIT]),
)
def test_it_ends_on_duty_and_more_days_end_later(start: datetime, days: int, duty: Duty) -> None:
    end = within_duty(start, days, duty, CALENDAR)
    clock = end.at.astimezone(SHANGHAI).time()
    assert CALENDAR.is_working(end.on)
    assert any(opens < clock <= closes for opens, closes in duty.hours)
    assert start < end.at < within_duty(start, days + 1, duty, CALENDAR).at
    assert end.at - start >= timedelta(hours=7)
