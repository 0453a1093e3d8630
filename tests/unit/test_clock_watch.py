"""A step is noticed with its size; a step forward is in doubt until another clock says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.application.context import Clocks
from gateway.core.time.clock_watch import QUORUM, SAMPLES, ClockWatch, PartnerOffsets, Reading

NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOUBT_AFTER = 5 * MINUTE


class Clock:
    """A machine: time passes, and somebody sets the wall clock."""

    def __init__(self) -> None:
        self.wall, self.monotonic = NOW, 1000.0
        self.watch = ClockWatch(DOUBT_AFTER)
        self.passes(SECOND)

    def passes(self, time: timedelta, step: timedelta = timedelta(0)) -> timedelta | None:
        self.wall += time + step
        self.monotonic += time.total_seconds()
        found = self.watch.look(Reading(self.wall, self.monotonic))
        return None if found is None else found.size


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), max_size=20))
def test_time_that_passes_is_no_step(passing: list[timedelta]) -> None:
    clock = Clock()
    assert [clock.passes(time) for time in passing] == [None] * len(passing)
    assert clock.watch.sure(clock.wall) == clock.wall


@pytest.mark.parametrize("size", [HOUR, -HOUR, 3 * HOUR, 30 * SECOND, -30 * SECOND])
def test_a_step_is_noticed_once_with_its_size(size: timedelta) -> None:
    clock = Clock()
    assert clock.passes(SECOND, size) == size
    assert clock.passes(SECOND) is None
    assert clock.watch.steps() == {"forward": int(size > timedelta(0)), "back": int(size < timedelta(0))}


def test_an_adjustment_is_no_step() -> None:
    clock = Clock()
    assert clock.passes(SECOND, SECOND) is None


@pytest.mark.parametrize(("size", "doubt"), [(HOUR, HOUR), (30 * SECOND, timedelta(0)), (-HOUR, timedelta(0))])
def test_nothing_final_is_decided_by_a_large_step_forward(size: timedelta, doubt: timedelta) -> None:
    clock = Clock()
    clock.passes(SECOND, size)
    assert clock.watch.doubt == doubt
    assert clock.watch.sure(clock.wall) == clock.wall - doubt


def test_steps_add_up_and_a_step_back_ends_the_doubt() -> None:
    clock = Clock()
    clock.passes(SECOND, 3 * MINUTE)
    assert not clock.watch.doubt
    clock.passes(SECOND, 3 * MINUTE)
    assert clock.watch.doubt == 6 * MINUTE
    clock.passes(SECOND, -6 * MINUTE)
    assert not clock.watch.doubt


@pytest.mark.parametrize(
    ("offset", "proves", "doubt"),
    [
        (timedelta(0), True, timedelta(0)),
        (30 * SECOND, True, timedelta(0)),
        (timedelta(0), False, HOUR),
        (-HOUR, True, HOUR),
        (-HOUR, False, HOUR),
        (10 * MINUTE, True, HOUR),
    ],
    ids=["confirms", "nearly", "may be our own", "denies", "denies from here", "is none of the two"],
)
def test_another_clock_is_heard(offset: timedelta, proves: bool, doubt: timedelta) -> None:
    clock = Clock()
    clock.passes(SECOND, HOUR)
    clock.watch.heard(offset, proves=proves)
    assert clock.watch.doubt == doubt


def test_a_clock_that_was_ahead_from_the_start_is_doubted_when_another_says_so() -> None:
    clock = Clock()
    clock.watch.heard(-HOUR, proves=False)
    assert clock.watch.sure(clock.wall) == clock.wall - HOUR


def test_what_travelled_for_long_does_not_make_a_clock_slow() -> None:
    offsets = PartnerOffsets()
    assert offsets.heard("police", NOW - HOUR, NOW) == -HOUR
    assert offsets.heard("police", NOW - SECOND, NOW) == -SECOND
    assert offsets.heard("police", NOW - HOUR, NOW) == -SECOND
    for _ in range(SAMPLES):
        last = offsets.heard("police", NOW - HOUR, NOW)
    assert last == -HOUR, "a clock that was set shows after so many"


def test_one_partner_or_two_prove_nothing_and_one_of_three_cannot_move_the_middle() -> None:
    offsets = PartnerOffsets()
    for n in range(QUORUM):
        assert offsets.middle() is None
        offsets.heard(f"partner-{n}", NOW, NOW)
    assert offsets.middle() == timedelta(0)
    offsets.heard("partner-1", NOW + 30 * HOUR, NOW)
    assert offsets.middle() == timedelta(0)


def test_what_a_partners_clock_shows_is_written_when_it_moves_and_now_and_then() -> None:
    clocks = Clocks()
    first = clocks.heard("police", NOW + HOUR, NOW)
    assert first is not None and first.offset_ms == 3_600_000
    assert clocks.heard("police", NOW + HOUR, NOW) is None
    assert clocks.heard("police", NOW + HOUR + 2 * SECOND, NOW) is not None
    assert clocks.heard("police", NOW + HOUR, NOW + 6 * MINUTE) is not None
    assert clocks.heard("police", NOW - HOUR, NOW - HOUR) is not None, "our own was set back"
