"""The indicators of the weekly report, counted from plain rows (docs/domain.md section 10).

Two moments matter. What happened in the period is counted as it is known `now`. What stands (unconfirmed, overdue,
ending soon) is counted as it stood at the end of the period, or stands now while the period runs. A share leaves out
what is neither done nor late yet: nobody has failed whose time is not over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from statistics import median

from gateway.core.figures.attention import Attention, attention
from gateway.core.figures.histories import Ask
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import Period
from gateway.core.figures.rows import SPLITS, UNNAMED, Rows, Working, largest
from gateway.core.figures.verdicts import (
    acknowledged_in_time,
    answered_in_time,
    is_past_due,
    is_unconfirmed,
    is_undelivered,
    lapsed_in,
    received_in_time,
)
from gateway.core.silence import Silence
from gateway.core.time.calendar import local_day

ENDING_DAYS = 30
HOUR = timedelta(hours=1)
COMPLEX_LEAD_MORE_DAYS = 23  # 30 days instead of 7 (法发〔2025〕8号 [S])
TREND = 8


@dataclass(frozen=True, slots=True)
class Share:
    """part of whole; rate: percent with one decimal, None of nothing."""

    part: int = 0
    whole: int = 0

    @property
    def rate(self) -> float | None:
        return round(100 * self.part / self.whole, 1) if self.whole else None


@dataclass(frozen=True, slots=True)
class Indicators:
    """Of one period, for all or for one line of a split. undelivered, overdue: stand at its end, whenever they began.
    median_hours: office hours from delivery to the first result. refusals, returns: reason code → how many; a decision
    not to file a case 不予立案 is neither. releases: measures whose ending was done; release_hours: the median, by the
    clock, from the court's order until then. Hours and minutes are as exact as the times are."""

    delivered: int = 0
    undelivered: int = 0
    overdue: int = 0
    receipt: Share = Share()
    acceptance: Share = Share()
    on_time: Share = Share()
    median_hours: float | None = None
    results: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)
    returns: Mapping[str, int] = field(default_factory=dict)
    alerts: int = 0
    alert_minutes: float | None = None
    alerts_in_time: Share = Share()
    lapsed: int = 0
    ending: int = 0
    unconfirmed: int = 0
    petitions_overdue: int = 0
    funds_overdue: int = 0
    leads_sent: int = 0
    leads_filed: int = 0
    leads_refused: int = 0
    leads_transferred: int = 0
    leads_turned_away: int = 0
    leads_revoked: int = 0
    leads_overdue: int = 0
    leads_long_overdue: int = 0
    rechecks_overdue: int = 0
    releases: int = 0
    release_hours: float | None = None
    release_longest: float | None = None
    hits_missed: int = 0

    @property
    def empty(self) -> bool:
        """Nothing happened and nothing stands."""
        return self == Indicators()


@dataclass(frozen=True, slots=True)
class Line:
    """One partner or team of a table. key: the participant's code or the team."""

    key: str
    values: Indicators


@dataclass(frozen=True, slots=True)
class Report:
    """One week or month. outgoing: what we asked for, by partner and team; incoming: what others asked of us, by asker,
    and received: all of that together.

    splits: each of `SPLITS` → its lines, the `MOST` with most requests, one of
    the rest (`OTHERS`) and one of what names none (`UNNAMED`); they add up to the total. trend: this
    period and those before it, oldest first, of what we asked for. imported: name → percent, as the court handed it in;
    an absent one was not handed in.
    """

    period: Period
    as_of: datetime
    complete: bool
    total: Indicators
    partners: Sequence[Line]
    teams: Sequence[Line]
    incoming: Sequence[Line]
    received: Indicators
    splits: Mapping[str, Sequence[Line]]
    trend: Sequence[Line]
    imported: Mapping[str, str]
    attention: Attention


COURT_FIGURES: Mapping[str, tuple[str, str]] = {
    "execution-completed-rate": ("执行完毕率", "Execution completed"),
    "money-in-place-rate": ("执行到位率", "Money in place"),
}


def report(
    period: Period,
    rows: Rows,
    now: datetime,
    working: Working,
    imported: Mapping[str, str],
    silences: Sequence[Silence] = (),
) -> Report:
    """rows: everything since the first period of the trend (`since`). silences: as they are now."""
    ours = replace(rows, asks=[row for row in rows.asks if not row.incoming])
    theirs = Rows(asks=[row for row in rows.asks if row.incoming])
    return Report(
        period=period,
        as_of=min(now, period.end),
        complete=now >= period.end,
        total=indicators(period, ours, now, working),
        partners=_named(_lines(ours.by("partner"), period, now, working)),
        teams=_named(_lines(ours.by("team"), period, now, working)),
        incoming=_lines(theirs.by("partner"), period, now, working),
        received=indicators(period, theirs, now, working),
        splits={name: _lines(largest(ours.by(name)), period, now, working) for name in SPLITS},
        trend=[Line(p.name, _flow(p, ours, now, working)) for p in _trend(period)],
        imported=imported,
        attention=attention(period, rows, now, working, silences),
    )


