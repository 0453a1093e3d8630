"""From when on something is told, and to whom: `[alerts]` of the configuration as the core sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from gateway.core.alarms.conditions import Severity
from gateway.core.time.calendar import SHANGHAI

Way = Literal["mail", "webhook"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """name: as the configuration calls it. least: what is less severe is not told it. quiet: from, until, o'clock in
    Shanghai: then nothing that is not critical is told."""

    way: Way
    name: str
    least: Severity = "warning"
    quiet: tuple[time, time] | None = None

    def wants(self, severity: Severity) -> bool:
        return severity == "critical" or self.least == "warning"

    def due(self, severity: Severity, now: datetime) -> datetime:
        """When it is told: now, or when its quiet hours are over."""
        if severity == "critical" or self.quiet is None:
            return now
        begin, end = self.quiet
        local = now.astimezone(SHANGHAI)
        at = local.time()
        if not (begin <= at < end if begin < end else at >= begin or at < end):
            return now
        day = local.date() if at < end else local.date() + timedelta(days=1)
        return datetime.combine(day, end, SHANGHAI).astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True)
class AlarmTerms:
    """Thresholds. message: age of the oldest request to a partner that has not arrived. deadline: before it passes.
    hit: unacknowledged for so long. signatures: refused in an hour, of one partner. clock: between two clocks. soon,
    last: before a key or certificate ends, as a warning and as critical. log: without a line. disk_low, disk_full:
    bytes that are free. backlog_high, backlog_full: shares of `[limits] backlog`. backup_old, backup_stopped: since the
    last one. clear: not seen for so long before the end is told. handbook: where its pages are published, "" for the
    folder docs/handbook. recipients: who is told."""

    message: timedelta = timedelta(minutes=60)
    deadline: timedelta = timedelta(hours=2)
    hit: timedelta = timedelta(minutes=5)
    signatures: int = 3
    clock: timedelta = timedelta(seconds=60)
    soon: timedelta = timedelta(days=30)
    last: timedelta = timedelta(days=7)
    log: timedelta = timedelta(minutes=30)
    disk_low: int = 2048 << 20
    disk_full: int = 256 << 20
    backlog_high: float = 0.5
    backlog_full: float = 0.9
    backup_old: timedelta = timedelta(days=2)
    backup_stopped: timedelta = timedelta(days=8)
    clear: timedelta = timedelta(minutes=5)
    handbook: str = ""
    recipients: tuple[Recipient, ...] = ()
