"""What one unit of work writes, put together from what several decided."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.core.records import Changes, Event, Timer

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
NUMBER = "court-sn0199-20260324-000001"
DUE, UNSENT = Timer(NUMBER, "due", NOW), Timer(NUMBER, "unsent", NOW)


def test_the_last_word_on_a_timer_holds() -> None:
    changes = Changes()
    changes.set_timer(DUE)
    changes.clear_timer(NUMBER, "due")
    assert (changes.timers, changes.timers_clear) == ([], [(NUMBER, "due")])
    changes.set_timer(DUE)
    assert (changes.timers, changes.timers_clear) == ([DUE], [])


def test_what_is_added_comes_after_what_was_said() -> None:
    first, second = Event(NOW, "court-sn0199", "message"), Event(NOW, "court-sn0199", "incident")
    changes, more = Changes(events=[first]), Changes(events=[second])
    changes.set_timer(DUE)
    changes.clear_timer(NUMBER, "unsent")
    more.set_timer(UNSENT)
    more.clear_timer(NUMBER, "due")
    changes.extend(more)
    assert changes.events == [first, second]
    assert (changes.timers, changes.timers_clear) == ([UNSENT], [(NUMBER, "due")])
