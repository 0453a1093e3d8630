"""Money of cases: what came, what went out, what was deposited, and what is approved to go out."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.time.deadlines import check_last_days
from gateway.registry.calendars import shipped
from lianzhi.errors import RejectedError
from lianzhi.protocol.cards import Classification
from schemas.catalogue import Kind, Shape, catalogue
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import read_law
from schemas.validation import check_case, parse_data, parse_open
from tests.faults import DELETE, changed, example, faults

RECEIPT, RELEASE, ESCROW, APPROVE = (
    "fund.receipt.event",
    "fund.release.event",
    "fund.escrow.event",
    "fund.release.approve",
)
EVENTS = (RECEIPT, RELEASE, ESCROW)
FULL = "6100000000900001"

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (RECEIPT, "/account_tail4", FULL, "/account_tail4", "account-tail-form"),
    (RECEIPT, "/account_tail4", "001", "/account_tail4", "account-tail-form"),
    (RECEIPT, "/amount", "0.00", "/amount", "amount-positive"),
    (RECEIPT, "/amount", "-5.00", "/amount", "money-form"),
    (RECEIPT, "/amount", "128000", "/amount", "money-form"),
    (RECEIPT, "/method", "found", "/method", "unknown-code"),
    (RECEIPT, "/received_on", "2026-02-30", "/received_on", "day-form"),
    (RECEIPT, "/account_no", FULL, "/account_no", "extra-member"),
    (RECEIPT, "/payer", "王演示", "/payer", "extra-member"),
    (RELEASE, "/account_tail4", FULL, "/account_tail4", "account-tail-form"),
    (RELEASE, "/amount", "0.00", "/amount", "amount-positive"),
    (RELEASE, "/payee", "王演示", "/payee", "unknown-code"),
    (RELEASE, "/approval_no", "31", "/approval_no", "wrong-form"),
    (ESCROW, "/amount", "0.00", "/amount", "amount-positive"),
    (ESCROW, "/reason", "other", "/note", "reason-required"),
    (ESCROW, "/receipt_no", "到账一", "/receipt_no", "wrong-form"),
    (APPROVE, "/payee/account_tail4", FULL, "/payee/account_tail4", "account-tail-form"),
    (APPROVE, "/payee/account_no", FULL, "/payee/account_no", "extra-member"),
    (APPROVE, "/amount", "0.00", "/amount", "amount-positive"),
    (APPROVE, "/day_count", 7, "/day_count", "day-count-mismatch"),
    (APPROVE, "/day_count", -1, "/day_count", "number-range"),
    (APPROVE, "/approved_on", "2026-03-23", "/approved_on", "end-before-start"),
    (APPROVE, "/pay_by", "2026-03-31", "/pay_by", "end-before-start"),
    (APPROVE, "/notified_on", "2026-03-23", "/notified_on", "end-before-start"),
    (APPROVE, "/notified_on", "2026-04-02", "/approved_on", "end-before-start"),
    (RECEIPT, "/notified_on", "2026-03-23", "/notified_on", "end-before-start"),
    (RECEIPT, "/claimed_on", "2026-03-23", "/claimed_on", "end-before-start"),
    (APPROVE, "/payee/kind", "administrator", "/served_on", "served-required"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


DELAY = {"reason": "distribution", "approved_by": "局演示", "approved_on": "2026-04-01"}


def last_day(**members: Any) -> list[tuple[str, str, str]]:
    """What is wrong with the last day to pay, on the shipped calendar: pointer, rule, Chinese text."""
    matter = catalogue()[APPROVE]
    try:
        data = {name: value for name, value in {**example(APPROVE), **members}.items() if value is not ...}
        check_last_days(matter, parse_open(matter, data), shipped())
    except RejectedError as error:
        return [(e.pointer, e.rule, e.detail) for e in error.errors]
    return []


def test_the_last_day_to_pay_is_counted_from_the_notice() -> None:
    assert last_day(pay_by="2026-04-23") == []
    [(pointer, rule, text)] = last_day(pay_by="2026-04-24")
    assert (pointer, rule) == ("/payload/pay_by", "payout-late")
    assert "30 日" in text and "法发〔2017〕6号第十条" in text
    assert last_day(pay_by="2026-04-24", notified_on="2026-03-25") == []
    assert last_day(pay_by="2026-04-24", notified_on=...) != [], "absent: the day of the receipt"


def test_a_last_day_that_is_a_rest_day_moves_on() -> None:
    """2026-05-01 to 05-05 are days off: thirty days from 04-01 end on 05-01, so on 05-06."""
    given = {"received_on": "2026-04-01", "notified_on": "2026-04-01", "approved_on": "2026-04-01", "day_count": 0}
    assert last_day(**given, pay_by="2026-05-06") == []
    assert [rule for _, rule, _ in last_day(**given, pay_by="2026-05-07")] == ["payout-late"]


def test_ten_days_once_the_reason_for_a_delay_has_ended() -> None:
    assert last_day(pay_by="2027-01-04", delay=DELAY) == [], "the reason lasts"
    ended = {**DELAY, "ended_on": "2026-05-11"}
    assert last_day(pay_by="2026-05-21", delay=ended) == []
    [(pointer, rule, text)] = last_day(pay_by="2026-05-22", delay=ended)
    assert (pointer, rule) == ("/payload/pay_by", "payout-late-after-delay")
    assert "10 日" in text
    assert last_day(pay_by="2026-04-23", delay={**DELAY, "ended_on": "2026-04-02"}) == [], "never less than thirty"


def test_a_court_with_rules_of_its_own_counts_by_them() -> None:
    own = '[[entry]]\nname = "fund-payout"\ndays = 7\nkind = "working"\nsource = "本院规定"\nsince = 2026-01-01\n'
    put_in_force(read_law({"terms.toml": own}))
    try:
        assert last_day(pay_by="2026-04-02") == []
        [(_, rule, text)] = last_day(pay_by="2026-04-03")
    finally:
        put_in_force(SHIPPED)
    assert rule == "payout-late" and "7 个工作日" in text and "本院规定" in text


def test_a_reason_does_not_end_before_the_delay_was_approved() -> None:
    data = {**example(APPROVE), "delay": {**DELAY, "ended_on": "2026-03-31"}}
    assert faults(lambda: parse_open(catalogue()[APPROVE], data)) == [("/payload/delay/ended_on", "end-before-start")]


def test_unidentified_money_needs_no_case_and_has_not_been_claimed() -> None:
    matter = catalogue()[RECEIPT]
    unknown = parse_open(matter, {**example(RECEIPT), "unidentified": True})
    check_case(matter, unknown, None)
    assert faults(lambda: check_case(matter, parse_open(matter, example(RECEIPT)), None)) == [
        ("/case_no", "case-required")
    ]
    both = {**example(RECEIPT), "unidentified": True, "claimed_on": "2026-04-01"}
    assert faults(lambda: parse_open(matter, both)) == [("/payload/claimed_on", "unidentified-or-claimed")]


def test_an_approved_delay_goes_beyond_the_thirty_days_with_its_form() -> None:
    matter = catalogue()[APPROVE]
    payload = parse_open(matter, {**example(APPROVE), "pay_by": "2026-06-30", "delay": DELAY})
    assert matter.documents(payload) == {"release-approval": 1, "delay-approval": 1}
    assert matter.documents(parse_open(matter, example(APPROVE))) == {"release-approval": 1}


def test_another_reason_for_a_delay_is_explained() -> None:
    data = {**example(APPROVE), "pay_by": "2026-06-30", "delay": {**DELAY, "reason": "other"}}
    assert faults(lambda: parse_open(catalogue()[APPROVE], data)) == [("/payload/delay/note", "reason-required")]


@pytest.mark.parametrize(
    ("served_on", "found"),
    [
        ("2026-04-16", []),
        ("2026-04-15", [("/payload/pay_by", "term-too-long")]),
    ],
)
def test_what_belongs_to_a_bankruptcy_is_handed_over_in_seven_days_and_nothing_delays_it(
    served_on: str, found: list[tuple[str, str]]
) -> None:
    data = changed(example(APPROVE), "/payee/kind", "administrator") | {"served_on": served_on, "delay": DELAY}
    if found:
        assert faults(lambda: parse_open(catalogue()[APPROVE], data)) == found
    else:
        assert parse_open(catalogue()[APPROVE], data).canonical()["served_on"] == served_on


def paid(**members: Any) -> Any:
    result = dict(catalogue()[APPROVE].example_result)
    line = {k: v for k, v in {**result["items"][0], **members}.items() if v is not None}
    return parse_data(catalogue()[APPROVE], "result", {**result, "items": [line]})


@pytest.mark.parametrize(
    ("members", "pointer", "rule"),
    [
        ({"paid_on": None}, "/paid_on", "payment-details"),
        ({"amount": None}, "/amount", "payment-details"),
        ({"voucher_no": None}, "/voucher_no", "payment-details"),
        ({"status": "failed"}, "/fail_reason", "fail-reason-required"),
        ({"amount": "0.00"}, "/amount", "amount-positive"),
    ],
    ids=str,
)
def test_slip_in_a_payment(members: dict[str, Any], pointer: str, rule: str) -> None:
    assert faults(lambda: paid(**members)) == [(f"/items/0{pointer}", rule)]


def test_a_payment_that_failed_says_why_and_no_more() -> None:
    (line,) = paid(status="failed", paid_on=None, amount=None, voucher_no=None, fail_reason="账户已销户").items
    assert (line.status, line.amount, line.fail_reason) == ("failed", None, "账户已销户")


@pytest.mark.parametrize("name", EVENTS)
def test_the_finance_office_tells_the_bureau_and_names_nobody(name: str) -> None:
    matter = catalogue()[name]
    assert (matter.shape, matter.senders, matter.receivers) == (Shape.NOTICE, {Kind.OFFICE}, {Kind.COURT})
    assert matter.request_class is Classification.INTERNAL
    assert not {"name", "payer", "account_no", "id_no"} & matter.request.model_fields.keys()
    without = changed(example(name), "/amount", DELETE)
    assert faults(lambda: parse_open(matter, without)) == [("/payload/amount", "missing-member")]


def test_a_payment_is_approved_by_two_and_signed() -> None:
    matter = catalogue()[APPROVE]
    payload = parse_open(matter, example(APPROVE))
    assert matter.coercive(payload)
    assert (matter.approvals(payload).people, matter.approvals(payload).roles) == (2, ("bureau-chief",))
    assert (matter.senders, matter.receivers) == ({Kind.COURT}, {Kind.OFFICE})
    check_case(matter, payload, "（2026）陕0199执900001号")
    assert faults(lambda: check_case(matter, payload, "（2026）陕0199司惩900001号")) == [
        ("/case_no", "case-not-enforcement")
    ]
