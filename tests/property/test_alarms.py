"""Whatever is seen in whatever order: an alarm is opened once, raised once at most, closed once, and never flaps."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.alarms.conditions import CONDITIONS, FAMILIES, Condition
from gateway.core.alarms.figures import HERE, Look, Reading
from gateway.core.alarms.standing import Alarm, State, steps
from gateway.core.alarms.terms import AlarmTerms

NOW = datetime(2026, 3, 23, 2, 0, tzinfo=UTC)
TERMS = AlarmTerms()
MINUTES = st.integers(0, 20)
SHOWN: dict[str, list[Condition]] = {
    family: [one for one in CONDITIONS.values() if one.family == family] for family in sorted(FAMILIES)
}
NAMES = st.sampled_from(["message-old", "partner-no-consumer", "disk-low", "disk-full", "broker-away", "key-ends"])


@st.composite
def looks(draw: st.DrawFn) -> tuple[int, Look]:
    """(minutes since the last one, what is seen), by one of two machines that look at some families only."""
    names = draw(st.sets(NAMES))
    families = frozenset(draw(st.sets(st.sampled_from(sorted(FAMILIES))))) | {CONDITIONS[name].family for name in names}
    readings: dict[tuple[str, str], Reading] = {}
    for name in sorted(names):
        subject = draw(st.sampled_from(["", "police-610114"]))
        readings.setdefault((CONDITIONS[name].family, subject), Reading(CONDITIONS[name], subject))
    return draw(MINUTES), Look(list(readings.values()), families, draw(st.sampled_from(["a", "b"])))


def played(seen: list[tuple[int, Look]]) -> tuple[list[tuple[State, Alarm, datetime]], list[Alarm]]:
    """What is told in that order, and what stands in the end."""
    standing: dict[tuple[str, str, str], Alarm] = {}
    told: list[tuple[State, Alarm, datetime]] = []
    now, numbers = NOW, count(1)
    for minutes, look in seen:
        now += timedelta(minutes=minutes)
        found = steps(list(standing.values()), look, TERMS, now, lambda: str(next(numbers)))
        assert not {one.key for one in found.put} & {one.key for one in found.gone}
        standing |= {one.key: one for one in found.put}
        for gone in found.gone:
            del standing[gone.key]
        told += [(state, alarm, now) for state, alarm in found.told]
    return told, list(standing.values())


@given(st.lists(looks(), max_size=30))
def test_opened_once_raised_once_at_most_closed_once(seen: list[tuple[int, Look]]) -> None:
    told, standing = played(seen)
    by_alarm: dict[str, list[State]] = {}
    for state, alarm, _ in told:
        by_alarm.setdefault(alarm.alarm_id, []).append(state)
    for states in by_alarm.values():
        assert states in (
            ["opened"],
            ["opened", "raised"],
            ["opened", "closed"],
            ["opened", "raised", "closed"],
        )
    open_now = {alarm.alarm_id for alarm in standing if alarm.opened_at is not None}
    assert open_now == {number for number, states in by_alarm.items() if states[-1] != "closed"}


@given(st.lists(looks(), max_size=30))
def test_one_trouble_is_one_alarm_at_a_time(seen: list[tuple[int, Look]]) -> None:
    told, _ = played(seen)
    open_keys: Counter[tuple[str, str, str]] = Counter()
    for state, alarm, _ in told:
        open_keys[alarm.key] += {"opened": 1, "closed": -1}.get(state, 0)
        assert open_keys[alarm.key] in (0, 1)


@given(st.lists(looks(), max_size=30))
def test_all_clear_comes_no_sooner_than_it_lasts(seen: list[tuple[int, Look]]) -> None:
    """Between an alarm's end and the look that showed it last lies the whole of `clear`."""
    now, last = NOW, dict[tuple[str, str, str], datetime]()
    times = {}
    for number, (minutes, look) in enumerate(seen):
        now += timedelta(minutes=minutes)
        times[number] = now
        for reading in look.readings:
            family = reading.condition.family
            last.setdefault((family, reading.subject, look.scope(family)), now)
    told, _ = played(seen)
    for state, alarm, at in told:
        if state == "closed":
            shown = [
                times[number]
                for number, (_, look) in enumerate(seen)
                for r in look.readings
                if (r.condition.family, r.subject, look.scope(r.condition.family)) == alarm.key and times[number] < at
            ]
            assert not shown or at - max(shown) >= TERMS.clear


@given(st.lists(looks(), max_size=20))
def test_when_nothing_is_wrong_for_long_enough_nothing_stands(seen: list[tuple[int, Look]]) -> None:
    quiet = [(minutes, Look([], FAMILIES, host)) for minutes in (0, 6, 61, 6) for host in ("a", "b")]
    _, standing = played([*seen, *quiet])
    assert standing == []


@given(st.lists(looks(), max_size=20))
def test_what_was_not_looked_at_neither_begins_nor_ends(seen: list[tuple[int, Look]]) -> None:
    told, standing = played(seen)
    again, after = played([*seen, (30, Look([], frozenset(), "a"))])
    assert again[: len(told)] == told
    mine = [one for one in standing if one.scope in ("", "a")]
    assert [one for one in after if one.scope in ("", "a")] == mine


def test_every_family_of_one_machine_is_named() -> None:
    assert {"disk", "log", "broker", "clock", "certificate", "backup"} == HERE <= FAMILIES
    assert all(SHOWN.values())
