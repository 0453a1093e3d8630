"""What bankruptcy, petitions and money enter into the court's ledgers, and how the items then stand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.figures.ledgers import KINDS, LedgerItem, item
from gateway.core.records import LedgerLine
from gateway.core.time.deadlines import ends_on
from gateway.registry.calendars import shipped
from schemas.catalogue import catalogue
from schemas.ledgers import LedgerEntry
from schemas.validation import parse_data, parse_open
from tests.faults import changed, example

PROPOSE, TRANSFER, PETITION = (
    "bankruptcy.candidate.propose",
    "bankruptcy.transfer.submit",
    "petition.supervise.assign",
)
RECEIPT, RELEASE, ESCROW, APPROVE = (
    "fund.receipt.event",
    "fund.release.event",
    "fund.escrow.event",
    "fund.release.approve",
)
NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)


def opened(name: str, data: dict[str, Any] | None = None, **changes: Any) -> LedgerEntry:
    entry = catalogue()[name].ledger(parse_open(catalogue()[name], {**(data or example(name)), **changes}))
    assert entry is not None
    return entry


def answered(name: str, outcome: str = "done", **members: Any) -> LedgerEntry:
    """What the example's result enters, with members of its first item changed (None: taken out)."""
    result = dict(catalogue()[name].example_result)
    line = {k: v for k, v in {**result["items"][0], **members}.items() if v is not None}
    data = parse_data(catalogue()[name], "result", {**result, "outcome": outcome, "items": [line]}).canonical()
    entry = catalogue()[name].ledger_answer("result", data)
    assert entry is not None
    return entry


def stands(today: str, *entries: LedgerEntry) -> LedgerItem:
    """The item of these entries on a day."""
    lines = [
        LedgerLine(
            ledger=entry.ledger,
            item_no=entry.item or "one",
            source=f"{number}",
            kind=entry.kind,
            day=entry.on or "2026-03-24",
            at=NOW,
            settles=entry.settles,
            due_on=entry.due_on if entry.term is None else ends_on(*entry.term, shipped()).isoformat(),
            amount=entry.amount,
        )
        for number, entry in enumerate(entries)
    ]
    assert len({line.item_no for line in lines}) == 1
    return item(lines, date.fromisoformat(today))


def test_money_is_owed_thirty_days_from_the_notice_that_it_came() -> None:
    there = stands("2026-04-23", opened(RECEIPT))
    assert (there.due_on, there.overdue_days, there.amount) == (date(2026, 4, 23), 0, Decimal("128000.00"))
    assert stands("2026-04-24", opened(RECEIPT)).overdue_days == 1


def test_a_notice_that_comes_later_begins_the_term_later() -> None:
    there = stands("2026-04-28", opened(RECEIPT, notified_on="2026-03-29"))
    assert (there.due_on, there.opened_on) == (date(2026, 4, 28), date(2026, 3, 24))


def test_unidentified_money_is_owed_from_the_day_on_which_its_case_became_known() -> None:
    unknown = opened(RECEIPT, unidentified=True)
    waits = stands("2026-12-01", unknown)
    assert (waits.state, waits.open, waits.due_on, waits.overdue) == ("unidentified", True, None, False)
    assert (waits.amount, waits.opened_on) == (Decimal("128000.00"), date(2026, 3, 24))
    claim = opened(RECEIPT, claimed_on="2026-06-01")
    known = stands("2026-06-02", unknown, claim)
    assert (known.state, known.due_on, known.opened_on) == ("claimed", date(2026, 7, 1), date(2026, 3, 24))
    paid = stands("2026-06-30", unknown, claim, opened(RELEASE, released_on="2026-06-20"))
    assert (paid.state, paid.open) == ("released", False)


def test_what_nobody_has_claimed_of_unidentified_money_stays_open() -> None:
    unknown, claim = opened(RECEIPT, unidentified=True), opened(RECEIPT, claimed_on="2026-06-01", amount="28000.00")
    out = opened(RELEASE, released_on="2026-06-20", amount="28000.00")
    rest = stands("2026-06-30", unknown, claim, out)
    assert (rest.state, rest.open, rest.amount) == ("partly", True, Decimal("128000.00"))


def test_money_is_cleared_when_what_went_out_comes_to_what_came_in() -> None:
    part = stands("2026-05-01", opened(RECEIPT), opened(RELEASE, amount="100000.00"))
    assert (part.state, part.open, part.settled) == ("partly", True, Decimal("100000.00"))
    kept = opened(ESCROW, receipt_no="DZ-900001", amount="28000.00")
    whole = stands("2026-05-01", opened(RECEIPT), opened(RELEASE, amount="100000.00"), kept)
    assert (whole.state, whole.open, whole.settled) == ("escrow", False, Decimal("128000.00"))


