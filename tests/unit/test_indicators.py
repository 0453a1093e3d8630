"""The weekly report's figures, counted by hand, and what must hold of any rows (docs/domain.md section 10)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.indicators import Indicators, Share, indicators, report
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import Period, period_named
from gateway.core.figures.rows import Rows, Working
from gateway.core.time.calendar import SHANGHAI, working_hours

WEEK = period_named("2026-W14")  # Monday 30 March to Sunday 5 April
REST = {date(2026, 4, 5), date(2026, 4, 6)}  # 清明
WORKED = {date(2026, 4, 4)}  # as if that Saturday were made up for


class Table:
    """The calendar of the tests."""

    def is_working(self, day: date) -> bool:
        return day in WORKED or (day not in REST and day.weekday() < 5)


WORKING = Working(Table())


def at(day: int, hour: int = 9, minute: int = 0, month: int = 4) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


NEXT_WEEK = at(8, 9)


def counted(rows: Rows, now: datetime = NEXT_WEEK, period: Period = WEEK) -> Indicators:
    return indicators(period, rows, now, WORKING)


def asks(*rows: dict[str, Any]) -> Rows:
    return Rows(asks=[Ask(f"r-{n}", "police-610199", **row) for n, row in enumerate(rows)])


def test_a_receipt_is_in_time_until_the_end_of_the_next_working_day() -> None:
    rows = asks(
        {"delivered_at": at(1, 23, 59), "received_at": at(2, 23, 59)},  # the next working day
        {"delivered_at": at(1, 0), "received_at": at(3, 0)},  # a minute into the day after
        {"delivered_at": at(3, 17), "received_at": at(4, 20)},  # the Saturday that is worked
        {"delivered_at": at(4, 17), "received_at": at(7, 20)},  # Sunday and Monday are off
        {"delivered_at": at(2, 9)},  # never
        {"delivered_at": at(29, 9, month=3), "received_at": at(30, 9, month=3)},  # the week before
        {"delivered_at": at(6, 0), "received_at": at(6, 9)},  # the week after
    )
    assert counted(rows).delivered == 5
    assert counted(rows).receipt == Share(3, 5)
    assert counted(rows).receipt.rate == 60.0


def test_nobody_fails_whose_time_is_not_over() -> None:
    rows = asks({"delivered_at": at(3, 17)}, {"delivered_at": at(1, 9)})
    assert counted(rows, now=at(4, 23)).receipt == Share(0, 1)
    assert counted(rows, now=at(5, 0)).receipt == Share(0, 2)


def test_accepted_refused_and_returned_with_their_reasons() -> None:
    rows = asks(
        {"decided_at": at(1), "decision": "accepted"},
        {"decided_at": at(2), "decision": "accepted"},
        {"decided_at": at(2), "decision": "refused", "reason": "homonym"},
        {"decided_at": at(3), "decision": "refused", "reason": "doc-missing"},
        {"decided_at": at(3), "decision": "refused", "reason": "doc-missing"},
        {"decided_at": at(3), "decision": "returned", "reason": "wrong-case"},
        {"decided_at": at(6), "decision": "returned", "reason": "wrong-case"},
    )
    found = counted(rows)
    assert found.acceptance == Share(2, 6)
    assert list(found.refusals.items()) == [("doc-missing", 2), ("homonym", 1)]
    assert found.returns == {"wrong-case": 1}


def test_on_time_counts_what_was_due_in_the_week() -> None:
    end = at(6, 0)  # 24:00 of Sunday belongs to the next week
    rows = asks(
        {"due": at(1, 0), "final_at": at(1, 0)},
        {"due": at(1, 0), "final_at": at(1, 0, 1)},
        {"due": at(2, 0), "final_at": at(25, month=3)},
        {"due": at(3, 0)},
        {"due": end, "final_at": at(1)},
        {"due": None, "final_at": at(1)},
    )
    assert counted(rows).on_time == Share(2, 4)
    assert counted(rows, now=at(2, 12)).on_time == Share(2, 3), "what is not due yet is not late"


def test_working_hours_leave_out_nights_and_days_of_rest() -> None:
    rows = asks(
        {"delivered_at": at(1, 17), "first_result_at": at(2, 9)},  # 1 h + 0.5 h
        {"delivered_at": at(3, 17), "first_result_at": at(4, 10)},  # 1 h + 1.5 h on the worked Saturday
        {"delivered_at": at(1, 12), "first_result_at": at(1, 13, 30)},  # noon
        {"delivered_at": at(20, 9, month=3), "first_result_at": at(6, 9)},  # the week after
    )
    found = counted(rows)
    assert (found.results, found.median_hours) == (3, 1.5)
    assert counted(asks({"delivered_at": at(1)})).median_hours is None


@given(st.integers(0, 9 * 1440), st.integers(0, 9 * 1440))
def test_office_hours_are_the_same_however_they_are_counted(start: int, length: int) -> None:
    """Nights, days of rest and a Saturday that is worked are among them."""
    first = at(30, 0, month=3) + timedelta(minutes=start)
    last = first + timedelta(minutes=length)
    working = Working(Table())
    expected = working_hours(first, last, working.days, working.hours)
    assert working.between(first, last) == pytest.approx(expected)
    assert working.between(first, last) == pytest.approx(expected), "also from what is kept"


def test_a_result_waits_too_long_after_three_working_days() -> None:
    thursday = asks({"waiting_since": at(2, 9)})  # Friday, the worked Saturday, Tuesday
    assert counted(thursday).unconfirmed == 0, "at the end of the week only two of them are over"
    after = period_named("2026-W15")
    assert counted(thursday, now=at(7, 23), period=after).unconfirmed == 0
    assert counted(thursday, now=at(8, 0), period=after).unconfirmed == 1
    assert counted(asks({"waiting_since": at(30, 9, month=3)})).unconfirmed == 1


def test_alerts_are_acknowledged_within_ten_minutes() -> None:
    def hit(raised: datetime, minutes: float | None) -> Alert:
        return Alert(
            "a", "police-610199", None, raised, None if minutes is None else raised + timedelta(minutes=minutes)
        )

    rows = Rows(alerts=[hit(at(1), 3), hit(at(2, 23), 10), hit(at(3), 10.1), hit(at(4), None), hit(at(6), 1)])
    found = counted(rows)
    assert (found.alerts, found.alert_minutes, found.alerts_in_time) == (4, 10.0, Share(2, 4))
    assert counted(rows, now=at(4, 9, 10)).alerts_in_time == Share(2, 3)


def ends(day: date, state: str = "active") -> LedgerItem:
    return LedgerItem("measure-ending", f"m-{day}", state, due_on=day)


def test_measures_that_lapsed_and_that_end_soon() -> None:
    rows = Rows(
        measures=[
            ends(date(2026, 3, 28)),  # lapsed the week before, on its Sunday
            ends(date(2026, 3, 29)),  # lapses on Monday at 0:00
            ends(date(2026, 3, 30)),
            ends(date(2026, 4, 4), "lapsed"),
            ends(date(2026, 4, 5)),  # its last day is the last of the week: not yet
            ends(date(2026, 5, 5)),
            ends(date(2026, 5, 6)),
        ]
    )
    found = counted(rows)
    assert (found.lapsed, found.ending) == (3, 2)


def test_the_ledgers_are_counted() -> None:
    day = date(2026, 4, 1)
    lead = LedgerItem("refusal", "l", "sent", opened_on=day)
    rows = Rows(
        items=[
            lead,
            replace(lead, state="filed", outcome="filed", settled_on=day),
            replace(lead, state="not-filed", outcome="not-filed", settled_on=day, opened_on=date(2026, 3, 1)),
            replace(lead, state="returned", outcome="returned", settled_on=day),
            replace(lead, state="turned-away", turned_away_on=day),
            replace(lead, outcome="transferred", settled_on=day, opened_on=date(2026, 3, 1)),
            replace(lead, outcome="case-revoked", settled_on=day, opened_on=None),
            replace(lead, state="rejected", outcome="rejected", settled_on=day),  # never left
            replace(lead, opened_on=date(2026, 3, 1), overdue_days=23),  # 30 days are not over
            replace(lead, opened_on=date(2026, 3, 1), overdue_days=24),
            replace(lead, outcome="filed", settled_on=date(2026, 3, 29), opened_on=date(2026, 3, 1)),
            LedgerItem("petition", "p", "opened", overdue_days=1),
            LedgerItem("petition", "p", "opened"),
            LedgerItem("fund", "f", "opened", overdue_days=1),
            LedgerItem("closure", "c", "closed", overdue_days=400),
            LedgerItem("bankruptcy", "b", "opened", overdue_days=1),
        ]
    )
    found = counted(rows)
    assert (found.leads_sent, found.leads_filed, found.leads_refused, found.leads_overdue) == (4, 1, 1, 2)
    assert (found.leads_transferred, found.leads_turned_away, found.leads_revoked) == (1, 2, 1)
    assert found.leads_long_overdue == 1
    assert (found.petitions_overdue, found.funds_overdue, found.rechecks_overdue) == (1, 1, 1)


def test_an_empty_week_is_empty() -> None:
    assert counted(Rows()) == Indicators()
    assert counted(Rows()).empty
    found = report(WEEK, Rows(), NEXT_WEEK, WORKING, {})
    assert (found.partners, found.teams, found.incoming, found.imported) == ([], [], [], {})
    assert [line.key for line in found.trend][-2:] == ["2026-W13", "2026-W14"]


def test_what_others_ask_of_us_stands_by_itself() -> None:
    row = Ask("r", "court-sn0528", "执行一团队", delivered_at=at(1), received_at=at(1))
    theirs = replace(row, incoming=True, team=None)
    found = report(WEEK, Rows(asks=[row, theirs, theirs]), NEXT_WEEK, WORKING, {"money-in-place-rate": "61.20"})
    assert found.total.delivered == 1
    assert [(line.key, line.values.delivered) for line in found.partners] == [("court-sn0528", 1)]
    assert [(line.key, line.values.delivered) for line in found.teams] == [("执行一团队", 1)]
    assert [(line.key, line.values.delivered) for line in found.incoming] == [("court-sn0528", 2)]
    assert found.imported == {"money-in-place-rate": "61.20"}


def test_a_running_week_is_counted_until_now() -> None:
    assert not report(WEEK, Rows(), at(2), WORKING, {}).complete
    assert report(WEEK, Rows(), at(2), WORKING, {}).as_of == at(2)
    assert report(WEEK, Rows(), at(6, 0), WORKING, {}).complete


# --- what holds of any rows


def random_rows(chance: Random, count: int) -> Rows:
    def moment() -> datetime | None:
        return None if chance.random() < 0.3 else at(20, month=3) + timedelta(minutes=chance.randrange(30 * 1440))

    def party() -> dict[str, Any]:
        return {"partner": chance.choice("abc"), "team": chance.choice(["一", "二"])}

    return Rows(
        asks=[
            Ask(
                f"r-{n}",
                **party(),
                delivered_at=moment(),
                received_at=moment(),
                decided_at=moment(),
                decision=chance.choice(["accepted", "refused", "returned"]),
                reason=chance.choice(["homonym", "technical"]),
                first_result_at=moment(),
                final_at=moment(),
                waiting_since=moment(),
                due=moment(),
            )
            for n in range(count)
        ],
        alerts=[Alert(f"a-{n}", **party(), raised_at=moment(), acknowledged_at=moment()) for n in range(count)],
        measures=[
            replace(ends(date(2026, 3, 20) + timedelta(days=chance.randrange(60))), **party()) for _ in range(count)
        ],
        items=[
            LedgerItem(chance.choice(["refusal", "fund", "closure"]), f"i-{n}", "x", overdue_days=n % 3, **party())
            for n in range(count)
        ],
    )


@given(st.integers(0, 2**32), st.integers(0, 8), st.integers(0, 30 * 1440))
def test_the_lines_add_up_to_the_total(seed: int, count: int, minutes: int) -> None:
    rows = random_rows(Random(seed), count)
    found = report(WEEK, rows, WEEK.start + timedelta(minutes=minutes), WORKING, {})
    for lines in (found.partners, found.teams):
        for field in fields(Indicators):
            values = [getattr(line.values, field.name) for line in lines]
            whole = getattr(found.total, field.name)
            if isinstance(whole, Share):
                assert sum(v.part for v in values) == whole.part <= whole.whole == sum(v.whole for v in values)
            elif isinstance(whole, int):
                assert sum(values) == whole, field.name
            elif isinstance(whole, dict):
                assert sum(sum(v.values()) for v in values) == sum(whole.values())


@given(st.integers(0, 2**32), st.integers(0, 8))
def test_weeks_divide_what_they_are_part_of(seed: int, count: int) -> None:
    rows = random_rows(Random(seed), count)
    now = at(30, 9)
    weeks = [period_named(f"2026-W{n}") for n in range(12, 18)]
    for name in ("delivered", "results", "alerts", "lapsed"):
        by_week = [getattr(indicators(week, rows, now, WORKING), name) for week in weeks]
        whole = Period("2026-W00", weeks[0].first, weeks[-1].last)
        assert sum(by_week) == getattr(indicators(whole, rows, now, WORKING), name)
