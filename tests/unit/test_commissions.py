"""Commissioned matters: every row of the table, its objects, terms, papers and measures."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

from schemas.catalogue import catalogue
from schemas.matters.entrust.commissions import COMMISSIONS
from schemas.matters.entrust.objects import CommissionObject
from schemas.validation import parse_data, parse_open
from schemas.values.labels import DOCUMENTS
from tests.faults import DELETE, ENTRUST, ORIGINAL, answers, changed, faults

PARTY = {
    "ref": "k7m2q9xa",
    "name": "王演示",
    "id_kind": "resident-id",
    "id_no": "610199199003071237",
    "role": "被执行人",
}
ADDRESS = {"division_code": "610528", "detail": "演示村1号"}
PARTICULARS: dict[str, dict[str, Any]] = {
    "deposit": {"bank": "演示银行", "account_no": "6100000000900001", "amount": "1.00"},
    "wealth": {"institution": "演示银行", "product": "演示一号", "account_no": "6100000000900001", "amount": "1.00"},
    "equity": {"company": {"ref": "c4d8e2fg", "name": "演示公司", "uscc": "93610528MA6Y00001Y"}, "share": "30%"},
    "realty": {"unit_no": "610528001001GB00001F00010001", "location": "演示街1号"},
    "movable": {"description": "演示设备", "location": "演示村1号"},
    "subject": {"questions": ["名下有无宅基地？"]},
    "addressee": {"address": ADDRESS, "paper": "执行通知书（2026）陕0199执900001号"},
    "whereabouts": {"decision": "detention-order", "address": ADDRESS, "seen_on": "2026-03-23"},
    "site": {"address": ADDRESS, "description": "协助清场"},
    "other": {"description": "其他事项"},
}


def commission(code: str) -> dict[str, Any]:
    row = COMMISSIONS[code]
    data: dict[str, Any] = {
        "matter_code": code,
        "entrusting": "陕0199",
        "entrusted": "陕0528",
        "place": "富平县",
        "objects": [{"ref": "d2f6h8jk", "kind": row.object, "party": PARTY, **PARTICULARS[row.object]}],
        "requested_days": row.days[1],
    }
    if row.years:
        data |= {"start_on": "2026-03-24", "end_on": f"{2026 + row.years}-03-24"}
    if row.effect in ("renew", "end"):
        data["original"] = ORIGINAL
    return data


@pytest.mark.parametrize("code", COMMISSIONS)
def test_every_matter_code(code: str) -> None:
    row, matter = COMMISSIONS[code], catalogue()[ENTRUST]
    data = commission(code)
    payload = parse_open(matter, data)
    assert payload.canonical() == data
    assert matter.coercive(payload) is (code not in ("investigate-property", "serve-document"))
    ruling = "release-ruling" if row.effect == "end" else "enforcement-ruling"
    common = {ruling, "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy"}
    decision = {"detention-decision"} if code == "control-person" else set()
    assert set(matter.papers(payload, date(2026, 3, 24))) == common | set(row.papers) | decision
    assert set(row.papers) <= set(DOCUMENTS)
    rule = matter.measure(payload)
    assert (rule.effect if rule else None) == row.effect
    if row.effect in ("renew", "end"):
        assert rule is not None and rule.measure_no == ORIGINAL["measure_no"]
        second = {**data["objects"][0], "ref": "e3g7j9km"}
        assert faults(lambda: parse_open(matter, {**data, "objects": [*data["objects"], second]})) == [
            ("/payload/objects/1", "one-object")
        ]


@pytest.mark.parametrize("code", [c for c, row in COMMISSIONS.items() if row.years])
def test_no_measure_is_longer_than_the_law_allows(code: str) -> None:
    data = {**commission(code), "end_on": f"{2026 + COMMISSIONS[code].years}-03-25"}
    assert faults(lambda: parse_open(catalogue()[ENTRUST], data)) == [("/payload/end_on", "term-too-long")]


def test_opening_and_ending_meet_at_the_same_object() -> None:
    matter = catalogue()[ENTRUST]
    for code, row in COMMISSIONS.items():
        if row.effect != "open":
            continue
        for other, later in COMMISSIONS.items():
            if later.effect and later.object == row.object and later.action == row.action:
                first = matter.measure(parse_open(matter, commission(code)))
                second = matter.measure(parse_open(matter, commission(other)))
                assert first is not None and second is not None and first.objects == second.objects


def test_holding_somebody_is_the_presidents_and_a_second_persons() -> None:
    matter, lookout = catalogue()[ENTRUST], catalogue()["police.person-control.request"]
    rule = matter.approvals(parse_open(matter, commission("control-person")))
    assert rule == lookout.approvals(parse_open(lookout, dict(lookout.example_request)))
    assert matter.approvals(parse_open(matter, commission("freeze-deposit"))).people == 0


def test_what_is_detained_can_be_renewed_and_released() -> None:
    matter = catalogue()[ENTRUST]
    rules = [matter.measure(parse_open(matter, commission(f"{w}-movable"))) for w in ("detain", "renew-seal", "unseal")]
    assert len({(rule.action, rule.objects) for rule in rules if rule}) == 1
    assert [rule.effect for rule in rules if rule] == ["open", "renew", "end"]


@pytest.mark.parametrize(
    ("code", "at", "value", "pointer", "rule"),
    [
        ("control-person", "/objects/0/decision", DELETE, "/objects/0/decision", "missing-member"),
        ("control-person", "/objects/0/decision", "summons", "/objects/0/decision", "unknown-code"),
        ("control-person", "/objects/0/address", DELETE, "/objects/0/address", "missing-member"),
        ("control-person", "/objects/0/address/detail", " ", "/objects/0/address/detail", "text-form"),
        ("control-person", "/objects/0/seen_on", DELETE, "/objects/0/seen_on", "missing-member"),
        ("control-person", "/objects/0/party/id_kind", "uscc", "/objects/0/party/id_kind", "natural-person"),
        ("investigate-property", "/objects/0/questions", [], "/objects/0/questions", "too-few"),
        ("investigate-property", "/objects/0/questions", DELETE, "/objects/0/questions", "missing-member"),
        ("investigate-property", "/requested_days", 31, "/requested_days", "number-range"),
        ("investigate-property", "/requested_days", 9, "/requested_days", "requested-days"),
        ("serve-document", "/requested_days", 11, "/requested_days", "requested-days"),
        ("serve-document", "/objects/0/paper", DELETE, "/objects/0/paper", "missing-member"),
        ("assist-on-site", "/objects/0/starts_at", "明天", "/objects/0/starts_at", "moment-form"),
        ("seal-realty", "/requested_days", 21, "/requested_days", "requested-days"),
    ],
)
def test_slip(code: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(commission(code), at, value)
    assert (f"/payload{pointer}", rule) in faults(lambda: parse_open(catalogue()[ENTRUST], data))


def test_what_is_urgent_may_ask_for_one_day() -> None:
    data = {**commission("freeze-deposit"), "requested_days": 1}
    parse_open(catalogue()[ENTRUST], {**data, "urgent": True})
    assert faults(lambda: parse_open(catalogue()[ENTRUST], data)) == [("/payload/requested_days", "requested-days")]


def test_papers_follow_the_decision() -> None:
    matter = catalogue()[ENTRUST]
    data = changed(commission("control-person"), "/objects/0/decision", "compelled-appearance")
    papers = set(matter.papers(parse_open(matter, data), date(2026, 3, 24)))
    assert "compelled-appearance-writ" in papers and "detention-decision" not in papers


SERVED = {
    "method": "forwarded",
    "signed_at": "2026-04-02T10:00:00+08:00",
    "signer": "王家属",
    "relation": "父亲",
    "receipt_image": "a" * 64,
}


def answer(service: dict[str, Any], **item: Any) -> dict[str, Any]:
    line = {"ref": "d2f6h8jk", "status": "done", "service": service, **item}
    return {"outcome": "done", "as_of": "2026-04-02T15:30:00+08:00", "items": [line]}


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"signed_at": None}, "/service/signed_at", "service-proof-required"),
        ({"receipt_image": None}, "/service/receipt_image", "service-proof-required"),
        ({"signer": None}, "/service/signer", "signer-required"),
        ({"method": "direct", "signer": None}, "/service/signer", "signer-required"),
        ({"relation": None}, "/service/relation", "relation-required"),
        ({"method": "failed"}, "/service/signed_at", "not-served"),
        ({"method": "failed", "signed_at": None}, "/status", "not-served"),
        ({"method": "posted"}, "/service/method", "unknown-code"),
    ],
)
def test_a_service_is_proved(change: dict[str, Any], pointer: str, rule: str) -> None:
    result = answer({k: v for k, v in {**SERVED, **change}.items() if v is not None})
    found = faults(lambda: parse_data(catalogue()[ENTRUST], "result", result))
    assert found == [(f"/items/0{pointer}", rule)]


@pytest.mark.parametrize(
    "change", [{}, {"method": "direct", "relation": None}, {"method": "retained", "signer": None, "relation": None}]
)
def test_three_ways_to_serve(change: dict[str, Any]) -> None:
    answers(ENTRUST, answer({k: v for k, v in {**SERVED, **change}.items() if v is not None}))


def test_what_could_not_be_served_is_no_success() -> None:
    answers(ENTRUST, answer({"method": "failed"}, status="failed", fail_reason="查无此人"))


def test_kinds_of_objects_are_no_members() -> None:
    """`validation` tells the tags of the union from member names by this."""
    union = get_args(get_args(CommissionObject)[0])
    kinds = {kind for model in union for kind in model.model_fields["kind"].annotation.__args__}
    assert kinds == set(PARTICULARS)
    assert not kinds & {member for model in union for member in model.model_fields}
