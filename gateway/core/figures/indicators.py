"""The indicators of the weekly report, counted from plain rows (docs/domain.md section 10).

Two moments matter. What happened in the period is counted as it is known `now`. What stands (unconfirmed, overdue,
ending soon) is counted as it stood at the end of the period, or stands now while the period runs. A share leaves out
what is neither done nor late yet: nobody has failed whose time is not over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from statistics import median

from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import Period
from gateway.core.time.calendar import DAY, OfficeHours, WorkingDays, after_working_days, local_day, working_hours

RECEIPT_WORKING_DAYS = 1
UNCONFIRMED_WORKING_DAYS = 3
ACKNOWLEDGE = timedelta(minutes=10)
ENDING_DAYS = 30
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
class Rows:
    """What is counted. measures: those that are live or lapsed, as items of `measure-ending`. items: of the ledgers, as
    they stood at the end. today: the day as of which they stand."""

    asks: Sequence[Ask] = ()
    alerts: Sequence[Alert] = ()
    measures: Sequence[LedgerItem] = ()
    items: Sequence[LedgerItem] = ()

    def only(self, wanted: Callable[[str | None, str | None], bool]) -> Rows:
        """Those whose (partner, team) is wanted."""
        return Rows(
            [row for row in self.asks if wanted(row.partner, row.team)],
            [row for row in self.alerts if wanted(row.partner, row.team)],
            [row for row in self.measures if wanted(row.partner, row.team)],
            [row for row in self.items if wanted(row.partner, row.team)],
        )


@dataclass(frozen=True, slots=True)
class Working:
    """The calendar and the office hours that terms are counted by."""

    days: WorkingDays
    hours: OfficeHours = field(default_factory=OfficeHours)


@dataclass(frozen=True, slots=True)
class Indicators:
    """Of one period, for all or for one partner or team. undelivered, overdue: stand at its end, whenever they began.
    median_hours: office hours from delivery to the first result.
    refusals, returns: reason code → how many. Minutes and hours have one decimal."""

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
    """One week or month. outgoing: what we asked for, by partner and team; incoming: what others asked of us, by asker.

    trend: this period and those before it, oldest first, of what we asked for. imported: name → percent, as the court
    handed it in; an absent one was not handed in.
    """

    period: Period
    as_of: datetime
    complete: bool
    total: Indicators
    partners: Sequence[Line]
    teams: Sequence[Line]
    incoming: Sequence[Line]
    trend: Sequence[Line]
    imported: Mapping[str, str]


COURT_FIGURES: Mapping[str, tuple[str, str]] = {
    "execution-completed-rate": ("执行完毕率", "Execution completed"),
    "money-in-place-rate": ("执行到位率", "Money in place"),
}


def report(period: Period, rows: Rows, now: datetime, working: Working, imported: Mapping[str, str]) -> Report:
    """rows: everything since the first period of the trend (`since`)."""
    ours = replace(rows, asks=[row for row in rows.asks if not row.incoming])
    theirs = Rows(asks=[row for row in rows.asks if row.incoming])
    return Report(
        period=period,
        as_of=min(now, period.end),
        complete=now >= period.end,
        total=indicators(period, ours, now, working),
        partners=_lines(ours, lambda partner, _: partner, period, now, working),
        teams=_lines(ours, lambda _, team: team, period, now, working),
        incoming=_lines(theirs, lambda partner, _: partner, period, now, working),
        trend=[Line(p.name, _flow(p, ours, now, working)) for p in _trend(period)],
        imported=imported,
    )


def indicators(period: Period, rows: Rows, now: datetime, working: Working) -> Indicators:
    """All of them."""
    as_of = min(now, period.end)
    today = local_day(as_of - timedelta(microseconds=1))
    refusal = [item for item in rows.items if item.ledger == "refusal"]
    return replace(
        _flow(period, rows, now, working),
        undelivered=sum(1 for row in rows.asks if _stands(row, as_of) and not _before(row.delivered_at, as_of)),
        overdue=sum(1 for row in rows.asks if _past_due(row, as_of)),
        lapsed=sum(1 for m in rows.measures if m.due_on and m.due_on < today and period.has_day(m.due_on + DAY)),
        ending=sum(1 for m in rows.measures if m.due_on and today <= m.due_on <= today + timedelta(days=ENDING_DAYS)),
        unconfirmed=sum(1 for row in rows.asks if _unconfirmed(row, as_of, working)),
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
        working_hours(row.delivered_at, row.first_result_at, working.days, working.hours)
        for row in answered
        if row.delivered_at is not None and row.first_result_at is not None
    ]
    minutes = [
        (row.acknowledged_at - row.raised_at) / timedelta(minutes=1)
        for row in alerts
        if row.acknowledged_at is not None and row.raised_at is not None
    ]
    return Indicators(
        delivered=len(delivered),
        receipt=_share(_received_in_time(row, now, working) for row in delivered),
        acceptance=_share(row.decision == "accepted" for row in decided),
        on_time=_share(_on_time(row, now) for row in rows.asks if row.due in period),
        median_hours=round(median(hours), 1) if hours else None,
        results=len(answered),
        refusals=_reasons(decided, "refused"),
        returns=_reasons(decided, "returned"),
        alerts=len(alerts),
        alert_minutes=round(median(minutes), 1) if minutes else None,
        alerts_in_time=_share(_acknowledged_in_time(row, now) for row in alerts),
    )


def _before(moment: datetime | None, as_of: datetime) -> bool:
    return moment is not None and moment < as_of


def _stands(row: Ask, as_of: datetime) -> bool:
    """We had asked it by then, and it was neither withdrawn nor rejected."""
    return not row.incoming and _before(row.created_at, as_of) and not _before(row.ended_at, as_of)


def _past_due(row: Ask, as_of: datetime) -> bool:
    """Also one that has never arrived."""
    return _before(row.due, as_of) and not _before(row.final_at, as_of) and not _before(row.ended_at, as_of)


def _received_in_time(row: Ask, now: datetime, working: Working) -> bool | None:
    assert row.delivered_at is not None, "a delivered row"
    limit = after_working_days(row.delivered_at, RECEIPT_WORKING_DAYS, working.days)
    if row.received_at is not None:
        return row.received_at < limit
    return None if now < limit else False


def _on_time(row: Ask, now: datetime) -> bool | None:
    assert row.due is not None, "a due row"
    if row.final_at is not None:
        return row.final_at <= row.due
    return None if now <= row.due else False


def _acknowledged_in_time(row: Alert, now: datetime) -> bool | None:
    assert row.raised_at is not None, "a raised row"
    limit = row.raised_at + ACKNOWLEDGE
    if row.acknowledged_at is not None:
        return row.acknowledged_at <= limit
    return None if now <= limit else False


def _unconfirmed(row: Ask, as_of: datetime, working: Working) -> bool:
    """A result that came later than `as_of` is not waiting yet; one confirmed before it no longer."""
    since = row.waiting_since
    return since is not None and after_working_days(since, UNCONFIRMED_WORKING_DAYS, working.days) <= as_of


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


def _lines(
    rows: Rows,
    key: Callable[[str | None, str | None], str | None],
    period: Period,
    now: datetime,
    working: Working,
) -> Sequence[Line]:
    """One for each key that has something to show, in the order of the keys."""
    everything: Sequence[Ask | Alert | LedgerItem] = [*rows.asks, *rows.alerts, *rows.measures, *rows.items]
    keys = sorted({found for row in everything if (found := key(row.partner, row.team)) is not None})
    lines = [
        Line(name, indicators(period, rows.only(lambda p, t, n=name: key(p, t) == n), now, working))  # type: ignore[misc]
        for name in keys
    ]
    return [line for line in lines if not line.values.empty]


def _trend(period: Period) -> Sequence[Period]:
    found = [period]
    while len(found) < TREND:
        found.insert(0, found[0].before())
    return found


def since(period: Period) -> date:
    """The first day of which `report` wants to know everything."""
    return _trend(period)[0].first
