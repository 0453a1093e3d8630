"""What the court's president has to look at: each late request by itself, what lapsed, what nobody confirmed, hits that
were not met in time, requests that never arrived, and partners that are silent. Pure.

It lists exactly what the figures of the same report count (`verdicts`), so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import Period
from gateway.core.figures.rows import Rows, Working
from gateway.core.figures.verdicts import (
    acknowledged_in_time,
    is_past_due,
    is_unconfirmed,
    is_undelivered,
    lapsed_in,
)
from gateway.core.silence import Silence
from gateway.core.time.calendar import local_day

SHOWN = 30
"""Of a long list, how many are printed and answered; a workbook has them all."""


@dataclass(frozen=True, slots=True)
class Late:
    """A request past its deadline. hours: working time past it, as of the report. answered_at: of one that was
    answered after the end of the period."""

    ask: Ask
    hours: float
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """A hit that was acknowledged too late (minutes: after how many) or not at all (None)."""

    alert: Alert
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What one partner has not got: how many requests, and since when the oldest of them waits."""

    partner: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Attention:
    """late, ours_late: the longest overdue first, of what we asked for and of what others asked of us. unconfirmed:
    the longest waiting first. silent: as they are when the report is made."""

    late: Sequence[Late] = ()
    ours_late: Sequence[Late] = ()
    lapsed: Sequence[LedgerItem] = ()
    unconfirmed: Sequence[Ask] = ()
    hits: Sequence[Missed] = ()
    undelivered: Sequence[Undelivered] = ()
    silent: Sequence[Silence] = ()


def attention(
    period: Period, rows: Rows, now: datetime, working: Working, silences: Sequence[Silence] = ()
) -> Attention:
    as_of = min(now, period.end)
    today = local_day(as_of - timedelta(microseconds=1))
    late = [_late(row, as_of, working) for row in rows.asks if is_past_due(row, as_of)]
    late.sort(key=lambda one: (one.ask.due or as_of, one.ask.request_no))
    waiting = [row for row in rows.asks if not row.incoming and is_unconfirmed(row, as_of, working)]
    return Attention(
        late=[one for one in late if not one.ask.incoming],
        ours_late=[one for one in late if one.ask.incoming],
        lapsed=[measure for measure in rows.measures if lapsed_in(period, measure, today)],
        unconfirmed=sorted(waiting, key=lambda row: (row.waiting_since or as_of, row.request_no)),
        hits=_missed(period, rows.alerts, now),
        undelivered=_undelivered(rows.asks, as_of),
        silent=sorted(silences, key=lambda one: (one.since, one.participant)),
    )


def _late(row: Ask, as_of: datetime, working: Working) -> Late:
    assert row.due is not None, "a late row"
    return Late(row, working.between(row.due, as_of), row.final_at)


def _missed(period: Period, alerts: Sequence[Alert], now: datetime) -> Sequence[Missed]:
    found = []
    for row in alerts:
        if row.raised_at is not None and row.raised_at in period and acknowledged_in_time(row, now) is False:
            took = None if row.acknowledged_at is None else (row.acknowledged_at - row.raised_at) / timedelta(minutes=1)
            found.append(Missed(row, took))
    return sorted(found, key=lambda one: (one.alert.raised_at or now, one.alert.request_no))


def _undelivered(asks: Sequence[Ask], as_of: datetime) -> Sequence[Undelivered]:
    """The most requests first."""
    since: dict[str, list[datetime]] = {}
    for row in asks:
        if is_undelivered(row, as_of) and row.created_at is not None:
            since.setdefault(row.partner, []).append(row.created_at)
    found = [Undelivered(partner, len(moments), min(moments)) for partner, moments in since.items()]
    return sorted(found, key=lambda one: (-one.count, one.partner))