def indicators(period: Period, rows: Rows, now: datetime, working: Working) -> Indicators:
    """All of them."""
    as_of = min(now, period.end)
    today = local_day(as_of - timedelta(microseconds=1))
    refusal = [item for item in rows.items if item.ledger == "refusal"]
    return replace(
        _flow(period, rows, now, working),
        undelivered=sum(1 for row in rows.asks if is_undelivered(row, as_of)),
        overdue=sum(1 for row in rows.asks if is_past_due(row, as_of)),
        lapsed=sum(1 for m in rows.measures if lapsed_in(period, m, today)),
        ending=sum(1 for m in rows.measures if m.due_on and today <= m.due_on <= today + timedelta(days=ENDING_DAYS)),
        unconfirmed=sum(1 for row in rows.asks if is_unconfirmed(row, as_of, working)),
        petitions_overdue=_overdue(rows.items, "petition"),
        funds_overdue=_overdue(rows.items, "fund"),
        leads_sent=sum(1 for item in refusal if period.has_day(item.opened_on) and item.outcome != "rejected"),
        leads_filed=_settled(refusal, period, ("filed",)),
        leads_refused=_settled(refusal, period, ("not-filed",)),
        leads_transferred=_settled(refusal, period, ("transferred",)),
        leads_turned_away=sum(1 for item in refusal if period.has_day(_turned_away(item))),
        leads_revoked=_settled(refusal, period, ("case-revoked",)),
        leads_overdue=_overdue(refusal, "refusal"),
        leads_long_overdue=sum(1 for item in refusal if item.overdue_days > COMPLEX_LEAD_MORE_DAYS),
        rechecks_overdue=_overdue(rows.items, "closure"),
    )


def _flow(period: Period, rows: Rows, now: datetime, working: Working) -> Indicators:
    """What happened in the period, without what merely stands at its end."""
    delivered = [row for row in rows.asks if row.delivered_at in period]
    decided = [row for row in rows.asks if row.decided_at in period]
    answered = [row for row in rows.asks if row.first_result_at in period]
    alerts = [row for row in rows.alerts if row.raised_at in period]
    hours = [
        working.between(row.delivered_at, row.first_result_at)
        for row in answered
        if row.delivered_at is not None and row.first_result_at is not None
    ]
    minutes = [
        (row.acknowledged_at - row.raised_at) / timedelta(minutes=1)
        for row in alerts
        if row.acknowledged_at is not None and row.raised_at is not None
    ]
    ended = [row for row in rows.asks if row.releases and row.final_at in period and row.outcome == "done"]
    took = [(row.final_at - row.created_at) / HOUR for row in ended if row.final_at and row.created_at]
    return Indicators(
        delivered=len(delivered),
        receipt=_share(received_in_time(row, now, working) for row in delivered),
        acceptance=_share(row.decision == "accepted" for row in decided),
        on_time=_share(answered_in_time(row, now) for row in rows.asks if row.due in period),
        median_hours=median(hours) if hours else None,
        results=len(answered),
        refusals=_reasons(decided, "refused"),
        returns=_reasons(decided, "returned"),
        alerts=len(alerts),
        alert_minutes=median(minutes) if minutes else None,
        alerts_in_time=_share(acknowledged_in_time(row, now) for row in alerts),
        hits_missed=sum(1 for row in alerts if acknowledged_in_time(row, now) is False),
        releases=len(took),
        release_hours=median(took) if took else None,
        release_longest=max(took, default=None),
    )


def _share(judged: Iterable[bool | None]) -> Share:
    known = [verdict for verdict in judged if verdict is not None]
    return Share(sum(known), len(known))


def _reasons(decided: Iterable[Ask], decision: str) -> Mapping[str, int]:
    """Most frequent first, then by code."""
    counted = Counter(row.reason or "unknown" for row in decided if row.decision == decision)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _overdue(items: Iterable[LedgerItem], ledger: str) -> int:
    return sum(1 for item in items if item.ledger == ledger and item.overdue)


def _turned_away(item: LedgerItem) -> date | None:
    """Answered by a refusal or a return, which 法发〔2025〕8号 五 does not know; earlier ones were taken as the end."""
    return item.turned_away_on or (item.settled_on if item.outcome in ("refused", "returned") else None)


def _settled(items: Iterable[LedgerItem], period: Period, states: Sequence[str]) -> int:
    return sum(1 for item in items if item.outcome in states and period.has_day(item.settled_on))


def _lines(rows: Mapping[str, Rows], period: Period, now: datetime, working: Working) -> Sequence[Line]:
    """One for each key that has something to show, in the order of the keys."""
    lines = [Line(name, indicators(period, of_it, now, working)) for name, of_it in rows.items()]
    return [line for line in lines if not line.values.empty]


def _named(lines: Sequence[Line]) -> Sequence[Line]:
    return [line for line in lines if line.key != UNNAMED]


def _trend(period: Period) -> Sequence[Period]:
    found = [period]
    while len(found) < TREND:
        found.insert(0, found[0].before())
    return found


def since(period: Period) -> date:
    """The first day of which `report` wants to know everything."""
    return _trend(period)[0].first
