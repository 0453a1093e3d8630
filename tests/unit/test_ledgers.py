"""The lines of a ledger and what they come to on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.figures.ledgers import LEDGERS, LedgerItem, LedgerTerms, ending, item, items
from gateway.core.records import LedgerLine, Measure
from gateway.core.time.calendar import months_later
from schemas.catalogue import catalogue
from schemas.validation import parse_open

AT = datetime(2026, 3, 24, 2, tzinfo=UTC)
CASE = "（2026）陕0199执900001号"


def line(kind: str, day: str, *, ledger: str = "refusal", no: str = "lead-1", **other: Any) -> LedgerLine:
    source = other.pop("source", f"{no}:{kind}:{day}")
    return LedgerLine(ledger, no, source, kind, day, other.pop("at", AT), **other)


def on(day: str, *lines: LedgerLine) -> LedgerItem:
    [found] = items(lines, date.fromisoformat(day))
    return found


def test_the_term_runs_from_the_day_on_which_it_left() -> None:
    opened, sent = line("opened", "2026-03-20"), line("sent", "2026-03-24")
    assert on("2026-03-21", opened, sent).due_on == date(2026, 3, 27)
    assert on("2026-03-31", opened, sent).overdue_days == 0
    assert on("2026-04-01", opened, sent).overdue_days == 1
    assert on("2026-04-01", opened, sent).opened_on == date(2026, 3, 20)


def test_a_line_of_tomorrow_is_not_there_yet() -> None:
    filed = line("filed", "2026-03-26", settles=True)
    assert on("2026-03-25", line("opened", "2026-03-20"), filed).open
    assert items([filed], date(2026, 3, 25)) == []


def test_what_settles_it_stays_its_outcome() -> None:
    lead = on(
        "2026-09-01",
        line("opened", "2026-03-20"),
        line("filed", "2026-03-26", settles=True),
        line("prosecuted", "2026-06-01"),
    )
    assert (lead.state, lead.outcome, lead.settled_on) == ("prosecuted", "filed", date(2026, 3, 26))
    assert not lead.overdue


def test_what_is_reopened_is_owed_again() -> None:
    lead = on(
        "2026-04-20",
        line("opened", "2026-03-20"),
        line("not-filed", "2026-03-26", settles=True),
        line("reopened", "2026-04-10"),
    )
    assert (lead.state, lead.outcome, lead.overdue_days) == ("reopened", None, 24)


def test_money_is_settled_when_all_of_it_is_paid_or_kept() -> None:
    fund = {"ledger": "fund", "no": "DZ-900001"}
    received = line("opened", "2026-03-01", amount="1000.00", **fund)
    paid = line("released", "2026-03-10", amount="600.10", settles=True, **fund)
    kept = line("escrow", "2026-04-05", amount="399.90", settles=True, **fund)
    partly = on("2026-03-31", received, paid)
    assert (partly.state, partly.open, partly.settled, partly.overdue) == ("partly", True, Decimal("600.10"), False)
    assert on("2026-04-01", received, paid).overdue
    assert on("2026-04-06", received, paid, kept).settled_on == date(2026, 4, 5)


def test_an_approved_delay_moves_the_last_day() -> None:
    fund = {"ledger": "fund", "no": "DZ-900001"}
    lines = (
        line("opened", "2026-03-01", amount="1000.00", **fund),
        line("delay", "2026-03-20", due_on="2026-06-30", **fund),
    )
    assert on("2026-06-30", *lines).overdue_days == 0
    assert on("2026-07-01", *lines).overdue_days == 1


def test_whoever_promises_to_pay_sooner_is_not_overdue_sooner() -> None:
    fund = {"ledger": "fund", "no": "DZ-900001"}
    lines = (
        line("opened", "2026-03-01", amount="1000.00", **fund),
        line("approved", "2026-03-05", due_on="2026-03-10", **fund),
    )
    assert on("2026-03-31", *lines).due_on == date(2026, 3, 31)
    assert on("2026-03-31", *lines).state == "approved"
    back = replace(lines[1], kind="taken-back", due_on=None)
    assert on("2026-03-31", lines[0], back).state == "opened"


def test_a_payment_told_before_its_receipt_waits_for_it() -> None:
    fund = {"ledger": "fund", "no": "DZ-900001"}
    paid = line("released", "2026-03-10", amount="600.00", settles=True, **fund)
    received = line("opened", "2026-03-10", amount="1000.00", at=AT + timedelta(hours=1), **fund)
    assert on("2026-03-11", paid, received).settled_on is None


def closure(kind: str, day: str, **other: Any) -> LedgerLine:
    return line(kind, day, ledger="closure", no=CASE, case_no=CASE, **other)


def test_a_terminated_case_is_looked_at_every_six_months_for_five_years() -> None:
    closed = closure("closed", "2026-08-31")
    assert on("2026-09-01", closed).due_on == date(2027, 2, 28)
    assert on("2027-03-02", closed).overdue_days == 2
    checked = closure("recheck-none", "2027-03-05")
    assert on("2027-03-06", closed, checked).due_on == date(2027, 9, 5)
    last = closure("recheck-none", "2031-03-01")
    over = on("2031-03-02", closed, last)
    assert (over.state, over.settled_on, over.due_on) == ("over", date(2031, 8, 31), None)


def test_a_resumed_case_is_looked_at_no_more() -> None:
    lines = (
        closure("closed", "2026-03-01"),
        closure("recheck-found", "2026-04-01"),
        closure("resumed", "2026-04-10", settles=True),
    )
    assert on("2026-04-05", *lines).state == "recheck-found"
    resumed = on("2028-01-01", *lines)
    assert (resumed.state, resumed.overdue) == ("resumed", False)


def test_the_terms_are_configuration() -> None:
    half = LedgerTerms({"fund": 15}, recheck_months=3)
    assert item([closure("closed", "2026-03-01")], date(2026, 3, 2), half).due_on == date(2026, 6, 1)
    fund = line("opened", "2026-03-01", ledger="fund", no="DZ-1")
    assert item([fund], date(2026, 3, 2), half).due_on == date(2026, 3, 16)
    assert item([line("opened", "2026-03-01")], date(2026, 3, 2), half).due_on is None


def test_a_live_measure_past_its_end_has_lapsed() -> None:
    measure = Measure("m-1", "r", "t", "seal", CASE, "key", "ref", "active", "police-610199", end_on="2026-03-24")
    assert ending(measure, date(2026, 3, 24)).state == "active"
    days = ((24, 3, 7), (17, 3, 7), (16, 3, 15), (9, 3, 15), (8, 3, 30), (22, 2, 30), (21, 2, None), (25, 3, None))
    for day, month, band in days:
        assert ending(measure, date(2026, month, day)).within == band
    lapsed = ending(measure, date(2026, 3, 26))
    assert (lapsed.state, lapsed.overdue_days, lapsed.partner) == ("lapsed", 2, "police-610199")


@given(st.integers(0, 2**16), st.integers(1, 12))
def test_the_order_in_which_lines_are_read_changes_nothing(seed: int, count: int) -> None:
    chance = Random(seed)
    lines = [
        line(
            chance.choice(["opened", "sent", "filed", "reopened", "prosecuted"]),
            (date(2026, 3, 1) + timedelta(days=chance.randrange(40))).isoformat(),
            source=f"s-{n}",
            no=chance.choice(["a", "b"]),
            settles=chance.random() < 0.3,
            at=AT + timedelta(minutes=chance.randrange(3)),
        )
        for n in range(count)
    ]
    found = items(lines, date(2026, 4, 20))
    assert items(chance.sample(lines, len(lines)), date(2026, 4, 20)) == found
    for one in found:
        assert (one.settled_on is None) or not one.overdue
        assert (one.outcome is None) == one.open


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 120))
def test_months_later_is_never_skipped(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.parametrize("name", ["refusal.lead.transfer"])
def test_a_lead_enters_codes_and_days_only(name: str) -> None:
    matter = catalogue()[name]
    entry = matter.ledger(parse_open(matter, dict(matter.example_request), today=date(2026, 3, 24)))
    assert entry is not None
    assert (entry.ledger, entry.kind, entry.receivers) == ("refusal", "opened", ("police",))
    decided = matter.ledger_answer("result", matter.example_result)
    assert decided is not None
    assert (decided.kind, decided.settles, decided.on) == ("filed", True, "2026-03-30")
    none = matter.ledger_answer("result", {"outcome": "impossible", "items": []})
    assert none is not None
    assert (none.kind, none.settles) == ("impossible", True)
    assert matter.ledger_answer("progress", {"stage": "x"}) is None


def test_only_ledgers_that_can_be_listed_are_entered() -> None:
    for matter in catalogue().values():
        payload = parse_open(matter, dict(matter.example_request), today=date(2026, 3, 24))
        entry = matter.ledger(payload)
        assert entry is None or entry.ledger in LEDGERS