def test_an_approval_owes_nothing_sooner_and_a_delay_moves_the_day() -> None:
    approved = stands("2026-04-02", opened(RECEIPT), opened(APPROVE, pay_by="2026-04-10"))
    assert (approved.state, approved.due_on) == ("approved", date(2026, 4, 23))
    delay = {"reason": "distribution", "approved_by": "局演示", "approved_on": "2026-04-01"}
    later = opened(APPROVE, pay_by="2026-06-30", delay=delay)
    assert (later.kind, stands("2026-05-01", opened(RECEIPT), later).overdue_days) == ("delay", 0)


def test_a_petition_runs_to_its_day_or_to_the_day_that_was_approved() -> None:
    assert stands("2026-04-24", opened(PETITION)).overdue_days == 0
    assert stands("2026-04-25", opened(PETITION)).overdue_days == 1
    more = answered(
        PETITION,
        "partial",
        answer="extended",
        extension={
            "due_on": "2026-04-24",
            "extended_to": "2026-05-20",
            "approved_by": "院演示",
            "approved_on": "2026-04-20",
            "reason": "须等分配异议之诉",
        },
    )
    waiting = stands("2026-05-20", opened(PETITION), more)
    assert (waiting.state, waiting.open, waiting.due_on) == ("extended", True, date(2026, 5, 20))
    assert stands("2026-05-21", opened(PETITION), more).overdue_days == 1


@pytest.mark.parametrize("answer", ["resolved", "explained", "not-resolved"])
def test_an_answer_ends_a_petition(answer: str) -> None:
    ended = stands("2026-05-01", opened(PETITION), answered(PETITION, answer=answer, reason="见办理情况"))
    assert (ended.state, ended.settled_on) == (answer, date(2026, 4, 10))


def test_an_accepted_bankruptcy_is_over_when_the_handover_is_confirmed() -> None:
    review = answered(TRANSFER, "partial", answer="under-review", served_on=None, handover_due_on=None)
    assert stands("2026-05-08", opened(TRANSFER), review).open
    accepted = answered(TRANSFER)
    owed = stands("2026-05-16", opened(TRANSFER), accepted)
    assert (owed.state, owed.open, owed.due_on, owed.overdue_days) == ("accepted", True, date(2026, 5, 15), 1)
    confirmed = catalogue()[TRANSFER].ledger_answer("confirm", {"by": "sn0199-0007"})
    assert confirmed is not None
    done = stands("2026-05-20", opened(TRANSFER), accepted, LedgerEntry("bankruptcy", "done", True, on="2026-05-15"))
    assert (confirmed.kind, confirmed.settles, done.open) == ("done", True, False)


def test_a_rejected_bankruptcy_is_over_at_once() -> None:
    rejected = answered(TRANSFER, answer="rejected", served_on=None, handover_due_on=None, reason="能够清偿")
    assert (rejected.kind, stands("2026-05-08", opened(TRANSFER), rejected).open) == ("not-accepted", False)


def test_a_candidate_waits_while_it_is_looked_at_further() -> None:
    assert stands("2026-04-03", opened(PROPOSE), answered(PROPOSE)).state == "suitable"
    later = answered(PROPOSE, "partial", answer="look-further", reason="待评估")
    assert stands("2026-04-03", opened(PROPOSE), later).open


@pytest.mark.parametrize("name", [PROPOSE, TRANSFER, PETITION])
@pytest.mark.parametrize("outcome", ["none", "impossible"])
def test_an_answer_about_nothing_ends_it_too(name: str, outcome: str) -> None:
    entry = catalogue()[name].ledger_answer("result", {"outcome": outcome, "items": []})
    assert entry is not None
    assert (entry.kind, entry.settles) == (outcome, True)
    assert catalogue()[name].ledger_answer("progress", {"stage": "办理中"}) is None


def test_every_state_that_is_entered_has_a_chinese_word() -> None:
    entries = [
        *(opened(name) for name in (PROPOSE, TRANSFER, PETITION, RECEIPT, RELEASE, ESCROW, APPROVE)),
        *(answered(name) for name in (PROPOSE, TRANSFER, PETITION)),
        answered(PROPOSE, answer="not-suitable", reason="资产足够"),
        answered(PETITION, answer="not-resolved", reason="无法满足"),
    ]
    assert {entry.kind for entry in entries} <= KINDS.keys()


def test_a_line_names_nobody() -> None:
    """Codes, days, sums and numbers of the finance office only."""
    paid = opened(APPROVE, changed(example(APPROVE), "/payee/name", "钱样例"))
    assert "钱样例" not in repr(paid)
    assert "陈样例" not in repr(opened(PETITION))
