"""When a partner counts as silent (`gateway.core.silence`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.core.silence import ABSENT, SHORTEST, Exchange, habit_of, silent

NOW = datetime(2026, 3, 25, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def answered(took: timedelta, ago: timedelta = timedelta(days=2)) -> Exchange:
    """Shown at that time before now."""
    return Exchange(NOW - ago, NOW - ago, NOW - ago + took, None, open=False)


def waits(shown: timedelta | None, *, sent: timedelta = timedelta(days=1), due: timedelta | None = None) -> Exchange:
    """shown, due: so long ago."""
    at = None if shown is None else NOW - shown
    return Exchange(NOW - sent, at, None, None if due is None else NOW - due, open=True)


def test_a_partner_that_is_connected_and_owes_nothing_is_not_silent() -> None:
    assert silent(None, [], NOW) is None
    assert silent(None, [answered(HOUR)], NOW) is None


def test_without_a_consumer_for_longer_than_a_restart_takes() -> None:
    assert silent(NOW - ABSENT + MINUTE, [], NOW) is None
    assert silent(NOW - ABSENT, [], NOW) == ("no-consumer", NOW - ABSENT)


def test_the_cause_that_explains_the_others_is_named() -> None:
    everything = [waits(None), waits(30 * HOUR, due=HOUR)]
    assert silent(NOW - HOUR, everything, NOW) == ("no-consumer", NOW - HOUR)
    assert silent(None, everything, NOW) == ("not-delivered", NOW - timedelta(days=1))
    assert silent(None, everything[1:], NOW) == ("not-answered", NOW - 30 * HOUR)


def test_what_was_sent_just_now_may_still_be_on_its_way() -> None:
    assert silent(None, [waits(None, sent=29 * MINUTE)], NOW) is None
    assert silent(None, [waits(None, sent=30 * MINUTE)], NOW) == ("not-delivered", NOW - 30 * MINUTE)


def test_what_has_not_been_sent_is_no_silence_of_the_partner() -> None:
    assert silent(None, [Exchange(None, None, None, NOW - HOUR, open=True)], NOW) is None


def test_below_twenty_answers_the_term_of_the_catalogue_counts() -> None:
    few = [answered(HOUR) for _ in range(19)]
    assert silent(None, [*few, waits(30 * HOUR, due=-HOUR)], NOW) is None
    assert silent(None, [*few, waits(30 * HOUR, due=HOUR)], NOW) == ("not-answered", NOW - 30 * HOUR)


def test_what_is_late_at_a_partner_that_answers_others_is_no_silence() -> None:
    assert silent(None, [answered(HOUR, 3 * HOUR), waits(30 * HOUR, due=HOUR)], NOW) is None


@pytest.mark.parametrize(("waited", "cause"), [(5 * HOUR, None), (6 * HOUR + MINUTE, "not-answered")])
def test_from_twenty_answers_on_its_own_habit_counts(waited: timedelta, cause: str | None) -> None:
    habit = [answered(6 * HOUR), answered(90 * HOUR, timedelta(days=20)), *(answered(HOUR) for _ in range(18))]
    assert habit_of(habit) == 6 * HOUR
    found = silent(None, [*habit, waits(waited)], NOW)
    assert (found and found[0]) == cause


def test_a_quick_partner_may_be_silent_for_an_hour() -> None:
    assert habit_of([answered(MINUTE) for _ in range(20)]) == SHORTEST
