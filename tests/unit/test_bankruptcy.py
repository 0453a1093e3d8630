"""From enforcement to bankruptcy: proposed, transferred, and every enforcing court told."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import DeadlineKind, Kind, Shape, catalogue
from schemas.validation import check_case, documents_of, parse_data, parse_open
from tests.faults import DELETE, changed, example, faults, opens

PROPOSE, TRANSFER, STAY = (
    "bankruptcy.candidate.propose",
    "bankruptcy.transfer.submit",
    "bankruptcy.stay.notify",
)

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (PROPOSE, "/known_assets", "8600000.00", "/known_assets", "assets-cover-debt"),
    (PROPOSE, "/known_assets", "10000000.00", "/known_assets", "assets-cover-debt"),
    (PROPOSE, "/enterprise/uscc", "610199199003071237", "/enterprise/uscc", "uscc-form"),
    (PROPOSE, "/enterprise/uscc", DELETE, "/enterprise/uscc", "missing-member"),
    (PROPOSE, "/grounds", [], "/grounds", "too-few"),
    (PROPOSE, "/grounds", ["cannot-pay-due", "cannot-pay-due"], "/grounds/1", "duplicate-value"),
    (PROPOSE, "/pending_cases", 0, "/pending_cases", "number-range"),
    (PROPOSE, "/consent", "perhaps", "/consent", "unknown-code"),
    (TRANSFER, "/consent/given_on", "2026-04-11", "/consent/given_on", "consent-after-decision"),
    (TRANSFER, "/consent", DELETE, "/consent", "missing-member"),
    (TRANSFER, "/decided_on", "2026-04-14", "/decided_on", "decision-after-transfer"),
    (TRANSFER, "/insolvency", [], "/insolvency", "insolvency-evidence"),
    (TRANSFER, "/insolvency", DELETE, "/insolvency", "missing-member"),
    (TRANSFER, "/distributed/0/paid_on", "2026-04-11", "/distributed/0/paid_on", "distributed-after-decision"),
    (TRANSFER, "/distributed/0/amount", "0.00", "/distributed/0/amount", "amount-positive"),
    (TRANSFER, "/seized/0/asset", "zzzzzzzz", "/seized/0/asset", "asset-unlisted"),
    (TRANSFER, "/seized/0/measure_no", "CF-1", "/seized/0/measure_no", "measure-unlisted"),
    (TRANSFER, "/measures", [], "/seized/0/measure_no", "measure-unlisted"),
    (TRANSFER, "/debts", [], "/debts", "too-few"),
    (TRANSFER, "/debts/0/case_no", "执1号", "/debts/0/case_no", "case-number-form"),
    (TRANSFER, "/other_courts/0/case_no", DELETE, "/other_courts/0/case_no", "missing-member"),
    (TRANSFER, "/property/1/ref", "w2d6f8gh", "/property/1/ref", "duplicate-ref"),
    (TRANSFER, "/account_no", "6100000000900001", "/account_no", "extra-member"),
    (STAY, "/occasion", "accepted", "/bankruptcy_case_no", "bankruptcy-case-required"),
    (STAY, "/occasion", "rejected", "/bankruptcy_case_no", "bankruptcy-case-required"),
    (STAY, "/occasion", "rumoured", "/occasion", "unknown-code"),
    (STAY, "/contact", "call me", "/contact", "phone-form"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def answer(name: str, outcome: str = "done", **members: Any) -> Any:
    """A result of one line: the example's, with members changed (None: taken out)."""
    result = dict(catalogue()[name].example_result)
    line = {k: v for k, v in {**result["items"][0], **members}.items() if v is not None}
    return parse_data(catalogue()[name], "result", {**result, "outcome": outcome, "items": [line]})


