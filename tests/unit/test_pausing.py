"""A participant whose queue takes nothing: when it is tried again, and with how much (docs/adr/0023)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.core.pausing import OPEN_AFTER, accepted, detail, paused, refused
from gateway.core.retry import Backoff

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
BACKOFF = Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=1))


def test_each_refusal_makes_the_wait_longer_unless_something_went() -> None:
    pause = paused("police-610199.urgent", "queue-full", NOW, BACKOFF, told=True)
    assert (pause.participant, pause.until, pause.failures, pause.allowed) == (
        "police-610199", NOW + BACKOFF.after(1), 1, 1,
    )  # fmt: skip
    again = refused(pause, "queue-silent", NOW, BACKOFF, some_went=False)
    assert (again.reason, again.failures, again.until) == ("queue-silent", 2, NOW + BACKOFF.after(2))
    assert again.until > pause.until
    some = refused(again, "queue-full", NOW, BACKOFF, some_went=True)
    assert (some.failures, some.until) == (1, pause.until)


def test_after_a_trial_that_went_twice_as_many_go_until_it_is_open() -> None:
    pause = paused("police-610199", "queue-full", NOW, BACKOFF, told=True)
    sizes = []
    while (following := accepted(pause, NOW, more_waits=True)) is not None:
        pause = following
        sizes.append(pause.allowed)
    assert sizes == [2, 4, 8, 16, 32, OPEN_AFTER]
    assert accepted(paused("police-610199", "queue-full", NOW, BACKOFF, told=True), NOW, more_waits=False) is None


def test_what_the_feed_says() -> None:
    assert detail(paused("police-610199.urgent", "queue-full", NOW, BACKOFF, told=True)) == (
        "queue-full:police-610199.urgent"
    )
    assert detail(paused("police-610199.normal", "queue-missing", NOW, BACKOFF, told=True)) == (
        "queue-missing:police-610199"
    )
