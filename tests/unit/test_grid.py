"""Grid centres: calling on somebody, helping to serve, witnessing; and what they are never told."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from lianzhi.protocol.cards import Classification
from schemas.catalogue import DeadlineKind, catalogue
from schemas.validation import json_schema, parse_data, parse_open
from tests.faults import DELETE, GRID, answers, changed, example, faults

VISIT, SERVICE, WITNESS = "grid.visit.request", "grid.service-assist.request", "grid.witness.request"
TASKS = (GRID, VISIT, SERVICE, WITNESS)

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (VISIT, "/topics", [], "/topics", "too-few"),
    (VISIT, "/topics", ["settlement", "settlement"], "/topics/1", "duplicate-value"),
    (VISIT, "/topics", ["pay-86000"], "/topics/0", "unknown-code"),
    (VISIT, "/person/id_tail4", "46", "/person/id_tail4", "id-tail-form"),
    (VISIT, "/debt_amount", "86000.00", "/debt_amount", "extra-member"),
    (VISIT, "/case_no", "（2026）陕0199执900001号", "/case_no", "extra-member"),
    (SERVICE, "/mode", "by-force", "/mode", "unknown-code"),
    (SERVICE, "/envelopes", 0, "/envelopes", "number-range"),
    (SERVICE, "/paper", "执行通知书", "/paper", "extra-member"),
    (SERVICE, "/meet_at", "2026-03-26", "/meet_at", "moment-form"),
    (WITNESS, "/act", "search", "/act", "unknown-code"),
    (WITNESS, "/people", 6, "/people", "number-range"),
    (WITNESS, "/starts_at", "九点", "/starts_at", "moment-form"),
    (WITNESS, "/debtor", "李示例", "/debtor", "extra-member"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


ANSWERS: list[tuple[str, dict[str, Any], str, str]] = [
    (VISIT, {"attitude": DELETE}, "/attitude", "attitude-required"),
    (VISIT, {"met": False}, "/attitude", "not-met"),
    (VISIT, {"met": False, "attitude": DELETE}, "/wants_settlement", "not-met"),
    (VISIT, {"worker_no": DELETE}, "/worker_no", "missing-member"),
    (SERVICE, {"receipt_image": DELETE}, "/receipt_image", "service-proof-required"),
    (SERVICE, {"signed_at": DELETE}, "/signed_at", "service-proof-required"),
    (SERVICE, {"mode": DELETE}, "/mode", "service-proof-required"),
    (SERVICE, {"signer": DELETE}, "/signer", "signer-required"),
    (SERVICE, {"relation": DELETE}, "/relation", "relation-required"),
    (SERVICE, {"served": False}, "/fail_reason", "fail-reason-required"),
    (SERVICE, {"served": False, "fail_reason": "家中无人"}, "/signed_at", "not-served"),
    (WITNESS, {"attendees": []}, "/attendees", "attendees-required"),
    (WITNESS, {"opinion": DELETE}, "/opinion", "opinion-required"),
    (WITNESS, {"opinion": "objection"}, "/note", "reason-required"),
    (WITNESS, {"attended": False, "note": "无人到场"}, "/attendees", "not-attended"),
    (WITNESS, {"attended": False, "attendees": DELETE, "note": "无"}, "/signed_at", "not-attended"),
    (WITNESS, {"attended": False, "attendees": DELETE, "signed_at": DELETE}, "/opinion", "not-attended"),
    (
        WITNESS,
        {"attended": False, "attendees": DELETE, "signed_at": DELETE, "opinion": DELETE},
        "/note",
        "reason-required",
    ),
]


def answer(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(catalogue()[name].example_result)
    for member, value in changes.items():
        result = changed(result, f"/items/0/{member}", value)
    return result


@pytest.mark.parametrize(("name", "changes", "pointer", "rule"), ANSWERS, ids=lambda v: str(v)[:60])
def test_slip_in_an_answer(name: str, changes: dict[str, Any], pointer: str, rule: str) -> None:
    result = answer(name, changes)
    assert faults(lambda: parse_data(catalogue()[name], "result", result)) == [(f"/items/0{pointer}", rule)]


def test_nobody_met_nothing_served_nobody_came_are_answers() -> None:
    for name, changes in (
        (VISIT, {"met": False, "attitude": DELETE, "wants_settlement": DELETE}),
        (SERVICE, {"served": False, "signed_at": DELETE, "fail_reason": "家中无人"}),
        (SERVICE, {"mode": "posted-photo", "signer": DELETE, "relation": DELETE}),
        (
            WITNESS,
            {"attended": False, "attendees": DELETE, "signed_at": DELETE, "opinion": DELETE, "note": "人手不足"},
        ),
    ):
        answers(name, answer(name, changes))


@pytest.mark.parametrize("name", TASKS)
def test_three_working_days_and_the_least_data(name: str) -> None:
    matter = catalogue()[name]
    assert (matter.deadline.kind, matter.deadline.amount) == (DeadlineKind.WORKING_DAYS, 3)
    assert matter.request_class is Classification.SENSITIVE
    assert not matter.coercive(parse_open(matter, example(name)))
    schema = json_schema(matter)["payload"]
    named = {m for part in (schema, *schema.get("$defs", {}).values()) for m in part.get("properties", {})}
    assert not named & {"case_no", "id_no", "amount", "debt_amount", "claim", "basis_no", "reason", "note", "purpose"}


async def test_what_a_grid_worker_reads() -> None:
    opening = {
        "request": {"request_no": "court-sn0199-20260324-900001", "case_no": "（2026）陕0199执900001号"},
        "court": {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"},
        "payload": example(SERVICE),
    }
    body = await adapter_for("grid/1").encode(Canonical(SERVICE, "open", opening))
    assert body == {
        "taskNo": "court-sn0199-20260324-900001",
        "courtName": "云川县人民法院（演示）",
        "ref": "m3x8d2va",
        "name": "李示例",
        "idTail4": "462X",
        "address": {"divisionCode": "610199", "street": "东街", "detail": "1号"},
        "mode": "4",
        "envelopes": 2,
        "meetAt": "2026-03-26T10:00:00+08:00",
    }
