"""The rows that a report counts, and by what they are split. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.time.calendar import (
    DAY,
    OfficeHours,
    WorkingDays,
    after_working_days,
    local_day,
    midnight,
    working_hours,
)

MOST = 20
"""Lines of one split; what has fewer requests is counted together."""
OTHERS = "*"
"""Key of the line of the rest."""
UNNAMED = ""
"""Key of the line of what names no team, no leader, …: with it, the lines add up to the total."""
SPLITS = ("type", "campaign", "lead", "team", "handler")
"""What the report is split by, beside the partner: members of every counted row."""


@dataclass(frozen=True, slots=True)
class Working:
    """The calendar and the office hours that terms are counted by, of one report."""

    days: WorkingDays
    hours: OfficeHours = field(default_factory=OfficeHours)
    _ends: dict[tuple[date, int], datetime] = field(default_factory=dict, compare=False, repr=False)
    _whole: dict[tuple[date, date], float] = field(default_factory=dict, compare=False, repr=False)

    def after(self, start: datetime, count: int) -> datetime:
        """The first moment after `count` whole working days, the day of `start` not counted. Kept: thousands of rows
        have the same day."""
        key = (local_day(start), count)
        if key not in self._ends:
            self._ends[key] = after_working_days(start, count, self.days)
        return self._ends[key]

    def between(self, start: datetime, end: datetime) -> float:
        """Hours of office time. The whole days between the first and the last are counted once for each such pair."""
        first, last = local_day(start), local_day(end)
        if first >= last:
            return working_hours(start, end, self.days, self.hours)
        if (first, last) not in self._whole:
            whole = working_hours(midnight(first + DAY), midnight(last), self.days, self.hours)
            self._whole[first, last] = whole
        begun = working_hours(start, midnight(first + DAY), self.days, self.hours)
        return begun + self._whole[first, last] + working_hours(midnight(last), end, self.days, self.hours)


@dataclass(frozen=True, slots=True)
class Rows:
    """What is counted. measures: those that are live or lapsed, as items of `measure-ending`. items: of the ledgers, as
    they stood at the end."""

    asks: Sequence[Ask] = ()
    alerts: Sequence[Alert] = ()
    measures: Sequence[LedgerItem] = ()
    items: Sequence[LedgerItem] = ()

    def by(self, member: str) -> dict[str, Rows]:
        """Those of each value of `member` (`partner`, or one of `SPLITS`), in order; what has none is under `""`."""
        kinds = [_by(rows, member) for rows in (self.asks, self.alerts, self.measures, self.items)]
        keys = sorted({key for kind in kinds for key in kind})
        return {key: Rows(*(kind.get(key, ()) for kind in kinds)) for key in keys}  # type: ignore[arg-type]


def _by(rows: Iterable[Ask | Alert | LedgerItem], member: str) -> dict[str, list[Ask | Alert | LedgerItem]]:
    found: dict[str, list[Ask | Alert | LedgerItem]] = {}
    for row in rows:
        found.setdefault(getattr(row, member) or UNNAMED, []).append(row)
    return found


def together(parts: Iterable[Rows]) -> Rows:
    """All of them as one."""
    every = list(parts)
    return Rows(
        [row for rows in every for row in rows.asks],
        [row for rows in every for row in rows.alerts],
        [row for rows in every for row in rows.measures],
        [row for rows in every for row in rows.items],
    )


def largest(rows: Mapping[str, Rows], most: int = MOST) -> Mapping[str, Rows]:
    """Those with most requests and hits, and under `OTHERS` the rest as one."""
    if len(rows.keys() - {UNNAMED}) <= most:
        return rows
    named = [key for key in rows if key != UNNAMED]
    ordered = sorted(named, key=lambda key: (-len(rows[key].asks) - len(rows[key].alerts), key))
    shown = {key: rows[key] for key in rows if key in (*ordered[:most], UNNAMED)}
    return {**shown, OTHERS: together(rows[key] for key in ordered[most:])}
