"""Which alarms stand, and what one more look changes: each is opened once, raised once at most, closed once. Pure.

What is seen is told when it has been seen for its condition's hold; its end, when it has not been seen for
`AlarmTerms.clear`: something that comes and goes within that time is one alarm. Only a family that was looked at begins
or ends; what another machine has seen of itself is its own, until it has not looked for `GONE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from gateway.core.alarms.conditions import Severity
from gateway.core.alarms.figures import Look, Reading
from gateway.core.alarms.terms import AlarmTerms

State = Literal["opened", "raised", "closed", "test"]
"""raised: it has become critical. test: somebody tries whether it arrives."""
LOOKED = timedelta(minutes=10)
"""So often the store learns that an alarm is still looked at."""
GONE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble as it stands in the store. scope: the machine that it is of, else "". condition: by the last look;
    severity: the worst so far. seen_at: since when; opened_at: when it was told, None: not yet. clear_at: since when it
    is not seen any more. facts: of the last look that changed the row. own: its beginning and end are incidents that it
    writes itself."""

    family: str
    subject: str
    scope: str
    alarm_id: str
    condition: str
    severity: Severity
    seen_at: datetime
    looked_at: datetime
    facts: dict[str, int | str]
    opened_at: datetime | None = None
    clear_at: datetime | None = None
    own: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return self.family, self.subject, self.scope


@dataclass(slots=True)
class Steps:
    """put: rows as they are from now on. gone: that stand no more. told: what is to be told, with the row that says
    it."""

    put: list[Alarm] = field(default_factory=list)
    gone: list[Alarm] = field(default_factory=list)
    told: list[tuple[State, Alarm]] = field(default_factory=list)

    @property
    def none(self) -> bool:
        return not (self.put or self.gone or self.told)


def steps(standing: Sequence[Alarm], look: Look, terms: AlarmTerms, now: datetime, new_id: Callable[[], str]) -> Steps:
    """From one look to the next. standing: all rows."""
    found, known = Steps(), {alarm.key: alarm for alarm in standing}
    seen = {(r.condition.family, r.subject, look.scope(r.condition.family)): r for r in look.readings}
    for key, reading in seen.items():
        _seen(found, known.get(key), key, reading, now, new_id)
    for key, alarm in known.items():
        if key in seen:
            continue
        if alarm.scope == look.scope(alarm.family):
            if alarm.family in look.families:
                _unseen(found, alarm, terms, now)
        elif now - alarm.looked_at >= GONE:
            _end(found, alarm)
    return found


def _seen(
    found: Steps,
    known: Alarm | None,
    key: tuple[str, str, str],
    reading: Reading,
    now: datetime,
    new_id: Callable[[], str],
) -> None:
    condition, facts = reading.condition, dict(reading.facts)
    if known is None:
        alarm = Alarm(*key, new_id(), condition.name, condition.severity, now, now, facts)
    else:
        worst: Severity = "critical" if "critical" in (known.severity, condition.severity) else "warning"
        alarm = replace(known, condition=condition.name, severity=worst, clear_at=None)
        alarm = replace(alarm, seen_at=min(alarm.seen_at, now))  # a clock that was set back
    if alarm.opened_at is None:
        if now - alarm.seen_at >= condition.hold:
            alarm = replace(alarm, opened_at=now, facts=facts, own=condition.incident)
            found.told.append(("opened", alarm))
    elif known is not None and alarm.severity != known.severity:
        alarm = replace(alarm, facts=facts)
        found.told.append(("raised", alarm))
    _put(found, known, alarm, now, facts)


def _put(found: Steps, known: Alarm | None, alarm: Alarm, now: datetime, facts: Mapping[str, int | str]) -> None:
    """Where anything has changed, or the row has not been written for `LOOKED`."""
    stale = not timedelta(0) <= now - alarm.looked_at < LOOKED
    if alarm != known or stale:
        found.put.append(replace(alarm, looked_at=now, facts=dict(facts)))


def _unseen(found: Steps, alarm: Alarm, terms: AlarmTerms, now: datetime) -> None:
    if alarm.opened_at is None:
        found.gone.append(alarm)
        return
    since = now if alarm.clear_at is None else min(alarm.clear_at, now)
    if now - since >= terms.clear:
        _end(found, alarm)
    elif since != alarm.clear_at or not timedelta(0) <= now - alarm.looked_at < LOOKED:
        found.put.append(replace(alarm, clear_at=since, looked_at=now))


def _end(found: Steps, alarm: Alarm) -> None:
    found.gone.append(alarm)
    if alarm.opened_at is not None:
        found.told.append(("closed", alarm))
