"""Helping the parties to settle, and what an association's members did: what is told to whom, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from lianzhi.protocol.cards import Classification
from schemas.catalogue import Kind, Shape, catalogue
from schemas.validation import parse_data, parse_open
from tests.faults import DELETE, changed, example, faults, opens

MEDIATION, FEEDBACK = "mediation.assist.request", "assoc.credit-feedback.report"

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (MEDIATION, "/creditor/name", "王演示", "/creditor", "same-party"),
    (MEDIATION, "/creditor/ref", "k7m2q9xa", "/creditor", "same-party"),
    (MEDIATION, "/dispute", "quarrel", "/dispute", "unknown-code"),
    (MEDIATION, "/offers", [], "/offers", "too-few"),
    (MEDIATION, "/offers", ["delay", "delay"], "/offers/1", "duplicate-value"),
    (MEDIATION, "/claim", "86000", "/claim", "money-form"),
    (MEDIATION, "/debtor/phone", "110", "/debtor/phone", "phone-form"),
    (MEDIATION, "/debtor/id_no", "610199199003071237", "/debtor/id_no", "extra-member"),
    (MEDIATION, "/both_willing", True, "/both_willing", "unknown-code"),
    (FEEDBACK, "/debtor/card_no", "610199198503121232", "/debtor/card_no", "id-not-masked"),
    (FEEDBACK, "/steps", ["none", "delisted"], "/steps", "nothing-done"),
    (FEEDBACK, "/steps", ["none"], "/steps", "nothing-done"),
    (FEEDBACK, "/steps", ["beaten"], "/steps/0", "unknown-code"),
    (FEEDBACK, "/members", 0, "/members", "nobody-acted"),
    (FEEDBACK, "/members", -1, "/members", "number-range"),
    (FEEDBACK, "/notice_no", "900001", "/notice_no", "wrong-form"),
    (FEEDBACK, "/reaction", "angry", "/reaction", "unknown-code"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def test_that_nobody_did_anything_can_be_said() -> None:
    opens(FEEDBACK, {**example(FEEDBACK), "steps": ["none"], "members": 0})


@pytest.mark.parametrize(
    ("at", "value", "pointer", "rule"),
    [
        ("/agreement", DELETE, "/agreement", "agreement-required"),
        ("/status", "no-agreement", "/reason", "reason-required"),
        ("/status", "unreachable", "/reason", "reason-required"),
        ("/status", "friends", "/status", "unknown-code"),
        ("/mediator", DELETE, "/mediator", "missing-member"),
    ],
)
def test_slip_in_an_answer(at: str, value: Any, pointer: str, rule: str) -> None:
    matter = catalogue()[MEDIATION]
    result = changed(dict(matter.example_result), f"/items/0{at}", value)
    assert faults(lambda: parse_data(matter, "result", result)) == [(f"/items/0{pointer}", rule)]


def test_one_type_for_all_who_can_help() -> None:
    matter = catalogue()[MEDIATION]
    assert matter.receivers == {Kind.GRID, Kind.ASSOCIATION, Kind.OFFICE} and matter.fan_out
    assert not matter.coercive(parse_open(matter, example(MEDIATION)))


def test_feedback_comes_from_outside_without_a_case() -> None:
    matter = catalogue()[FEEDBACK]
    assert (matter.shape, matter.senders, matter.receivers) == (Shape.NOTICE, {Kind.ASSOCIATION}, {Kind.COURT})
    assert not matter.case_required and matter.request_class is Classification.SENSITIVE


OPENING = {
    "request": {
        "request_no": "court-sn0199-20260324-900001",
        "case_no": "（2026）陕0199执900001号",
        "purpose": "settle",
        "legal_basis": ["CPL-240"],
    },
    "court": {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"},
    "handler": {"name": "李演示", "permit": "陕0199-0007", "phone": "029-86200110"},
    "payload": example(MEDIATION),
}


@pytest.mark.parametrize(
    ("dialect", "sum_told", "phone_told"),
    [("grid/1", False, True), ("association/1", False, False), ("plain/1", True, True)],
)
async def test_grids_and_associations_hear_neither_sum_nor_case(dialect: str, sum_told: bool, phone_told: bool) -> None:
    said = json.dumps(await adapter_for(dialect).encode(Canonical(MEDIATION, "open", OPENING)), ensure_ascii=False)
    assert "王演示" in said and "郑样例" in said
    assert ("86000" in said, "13800138010" in said) == (sum_told, phone_told)
    assert ("900001号" in said) is (dialect == "plain/1")


async def test_a_report_in_the_words_of_the_public_list() -> None:
    body = {
        "noticeNo": "assoc-610199-20260324-000001",
        "ref": "q4w8n3zt",
        "iname": "周样例",
        "cardNum": "6101991985****1234",
        "answeredNoticeNo": "court-sn0199-20260302-900001",
        "reportDate": "20260324",
        "memberCount": 3,
        "measures": "拒绝签约；要求预付或担保",
        "reaction": "表示愿意履行",
    }
    association = adapter_for("association/1")
    data = await association.decode(FEEDBACK, "open", body)
    assert data["payload"] == example(FEEDBACK)
    assert await association.encode(Canonical(FEEDBACK, "open", data)) == body
