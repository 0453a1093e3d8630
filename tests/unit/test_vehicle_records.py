"""The register, a longer control, and the car changing hands."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.validation import documents_of, parse_data, parse_open
from tests.faults import DELETE, changed, example, faults

INFO, RENEW, HANDOVER = (
    "police.vehicle-info.query",
    "police.vehicle-control.renew",
    "police.vehicle-handover.record",
)
OWNER = {
    "ref": "k7m2q9xa",
    "name": "王演示",
    "id_kind": "resident-id",
    "id_no": "610199199003071237",
    "role": "被执行人",
}

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (INFO, "/owner", OWNER, "/owner", "vehicle-or-owner"),
    (INFO, "/vehicle", DELETE, "/vehicle", "vehicle-or-owner"),
    (INFO, "/vehicle/plate_kind", "52", "/vehicle/plate_kind", "plate-kind-mismatch"),
    (INFO, "/vehicle/vin", "LSVAM4187C218484O", "/vehicle/vin", "vin-form"),
    (INFO, "/need", "看看", "/need", "too-short"),
    (RENEW, "/vehicle/plate", "使014578", "/vehicle/plate", "protected-plate"),
    (RENEW, "/vehicle/vin", DELETE, "/vehicle/vin", "vin-required"),
    (RENEW, "/end_on", "2026-06-20", "/end_on", "renewal-not-longer"),
    (RENEW, "/end_on", "2026-09-19", "/end_on", "term-too-long"),
    (RENEW, "/seal/end_on", "2026-09-17", "/end_on", "beyond-seal"),
    (RENEW, "/seal/rank", 2, "/seal/rank", "seal-not-live"),
    (HANDOVER, "/photos", ["1" * 64, "2" * 64, "3" * 64], "/photos", "photos-too-few"),
    (HANDOVER, "/photos", ["1" * 64] * 4, "/photos/1", "duplicate-value"),
    (HANDOVER, "/handed", ["keys", "licence"], "/handed", "not-handed-over"),
    (HANDOVER, "/handed", ["car", "car"], "/handed/1", "duplicate-value"),
    (HANDOVER, "/received_by", DELETE, "/received_by", "missing-member"),
    (HANDOVER, "/signed_list", DELETE, "/signed_list", "missing-member"),
    (HANDOVER, "/odometer_km", -1, "/odometer_km", "number-range"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


RESULT_SLIPS: list[tuple[str, str, Any, str, str]] = [
    (INFO, "/vehicles", [], "/vehicles", "records-missing"),
    (INFO, "/status", "none", "/vehicles", "records-not-needed"),
    (INFO, "/vehicles/0/seals/0/end_on", "2026-02-01", "/vehicles/0/seals/0/end_on", "end-before-start"),
    (INFO, "/vehicles/0/seals/0/case_no", "执1号", "/vehicles/0/seals/0/case_no", "case-number-form"),
    (HANDOVER, "/custodian", DELETE, "/custodian", "custodian-required"),
    (HANDOVER, "/place", DELETE, "/place", "custodian-required"),
    (HANDOVER, "/status", "not-taken", "/fail_reason", "fail-reason-required"),
    (RENEW, "/end_on", DELETE, "/end_on", "missing-member"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), RESULT_SLIPS, ids=lambda v: str(v)[:40])
def test_slip_in_a_result(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(dict(catalogue()[name].example_result), f"/items/0{at}", value)
    assert faults(lambda: parse_data(catalogue()[name], "result", data)) == [(f"/items/0{pointer}", rule)]


def test_an_owner_is_asked_about_by_number() -> None:
    data = {**changed(example(INFO), "/vehicle", DELETE), "owner": OWNER}
    assert parse_open(catalogue()[INFO], data).canonical() == data
    denied = {"ref": "k7m2q9xa", "status": "denied", "denied_reason": "不在本地登记"}
    result = {"outcome": "none", "as_of": "2026-03-24T10:10:00+08:00", "items": [denied]}
    parse_data(catalogue()[INFO], "result", result)


def test_a_longer_control_rests_on_a_live_seal_and_comes_in_time() -> None:
    matter = catalogue()[RENEW]
    rule = matter.measure(parse_open(matter, example(RENEW), today=date(2026, 6, 20)))
    assert rule is not None
    assert (rule.action, rule.effect, rule.measure_no) == ("control", "renew", "BK6101990000001")
    assert (rule.needs_live, rule.objects) == ("seal", (("v5t9c2hb", "vin:LSVAM4187C2184847"),))
    assert matter.ended_by == "police.vehicle-control.cancel"
    assert faults(lambda: parse_open(matter, example(RENEW), today=date(2026, 6, 21))) == [
        ("/payload/current_end_on", "renewal-late")
    ]


def test_a_handover_belongs_to_its_control_and_names_its_pictures() -> None:
    matter = catalogue()[HANDOVER]
    payload = parse_open(matter, example(HANDOVER))
    assert matter.alert_control_no(payload) == "BK6101990000001"
    assert documents_of(payload.canonical()) == ["1" * 64, "2" * 64, "3" * 64, "4" * 64, "5" * 64]
