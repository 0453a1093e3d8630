"""Departments: what each can tell and control, the measures that they keep, and which of them is meant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from adapters.contract import Canonical
from adapters.department.codes import CXBM
from adapters.registry import adapter_for
from gateway.core.routing import Participant, check_dept
from gateway.registry.participants import participant, read_form
from lianzhi.errors import ConfigurationError, RejectedError
from schemas.catalogue import Kind, catalogue
from schemas.matters.dept.objects import HeldObject
from schemas.matters.dept.property_query import REGISTERS
from schemas.validation import parse_data, parse_open
from schemas.values.departments import DEPARTMENTS, FIELD_LABELS, HELD_ACTIONS, HELD_LABELS, HELD_YEARS, Dept
from tests.faults import DELETE, ENTRUST, ORIGINAL, changed, example, faults, opens

QUERY, CONTROL = "dept.property.query", "dept.property-control.request"
COMPANY = {"ref": "k7m2q9xa", "name": "演示公司", "id_kind": "uscc", "id_no": "93610528MA6Y00001Y", "role": "被执行人"}
PARTY = example(CONTROL)["objects"][0]["party"]
SEAL = {
    "court": "富平县人民法院（演示）",
    "kind": "queued",
    "letter_no": "（2026）陕0591执900011号",
    "start_on": "2026-01-05",
    "end_on": "2029-01-04",
}
RECORDS: dict[str, dict[str, Any]] = {
    "realty": {"unit_no": "610199001001GB00001F00010001", "holder": "王演示", "location": "东街1号", "seals": [SEAL]},
    "companies": {"uscc": "93610528MA6Y00001Y", "name": "演示公司", "state": "存续", "share": "30%", "seals": [SEAL]},
    "insurances": {
        "id_no": "610199199003071237",
        "name": "王演示",
        "employer": "演示公司",
        "insurance": "employee-pension",
        "state": "paying",
        "benefit": "3120.00",
    },
    "funds": {
        "fund_no": "6101990000900001",
        "balance": "52000.00",
        "state": "normal",
        "base": "6000.00",
        "name": "王演示",
        "id_kind": "resident-id",
        "id_no": "610199199003071237",
        "loan_balance": "0.00",
    },
    "taxpayers": {"taxpayer_no": "93610528MA6Y00001Y", "name": "演示公司", "refund": "12000.00"},
    "marriages": {"marital_state": "married", "registered_on": "2015-05-20", "spouse": "李演示"},
    "machines": {"machine_plate": "陕01-90001", "frame_no": "YS900001", "owner": "王演示", "seals": [SEAL]},
    "ships": {"ship_name": "演示1号", "ship_no": "610199000001", "owner": "王演示", "seals": [SEAL]},
}
OBJECTS: dict[str, dict[str, Any]] = {
    "realty": {"unit_no": "610199001001GB00001F00010001", "location": "东街1号"},
    "equity": {"company": {"ref": "c4d8e2fg", "name": "演示公司", "uscc": "93610528MA6Y00001Y"}, "share": "30%"},
    "benefit": {"insurance": "employee-pension", "amount": "1000.00"},
    "fund": {"fund_no": "6101990000900001", "amount": "50000.00"},
    "refund": {"taxpayer_no": "93610528MA6Y00001Y", "amount": "12000.00"},
    "machine": {"machine_plate": "陕01-90001", "frame_no": "YS900001"},
    "ship": {"ship_name": "演示1号", "ship_no": "610199000001"},
}
HOLDING = [(dept.code, kind) for dept in DEPARTMENTS.values() for kind in dept.holds]
TRANSFEREE = {"name": "吴买受", "id_no": "610199199003071237"}


def query(dept: str) -> dict[str, Any]:
    return {**example(QUERY), "dept": dept, "fields": list(DEPARTMENTS[dept].fields)}


def control(dept: str, kind: str, action: str = "seal") -> dict[str, Any]:
    data: dict[str, Any] = {
        "dept": dept,
        "action": action,
        "objects": [{"ref": "p2r4t6vw", "kind": kind, "party": PARTY, **OBJECTS[kind]}],
    }
    if action in ("seal", "renew", "queue"):
        data |= {"start_on": "2026-03-24", "end_on": f"{2026 + HELD_YEARS[kind]}-03-24"}
    if action in ("seal", "queue"):
        data["debt_amount"] = "128000.00"
    if action in ("renew", "release", "queue"):
        data["original"] = ORIGINAL
    if action == "transfer" and "amount" not in OBJECTS[kind]:
        data["transferee"] = TRANSFEREE
    return data


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_table_is_whole() -> None:
    assert tuple(DEPARTMENTS) == get_args(Dept) == tuple(CXBM)
    assert {f for d in DEPARTMENTS.values() for f in d.fields} == set(FIELD_LABELS)
    held = {kind for _, kind in HOLDING}
    assert held == set(HELD_ACTIONS) == set(HELD_YEARS) == set(HELD_LABELS) == set(OBJECTS)
    models = get_args(get_args(HeldObject)[0])
    assert {get_args(model.model_fields["kind"].annotation)[0] for model in models} == held
    assert tuple(RECORDS) == REGISTERS and len(REGISTERS) == len(DEPARTMENTS)


# --- looking up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dept", DEPARTMENTS)
def test_every_department_is_asked_for_its_own(dept: str) -> None:
    matter, data = catalogue()[QUERY], query(dept)
    assert parse_open(matter, data).canonical() == data
    foreign = next(f for f in FIELD_LABELS if f not in DEPARTMENTS[dept].fields)
    assert faults(lambda: parse_open(matter, {**data, "fields": [data["fields"][0], foreign]})) == [
        ("/payload/fields/1", "field-of-other-dept")
    ]
    if DEPARTMENTS[dept].human:
        assert faults(lambda: parse_open(matter, {**data, "subject": COMPANY})) == [
            ("/payload/subject/id_kind", "natural-person")
        ]
    else:
        parse_open(matter, {**data, "subject": COMPANY})


def found(register: str, **changes: Any) -> dict[str, Any]:
    item = {"ref": "k7m2q9xa", "status": "found", "as_of": "2026-03-25T09:00:00+08:00", register: [RECORDS[register]]}
    return {"outcome": "done", "as_of": "2026-03-25T09:30:00+08:00", "items": [{**item, **changes}]}


@pytest.mark.parametrize("register", REGISTERS)
async def test_every_register_is_read_and_said(register: str) -> None:
    matter, result = catalogue()[QUERY], found(register)
    assert parse_data(matter, "result", result).canonical() == result
    department = adapter_for("department/1")
    body = {k: v for k, v in result.items() if k == "items"}
    said = await department.encode(Canonical(QUERY, "result", body))
    assert await department.decode(QUERY, "result", said) == body


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"realty": []}, "/status", "records-missing"),
        ({"status": "none"}, "/realty", "records-not-needed"),
        ({"status": "denied", "realty": []}, "/denied_reason", "denied-reason-required"),
        ({"ships": [RECORDS["ships"]]}, "/ships", "one-register"),
        ({"status": "perhaps"}, "/status", "unknown-code"),
        ({"as_of": "昨天"}, "/as_of", "moment-form"),
        ({"realty": [{**RECORDS["realty"], "seals": [{**SEAL, "end_on": "2025-01-01"}]}]}, "/realty/0/seals/0/end_on",
         "end-before-start"),
    ],
)  # fmt: skip
def test_found_none_and_denied_are_three_answers(changes: dict[str, Any], pointer: str, rule: str) -> None:
    result = found("realty", **changes)
    assert faults(lambda: parse_data(catalogue()[QUERY], "result", result)) == [(f"/items/0{pointer}", rule)]


@pytest.mark.parametrize("member", ["status", "as_of"])
def test_an_answer_always_says_what_was_found_and_when(member: str) -> None:
    result = changed(found("realty"), f"/items/0/{member}", DELETE)
    assert faults(lambda: parse_data(catalogue()[QUERY], "result", result)) == [
        (f"/items/0/{member}", "missing-member")
    ]


def test_nothing_and_no_are_answers_too() -> None:
    for changes in ({"status": "none"}, {"status": "denied", "denied_reason": "系统升级"}):
        (item,) = parse_data(catalogue()[QUERY], "result", found("realty", realty=[], **changes)).canonical()["items"]
        assert {name: item[name] for name in changes} == changes


# --- controlling ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["seal", "renew", "release", "queue", "transfer"])
@pytest.mark.parametrize(("dept", "kind"), HOLDING)
def test_every_action_on_every_kind_of_property(dept: str, kind: str, action: str) -> None:
    matter, data = catalogue()[CONTROL], control(dept, kind, action)
    payload = parse_open(matter, data)
    assert payload.canonical() == data and matter.coercive(payload)
    rule = matter.measure(payload)
    effect = {"seal": "open", "renew": "renew", "release": "end", "queue": "queue", "transfer": None}[action]
    assert (rule.effect if rule else None) == effect
    assert rule is None or (rule.measure_no == ORIGINAL["measure_no"]) is (action in ("renew", "release"))


@pytest.mark.parametrize(("dept", "kind"), HOLDING)
def test_opening_queueing_renewing_and_ending_meet_at_one_object(dept: str, kind: str) -> None:
    matter = catalogue()[CONTROL]
    rules = [matter.measure(parse_open(matter, control(dept, kind, a))) for a in ("seal", "queue", "renew", "release")]
    assert len({(rule.action, rule.objects) for rule in rules if rule}) == 1


@pytest.mark.parametrize("kind", ["realty", "equity"])
def test_a_commission_and_a_department_meet_at_one_object(kind: str) -> None:
    """Sealed twice by two ways is sealed twice: the same words, the same action."""
    dept, code = {"realty": ("realty", "seal-realty"), "equity": ("market", "freeze-equity")}[kind]
    object_ = control(dept, kind)["objects"][0]
    commissioned = {
        **{k: v for k, v in example(ENTRUST).items() if k != "assisting_unit"},
        "matter_code": code,
        "objects": [object_],
    }
    rules = [
        catalogue()[name].measure(parse_open(catalogue()[name], data))
        for name, data in ((CONTROL, control(dept, kind)), (ENTRUST, commissioned))
    ]
    assert len({(rule.action, rule.objects) for rule in rules if rule}) == 1


@pytest.mark.parametrize(("dept", "kind"), HOLDING)
def test_no_measure_is_longer_than_the_law_allows(dept: str, kind: str) -> None:
    data = {**control(dept, kind), "end_on": f"{2026 + HELD_YEARS[kind]}-03-25"}
    assert faults(lambda: parse_open(catalogue()[CONTROL], data)) == [("/payload/end_on", "term-too-long")]


@pytest.mark.parametrize(("dept", "kind"), HOLDING)
def test_a_department_controls_only_what_it_keeps(dept: str, kind: str) -> None:
    for other in (d for d in DEPARTMENTS if kind not in DEPARTMENTS[d].holds):
        assert faults(lambda other=other: parse_open(catalogue()[CONTROL], {**control(dept, kind), "dept": other})) == [  # type: ignore[misc]
            ("/payload/objects/0/kind", "object-of-other-dept")
        ]


SECOND = {**control("realty", "realty")["objects"][0], "ref": "e3g7j9km"}
SLIPS: list[tuple[tuple[str, str, str], str, Any, str, str]] = [
    (("realty", "realty", "seal"), "/original", ORIGINAL, "/original", "original-not-needed"),
    (("realty", "realty", "seal"), "/debt_amount", DELETE, "/debt_amount", "debt-required"),
    (("realty", "realty", "seal"), "/end_on", DELETE, "/end_on", "term-required"),
    (("realty", "realty", "seal"), "/start_on", DELETE, "/start_on", "term-required"),
    (("realty", "realty", "seal"), "/end_on", "2026-03-23", "/end_on", "end-before-start"),
    (("realty", "realty", "seal"), "/transferee", TRANSFEREE, "/transferee", "transferee-not-needed"),
    (("realty", "realty", "seal"), "/objects", [], "/objects", "too-few"),
    (("realty", "realty", "seal"), "/objects/0/kind", "deposit", "/objects/0/kind", "unknown-code"),
    (("realty", "realty", "seal"), "/action", "auction", "/action", "unknown-code"),
    (
        ("realty", "realty", "seal"),
        "/objects/0/party/role",
        "担保人",
        "/objects/0/party/obligor_evidence",
        "third-party-property",
    ),
    (("realty", "realty", "queue"), "/original", DELETE, "/original", "original-required"),
    (("realty", "realty", "queue"), "/debt_amount", DELETE, "/debt_amount", "debt-required"),
    (("realty", "realty", "renew"), "/original", DELETE, "/original", "original-required"),
    (("realty", "realty", "renew"), "/original/end_on", "2026-03-22", "/start_on", "renewal-gap"),
    (("realty", "realty", "renew"), "/end_on", "2026-03-24", "/end_on", "renewal-not-longer"),
    (("realty", "realty", "renew"), "/objects/1", SECOND, "/objects/1", "one-object"),
    (("realty", "realty", "release"), "/original", DELETE, "/original", "original-required"),
    (("realty", "realty", "release"), "/end_on", "2027-01-01", "/end_on", "term-not-needed"),
    (("realty", "realty", "transfer"), "/transferee", DELETE, "/transferee", "transferee-required"),
    (("realty", "realty", "transfer"), "/start_on", "2026-03-24", "/start_on", "term-not-needed"),
    (("housing-fund", "fund", "transfer"), "/objects/0/amount", DELETE, "/objects/0/amount", "amount-required"),
    (("housing-fund", "fund", "transfer"), "/transferee", TRANSFEREE, "/transferee", "transferee-not-needed"),
    (("housing-fund", "fund", "seal"), "/objects/0/amount", DELETE, "/objects/0/amount", "amount-required"),
    (("social-security", "benefit", "seal"), "/objects/0/insurance", "lottery", "/objects/0/insurance", "unknown-code"),
]


@pytest.mark.parametrize(("start", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(start: tuple[str, str, str], at: str, value: Any, pointer: str, rule: str) -> None:
    data = control(*start)
    if at == "/objects/1":
        data["objects"] = [*data["objects"], value]
    else:
        if at == "/original/end_on":
            data["original"] = {**data["original"], "end_on": "2026-03-23"}
        data = changed(data, at, value)
        if rule == "renewal-not-longer":
            data["original"] = {**data["original"], "end_on": "2026-03-24"}
    assert faults(lambda: parse_open(catalogue()[CONTROL], data)) == [(f"/payload{pointer}", rule)]


def test_a_guarantor_is_liable_by_a_document_and_a_release_frees_anybodys() -> None:
    paper = {
        "kind": "obligor-evidence",
        "issued_on": "2026-03-20",
        "sha256": "a" * 64,
        "pages": 1,
        "media_type": "application/pdf",
    }
    liable = changed(control("realty", "realty"), "/objects/0/party", {**PARTY, "role": "担保人"})
    opens(CONTROL, changed(liable, "/objects/0/party/obligor_evidence", paper))
    release = control("realty", "realty", "release")
    opens(CONTROL, changed(release, "/objects/0/party/role", "担保人"))


async def test_a_department_is_not_told_the_debt() -> None:
    data = {"request": {}, "payload": control("realty", "realty")}
    said = json.dumps(await adapter_for("department/1").encode(Canonical(CONTROL, "open", data)), ensure_ascii=False)
    assert "BDCDYH" in said and "128000" not in said


# --- which department is meant --------------------------------------------------------------------------------------

REALTY = Participant(
    code="dept-610199-realty",
    kind=Kind.DEPARTMENT,
    zh="云川县不动产登记中心（演示）",
    en="Yunchuan Realty Register (demo)",
    channel="amqp",
    dialect="department/1",
    accepts=("dept.*",),
    dept="realty",
)


@pytest.mark.parametrize("name", [QUERY, CONTROL])
def test_what_is_meant_for_one_department_goes_to_no_other(name: str) -> None:
    matter = catalogue()[name]
    payload = parse_open(matter, example(name))
    check_dept(matter, payload, REALTY)
    for other in (replace(REALTY, dept="tax"), replace(REALTY, dept=None)):
        with pytest.raises(RejectedError, match="invalid-field") as caught:
            check_dept(matter, payload, other)
        (error,) = caught.value.errors
        assert (error.pointer, error.rule) == ("/payload/dept", "dept-mismatch")
        assert ("税务机关" if other.dept else REALTY.zh) in error.detail
        assert ("tax office" if other.dept else REALTY.en) in error.detail_en


def test_other_matters_do_not_ask() -> None:
    matter = catalogue()[ENTRUST]
    payload = parse_open(matter, example(ENTRUST))
    assert matter.dept(payload) is None
    check_dept(matter, payload, replace(REALTY, dept=None))


TOML = """
code = "{code}"
kind = "{kind}"
name = {{ zh = "演示单位", en = "Demo" }}
channel = "amqp"
{more}
"""


def form(folder: Path, kind: str, more: str) -> Participant:
    path = folder / "dept-610199.toml"
    path.write_text(TOML.format(code="dept-610199", kind=kind, more=more), encoding="utf-8")
    return participant(read_form(path))


@pytest.mark.parametrize("dept", DEPARTMENTS)
def test_a_departments_file_says_which_one_it_is(tmp_path: Path, dept: str) -> None:
    one = form(tmp_path, "department", f'dept = "{dept}"')
    assert (one.dept, one.dialect) == (dept, "department/1")


@pytest.mark.parametrize(
    ("kind", "more"),
    [("department", ""), ("police", 'dept = "realty"'), ("department", 'dept = "weather"')],
)
def test_a_file_that_does_not_is_refused(tmp_path: Path, kind: str, more: str) -> None:
    with pytest.raises(ConfigurationError, match=r"dept.*realty"):
        form(tmp_path, kind, more)
