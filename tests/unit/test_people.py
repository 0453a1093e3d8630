"""The police and people: looking one up, looking out for one, and meeting one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lianzhi.protocol.cards import Classification
from schemas.catalogue import catalogue
from schemas.validation import parse_data, parse_open
from tests.faults import DELETE, changed, example, faults, opens

INFO, CONTROL, RENEW, CANCEL, HIT = (
    "police.person-info.query",
    "police.person-control.request",
    "police.person-control.renew",
    "police.person-control.cancel",
    "police.person-hit.alert",
)
COMPANY = {"ref": "k7m2q9xa", "name": "演示公司", "id_kind": "uscc", "id_no": "93610528MA6Y00001Y", "role": "被执行人"}
ANSWER = "/items/0/answers"

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (INFO, "/person", COMPANY, "/person/id_kind", "natural-person"),
    (INFO, "/person/id_no", DELETE, "/person/id_no", "id-required"),
    (INFO, "/scopes", [], "/scopes", "too-few"),
    (INFO, "/scopes", ["identity", "identity"], "/scopes/1", "duplicate-value"),
    (INFO, "/scopes", ["identity", "bank"], "/scopes/1", "unknown-code"),
    (INFO, "/start_on", "2025-03-23", "/end_on", "term-too-long"),
    (INFO, "/start_on", "2026-03-25", "/end_on", "end-before-start"),
    (INFO, "/need", "查一下", "/need", "too-short"),
    (INFO, "/need", "查" * 501, "/need", "too-long"),
    (CONTROL, "/person", COMPANY, "/person/id_kind", "natural-person"),
    (CONTROL, "/end_on", "2026-04-24", "/end_on", "term-too-long"),
    (CONTROL, "/end_on", "2026-03-23", "/end_on", "end-before-start"),
    (CONTROL, "/duty_phones", ["13800138000"], "/duty_phones", "too-few"),
    (CONTROL, "/duty_phones", ["13800138000", "13800138000"], "/duty_phones/1", "duplicate-value"),
    (CONTROL, "/decision", "summons", "/decision", "unknown-code"),
    (CONTROL, "/handover_place", " ", "/handover_place", "text-form"),
    (RENEW, "/end_on", "2026-04-22", "/end_on", "renewal-not-longer"),
    (RENEW, "/end_on", "2026-05-23", "/end_on", "term-too-long"),
    (CANCEL, "/reason", "tired", "/reason", "unknown-code"),
    (HIT, "/held", False, "/hold_until", "hold-not-needed"),
    (HIT, "/hold_until", "2026-04-02T14:00:00Z", "/hold_until", "hold-before-hit"),
    (HIT, "/officer_phone", "110", "/officer_phone", "phone-form"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def test_twelve_months_and_thirty_days_are_still_lawful() -> None:
    opens(INFO, changed(example(INFO), "/start_on", "2025-03-24"))
    opens(CONTROL, changed(example(CONTROL), "/end_on", "2026-04-23"))


@pytest.mark.parametrize(
    ("at", "value", "pointer", "rule"),
    [
        ("/0/records", [], "/0/records", "records-missing"),
        ("/0/status", "none", "/0/records", "records-not-needed"),
        ("/1/status", "denied", "/1/denied_reason", "denied-reason-required"),
        ("/1/scope", "identity", "/1/scope", "duplicate-value"),
        ("/1/scope", "bank", "/1/scope", "unknown-code"),
        ("/0/records/0/hotel", "演示旅馆", "/0/records/0/hotel", "extra-member"),
    ],
)
def test_an_answer_says_found_none_or_denied_for_each_scope(at: str, value: Any, pointer: str, rule: str) -> None:
    result = changed(dict(catalogue()[INFO].example_result), ANSWER + at, value)
    assert faults(lambda: parse_data(catalogue()[INFO], "result", result)) == [(ANSWER + pointer, rule)]


def test_what_tells_movements_is_protected_as_a_place_is() -> None:
    matter = catalogue()[INFO]
    assert matter.classification("result") is Classification.LOCATION
    result = changed(dict(matter.example_result), "/ttl_hours", 73)
    assert faults(lambda: parse_data(matter, "result", result)) == [("/ttl_hours", "number-range")]


def test_a_lookout_rests_on_its_decision_and_on_the_president() -> None:
    matter = catalogue()[CONTROL]
    papers = {
        decision: dict(
            matter.papers(parse_open(matter, changed(example(CONTROL), "/decision", decision)), date(2026, 3, 24))
        )
        for decision in ("detention-order", "compelled-appearance")
    }
    assert papers == {
        "detention-order": {"detention-decision": 1},
        "compelled-appearance": {"compelled-appearance-writ": 1},
    }
    for name in (CONTROL, RENEW):
        rule = catalogue()[name].approvals(parse_open(catalogue()[name], example(name)))
        assert (rule.people, rule.roles) == (2, ("president",))


def test_nobody_approves_freeing_somebody() -> None:
    matter = catalogue()[CANCEL]
    payload = parse_open(matter, changed(example(CANCEL), "/person", COMPANY))
    assert (matter.approvals(payload).people, dict(matter.papers(payload, date(2026, 3, 24)))) == (0, {})


def test_request_renewal_and_end_are_about_one_measure() -> None:
    rules = {n: catalogue()[n].measure(parse_open(catalogue()[n], example(n))) for n in (CONTROL, RENEW, CANCEL)}
    assert {n: (r.action, r.effect) for n, r in rules.items() if r} == {
        CONTROL: ("control", "open"),
        RENEW: ("control", "renew"),
        CANCEL: ("control", "end"),
    }
    assert {r.objects for r in rules.values() if r} == {(("k7m2q9xa", "id:resident-id:610199199003071237"),)}
    assert {r.measure_no for r in rules.values() if r} == {None, "LK6101990000001"}
    assert catalogue()[CONTROL].ended_by == catalogue()[RENEW].ended_by == CANCEL


@pytest.mark.parametrize(("today", "late"), [(date(2026, 4, 22), False), (date(2026, 4, 23), True)])
def test_what_has_ended_is_not_renewed(today: date, late: bool) -> None:
    def parse() -> object:
        return parse_open(catalogue()[RENEW], example(RENEW), today=today)

    if late:
        assert faults(parse) == [("/payload/current_end_on", "renewal-late")]
    else:
        parse()


def check(**members: Any) -> Any:
    data = {"by": "sn0199-0007", "at": "2026-04-02T23:40:00+08:00", "photo_ok": True, **members}
    return parse_data(catalogue()[HIT], "identity-check", data)


def test_a_person_is_checked_by_the_number_before_being_taken_over() -> None:
    check(id_ok=False)
    assert faults(check) == [("/id_ok", "missing-member")]
    assert faults(lambda: check(id_ok=True, vin_ok=True)) == [("/vin_ok", "extra-member")]


def test_a_hit_names_its_control() -> None:
    matter = catalogue()[HIT]
    assert matter.alert_control_no(parse_open(matter, example(HIT))) == "LK6101990000001"
    assert matter.urgent("open", "normal") and not matter.case_required