@pytest.mark.parametrize(
    ("name", "members", "pointer", "rule"),
    [
        (PROPOSE, {"answer": "not-suitable"}, "/reason", "reason-required"),
        (TRANSFER, {"case_no": None}, "/case_no", "bankruptcy-case-required"),
        (TRANSFER, {"case_no": "（2026）陕0199执900001号"}, "/case_no", "bankruptcy-case-required"),
        (TRANSFER, {"served_on": None}, "/served_on", "handover-due-required"),
        (TRANSFER, {"handover_due_on": None}, "/handover_due_on", "handover-due-required"),
        (TRANSFER, {"handover_due_on": "2026-05-16"}, "/handover_due_on", "term-too-long"),
        (TRANSFER, {"handover_due_on": "2026-05-07"}, "/handover_due_on", "end-before-start"),
        (TRANSFER, {"served_on": "2026-05-06"}, "/served_on", "end-before-start"),
        (TRANSFER, {"answer": "rejected"}, "/reason", "reason-required"),
    ],
    ids=str,
)
def test_slip_in_an_answer(name: str, members: dict[str, Any], pointer: str, rule: str) -> None:
    assert faults(lambda: answer(name, **members)) == [(f"/items/0{pointer}", rule)]


def test_a_step_is_never_done() -> None:
    filed: dict[str, Any] = {
        "answer": "under-review",
        "served_on": None,
        "handover_due_on": None,
        "case_no": "（2026）陕0199破申900001号",
    }
    assert faults(lambda: answer(TRANSFER, **filed)) == [("/outcome", "more-to-follow")]
    answer(TRANSFER, "partial", **filed)
    later = {"answer": "look-further", "reason": "待评估厂房"}
    assert faults(lambda: answer(PROPOSE, **later)) == [("/outcome", "more-to-follow")]
    assert answer(PROPOSE, "partial", **later).outcome == "partial"


def test_a_rejection_needs_no_handover() -> None:
    (line,) = answer(TRANSFER, answer="rejected", served_on=None, handover_due_on=None, reason="资产足以清偿").items
    assert (line.answer, line.handover_due_on, line.reason) == ("rejected", None, "资产足以清偿")


def test_who_decides_and_in_how_many_days() -> None:
    matter = catalogue()[TRANSFER]
    payload = parse_open(matter, example(TRANSFER))
    assert matter.receivers == {Kind.OFFICE, Kind.COURT}
    assert (matter.deadline.kind, matter.deadline.amount) == (DeadlineKind.LEGAL_DAYS, 30)
    assert matter.approvals(payload).people == 2
    assert "president" in matter.approvals(payload).roles
    assert matter.documents(payload) == {"bankruptcy-transfer-decision": 1, "bankruptcy-consent": 1}
    assert len(documents_of(payload.canonical())) == 1
    assert catalogue()[PROPOSE].receivers == {Kind.OFFICE}


def test_a_transfer_comes_only_from_a_case_of_enforcement() -> None:
    matter = catalogue()[TRANSFER]
    payload = parse_open(matter, example(TRANSFER))
    check_case(matter, payload, "（2026）陕0199执900001号")
    assert faults(lambda: check_case(matter, payload, "（2026）陕0199执异900001号")) == [
        ("/case_no", "case-not-enforcement")
    ]
    assert faults(lambda: check_case(matter, payload, None)) == [("/case_no", "case-required")]


def test_nothing_seized_needs_no_measure() -> None:
    bare = {**example(TRANSFER), "property": [], "seized": [], "measures": [], "distributed": [], "other_courts": []}
    opens(TRANSFER, bare)


@pytest.mark.parametrize(
    ("occasion", "more", "paper"),
    [
        ("transfer-decided", {}, "bankruptcy-transfer-decision"),
        ("accepted", {"bankruptcy_case_no": "（2026）陕0199破900001号"}, "bankruptcy-acceptance-ruling"),
        (
            "rejected",
            {"bankruptcy_case_no": "（2026）陕0199破申900001号", "reason": "不符合受理条件"},
            "bankruptcy-rejection-ruling",
        ),
    ],
)
def test_every_enforcing_court_is_told_with_the_paper_of_the_occasion(
    occasion: str, more: dict[str, Any], paper: str
) -> None:
    matter = catalogue()[STAY]
    payload = parse_open(matter, {**example(STAY), "occasion": occasion, **more})
    assert matter.documents(payload) == {paper: 1}
    assert (matter.shape, matter.fan_out, matter.receivers) == (Shape.NOTICE, True, {Kind.COURT})


def test_going_on_again_says_why() -> None:
    data = {**example(STAY), "occasion": "rejected", "bankruptcy_case_no": "（2026）陕0199破申900001号"}
    assert faults(lambda: parse_open(catalogue()[STAY], data)) == [("/payload/reason", "reason-required")]
