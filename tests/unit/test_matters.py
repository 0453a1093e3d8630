"""The catalogue: every entry is whole, every example is lawful, every slip is told with its place and its rule."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from lianzhi.protocol import rules
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import RULES
from schemas.catalogue import Kind, MatterType, Shape, catalogue, unwritten
from schemas.validation import InvalidError, json_schema, parse_data, parse_open, refs_of, warnings_of
from schemas.values.labels import DOCUMENTS, document_label
from tests.faults import (
    CANCEL,
    CONTROL,
    DELETE,
    ENTRUST,
    GRID,
    HIT,
    LOCATE,
    NOTICE,
    PERSON,
    SEAL,
    changed,
    example,
    faults,
)

TYPES = sorted(catalogue())
MESSAGE_ID = "019d1d97-ab0a-7a31-8c11-0a4b6d2e9f01"
# --- what every entry has -----------------------------------------------------------------------------------------


def test_the_catalogue_has_what_domain_md_describes() -> None:
    assert {PERSON, LOCATE, SEAL, CONTROL, CANCEL, HIT, ENTRUST, GRID, NOTICE} <= set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_request_example_is_its_own_normal_form(name: str) -> None:
    matter = catalogue()[name]
    assert parse_open(matter, matter.example_request).canonical() == dict(matter.example_request)


@pytest.mark.parametrize("name", TYPES)
def test_result_example(name: str) -> None:
    matter = catalogue()[name]
    if matter.result_item is None:
        assert not matter.example_result
        assert faults(lambda: parse_data(matter, "result", {})) == [("", "no-result")]
        return
    result = dict(matter.example_result)
    assert parse_data(matter, "result", result).canonical() == result
    correction = {**result, "supersedes": MESSAGE_ID, "reason": "录入有误"}
    assert parse_data(matter, "correct", correction).canonical() == correction
    assert set(refs_of(result)) <= set(refs_of(matter.example_request))


@pytest.mark.parametrize("name", TYPES)
def test_functions_of_the_payload(name: str) -> None:
    matter = catalogue()[name]
    payload = parse_open(matter, matter.example_request)
    assert isinstance(matter.coercive(payload), bool)
    assert all(count >= 1 for count in matter.papers(payload, date(2026, 3, 24)).values())
    rule = matter.measure(payload)
    if rule is not None:
        assert rule.objects
        assert {ref for ref, _ in rule.objects} <= set(refs_of(matter.example_request))
        assert rule.effect in ("open", "queue", "renew", "end", "require")
        assert rule.effect == "require" or matter.ended_by or rule.effect == "end"
    assert matter.ended_by is None or matter.ended_by in catalogue()


@pytest.mark.parametrize("name", TYPES)
def test_no_placeholder_of_a_scaffold_is_left(name: str) -> None:
    assert not (left := unwritten(catalogue()[name])), "\n".join(left)


@pytest.mark.parametrize("name", TYPES)
def test_texts_are_there_in_both_languages(name: str) -> None:
    matter = catalogue()[name]
    assert len(matter.help_zh) > 20
    assert len(matter.help_en) > 20
    assert matter.zh and matter.en.isascii()


@pytest.mark.parametrize("name", TYPES)
def test_every_member_has_a_chinese_label(name: str) -> None:
    for schema in json_schema(catalogue()[name]).values():
        json.dumps(schema)
    unlabelled = [
        f"{model}.{member}"
        for model, definition in _objects_of(json_schema(catalogue()[name])["payload"])
        for member, about in definition["properties"].items()
        if about.get("title", "").isascii()
    ]
    assert not unlabelled


def _objects_of(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    definitions = {"": schema, **schema.get("$defs", {})}
    yield from ((name, d) for name, d in definitions.items() if "properties" in d)


@pytest.mark.parametrize("name", TYPES)
def test_unknown_and_missing_members_are_named(name: str) -> None:
    matter = catalogue()[name]
    data = example(name)
    assert faults(lambda: parse_open(matter, {**data, "nickname": "x"})) == [("/payload/nickname", "extra-member")]
    required = [m for m, field in matter.request.model_fields.items() if field.is_required()]
    assert required
    for member in required:
        found = faults(lambda member=member: parse_open(matter, changed(data, f"/{member}", DELETE)))  # type: ignore[misc]
        assert found == [(f"/payload/{member}", "missing-member")]


@pytest.mark.parametrize("name", TYPES)
def test_every_code_has_its_chinese_word(name: str) -> None:
    """Codes that a form offers; `outcome` and the words of other verbs are labelled by the state machine."""
    schemas = json_schema(catalogue()[name])
    item = catalogue()[name].result_item
    items = schemas["result"]["$defs"][item.__name__] if item is not None else {}
    seen = 0
    for schema in (schemas["payload"], {**items, "$defs": schemas.get("result", {}).get("$defs", {})}):
        for model, definition in _objects_of(schema):
            for member, about in definition["properties"].items():
                codes = _codes(about)
                if codes and all(str(code).isascii() for code in codes):
                    seen += 1
                    assert set(about.get("x-labels", {})) == codes, f"{model}.{member}"
    assert seen


def _codes(about: dict[str, Any]) -> set[Any]:
    branches = [about, about.get("items", {}), *about.get("anyOf", [])]
    return {code for b in branches for code in [*b.get("enum", []), *([b["const"]] if "const" in b else [])]}


@pytest.mark.parametrize("name", TYPES)
def test_every_paper_has_a_name(name: str) -> None:
    matter = catalogue()[name]
    for kind in matter.papers(parse_open(matter, matter.example_request), date(2026, 3, 24)):
        assert kind in DOCUMENTS


def test_a_kind_of_paper_that_only_a_deployment_knows_keeps_its_code() -> None:
    assert document_label("own-kind") == ("own-kind", "own-kind")
    assert document_label("entrust-letter") == ("委托执行函", "letter of entrustment")


def test_classification() -> None:
    sealed = {n: (t.request_class, t.result_class) for n, t in catalogue().items()}
    assert sealed[PERSON] == sealed[LOCATE] == (Classification.SENSITIVE, Classification.LOCATION)
    assert sealed[ENTRUST] == (Classification.SENSITIVE, Classification.SENSITIVE)
    assert sealed[SEAL] == sealed[CONTROL] == (Classification.SENSITIVE, Classification.INTERNAL)
    assert sealed[GRID] == (Classification.SENSITIVE, Classification.INTERNAL)
    assert sealed[HIT][0] is Classification.SENSITIVE
    assert sealed[NOTICE][0] is Classification.PUBLIC


def test_coercion() -> None:
    coercive = {n: t.coercive(parse_open(t, t.example_request)) for n, t in catalogue().items()}
    assert [n for n in (PERSON, LOCATE, SEAL, CONTROL, CANCEL, ENTRUST) if not coercive[n]] == []
    assert [n for n in (GRID, NOTICE, HIT) if coercive[n]] == []


def test_who_asks_whom() -> None:
    ways = {n: (t.shape, t.senders, t.receivers) for n, t in catalogue().items()}
    assert ways[HIT] == (Shape.ALERT, {Kind.POLICE}, {Kind.COURT})
    assert ways[ENTRUST] == (Shape.ASK, {Kind.COURT}, {Kind.COURT})
    assert ways[NOTICE] == (Shape.NOTICE, {Kind.COURT}, {Kind.ASSOCIATION})


# --- slips --------------------------------------------------------------------------------------------------------

SLIPS: list[tuple[str, str, Any, str, str]] = [
    # type, what is changed, to what, where it is told, which rule
    (PERSON, "/person/id_no", DELETE, "/person/id_no", "id-required"),
    (PERSON, "/person/id_no", "610199199003071238", "/person/id_no", "resident-id-checksum"),
    (PERSON, "/person/id_no", "610199900307123", "/person/id_no", "resident-id-15"),
    (PERSON, "/person/id_no", "610199199002301230", "/person/id_no", "resident-id-date"),
    (PERSON, "/person/id_no", 610199199003071237, "/person/id_no", "wrong-type"),
    (PERSON, "/person/id_kind", "passport-card", "/person/id_kind", "unknown-code"),
    (PERSON, "/person/id_kind", "residence-permit", "/person/id_no", "id-kind-mismatch"),
    (PERSON, "/person/name", "  ", "/person/name", "text-form"),
    (PERSON, "/person/name", "王\n演示", "/person/name", "text-form"),
    (PERSON, "/person/sex", "female", "/person/sex", "sex-mismatch"),
    (PERSON, "/person/birth_date", "1990-03-08", "/person/birth_date", "birth-date-mismatch"),
    (PERSON, "/person/birth_date", "1990-02-30", "/person/birth_date", "day-form"),
    (PERSON, "/person/ref", "K7M2Q9XA", "/person/ref", "wrong-form"),
    (PERSON, "/person", "王演示", "/person", "wrong-type"),
    (PERSON, "/validity_days", 0, "/validity_days", "number-range"),
    (PERSON, "/validity_days", 31, "/validity_days", "number-range"),
    (PERSON, "/validity_days", "15", "/validity_days", "wrong-type"),
    (PERSON, "/contact_24h", "1380013800", "/contact_24h", "phone-form"),
    (PERSON, "/hints", ["x"] * 21, "/hints", "too-many"),
    (PERSON, "/reason", "curiosity", "/reason", "unknown-code"),
    (SEAL, "/vehicle/plate", "西A90001", "/vehicle/plate", "plate-form"),
    (SEAL, "/vehicle/plate", "使014578", "/vehicle/plate", "protected-plate"),
    (SEAL, "/vehicle/plate", "WJ陕12345", "/vehicle/plate", "protected-plate"),
    (SEAL, "/vehicle/plate", "沪A1234领", "/vehicle/plate", "protected-plate"),
    (SEAL, "/vehicle/plate", "VA02345", "/vehicle/plate", "protected-plate"),
    (SEAL, "/vehicle/plate_kind", "52", "/vehicle/plate_kind", "plate-kind-mismatch"),
    (SEAL, "/vehicle/plate_kind", "03", "/vehicle/plate_kind", "plate-kind-mismatch"),
    (SEAL, "/vehicle/vin", DELETE, "/vehicle/vin", "vin-required"),
    (SEAL, "/vehicle/vin", "LSVAM4187C218484O", "/vehicle/vin", "vin-form"),
    (SEAL, "/vehicle/owner/id_no", DELETE, "/vehicle/owner/id_no", "id-required"),
    (SEAL, "/vehicle/owner/ref", "v5t9c2hb", "/vehicle/owner/ref", "duplicate-ref"),
    (SEAL, "/end_on", "2028-03-25", "/end_on", "term-too-long"),
    (SEAL, "/end_on", "2026-03-23", "/end_on", "end-before-start"),
    (SEAL, "/end_on", DELETE, "/end_on", "term-required"),
    (SEAL, "/start_on", DELETE, "/start_on", "term-required"),
    (SEAL, "/debt_amount", DELETE, "/debt_amount", "debt-required"),
    (SEAL, "/debt_amount", "128000", "/debt_amount", "money-form"),
    (SEAL, "/debt_amount", "-1.00", "/debt_amount", "money-form"),
    (SEAL, "/debt_amount", "1234567890123.00", "/debt_amount", "too-long"),
    (SEAL, "/debt_amount", 128000, "/debt_amount", "wrong-type"),
    (SEAL, "/action", "renew", "/original", "original-required"),
    (SEAL, "/action", "queue", "/original", "original-required"),
    (SEAL, "/original", {"measure_no": "m-1", "start_on": "2026-01-01", "end_on": "2027-01-01"}, "/original",
     "original-not-needed"),
    (CONTROL, "/vehicle/plate", "使014578", "/vehicle/plate", "protected-plate"),
    (CONTROL, "/end_on", "2026-06-23", "/end_on", "term-too-long"),
    (CONTROL, "/seal/end_on", "2026-06-19", "/end_on", "beyond-seal"),
    (CONTROL, "/seal/end_on", "2026-02-01", "/seal/end_on", "end-before-start"),
    (CONTROL, "/seal/rank", 2, "/seal/rank", "seal-not-live"),
    (CONTROL, "/duty_phones", ["13800138000"], "/duty_phones", "too-few"),
    (CONTROL, "/duty_phones", ["13800138000", "+86 13800138000"], "/duty_phones/1", "duplicate-value"),
    (CONTROL, "/receive_commitment", False, "/receive_commitment", "receive-commitment"),
    (CONTROL, "/intercept", "yes", "/intercept", "wrong-type"),
    (LOCATE, "/vehicle/plate", "WJ陕12345", "/vehicle/plate", "protected-plate"),
    (LOCATE, "/end_on", "2026-06-23", "/end_on", "term-too-long"),
    (LOCATE, "/area", ["610199", "9901"], "/area/1", "division-form"),
    (LOCATE, "/area", ["610199", "610199"], "/area/1", "duplicate-value"),
    (LOCATE, "/area", [], "/area", "too-few"),
    (HIT, "/holding_unit", DELETE, "/holding_unit", "holding-unit-required"),
    (HIT, "/passed_at", "2026-04-02 22:58:41", "/passed_at", "moment-form"),
    (HIT, "/passed_at", "2026-04-31T22:58:41+08:00", "/passed_at", "moment-form"),
    (HIT, "/images", ["a" * 63], "/images/0", "wrong-form"),
    (ENTRUST, "/entrusted", "陕0999", "/entrusted", "unknown-court"),
    (ENTRUST, "/entrusted", "陕0199", "/entrusted", "same-court"),
    (ENTRUST, "/matter_code", "freeze-everything", "/matter_code", "unknown-code"),
    (ENTRUST, "/matter_code", "seal-realty", "/objects/0/kind", "object-kind-mismatch"),
    (ENTRUST, "/matter_code", "renew-freeze-deposit", "/original", "original-required"),
    (ENTRUST, "/matter_code", "unfreeze-deposit", "/original", "original-required"),
    (ENTRUST, "/matter_code", "deduct-deposit", "/start_on", "term-not-needed"),
    (ENTRUST, "/end_on", "2027-03-25", "/end_on", "term-too-long"),
    (ENTRUST, "/end_on", DELETE, "/end_on", "term-required"),
    (ENTRUST, "/requested_days", 9, "/requested_days", "requested-days"),
    (ENTRUST, "/requested_days", 31, "/requested_days", "number-range"),
    (ENTRUST, "/objects", [], "/objects", "too-few"),
    (ENTRUST, "/objects/0/kind", DELETE, "/objects/0/kind", "missing-member"),
    (ENTRUST, "/objects/0/kind", "ship", "/objects/0/kind", "unknown-code"),
    (ENTRUST, "/objects/0/amount", DELETE, "/objects/0/amount", "amount-required"),
    (ENTRUST, "/objects/0/account_no", "6222 0000", "/objects/0/account_no", "wrong-form"),
    (ENTRUST, "/objects/0/iban", "x", "/objects/0/iban", "extra-member"),
    (ENTRUST, "/objects/0/party/id_no", DELETE, "/objects/0/party/id_no", "id-required"),
    (GRID, "/person/id_tail4", "462", "/person/id_tail4", "id-tail-form"),
    (GRID, "/person/id_no", "610199199003071237", "/person/id_no", "extra-member"),
    (GRID, "/debt_amount", "1.00", "/debt_amount", "extra-member"),
    (GRID, "/questions", ["lives-here", "what-does-he-owe"], "/questions/1", "unknown-code"),
    (GRID, "/questions", ["lives-here", "lives-here"], "/questions/1", "duplicate-value"),
    (GRID, "/address/division_code", "990199", "/address/division_code", "division-form"),
    (NOTICE, "/debtor/card_no", "610199199003071237", "/debtor/card_no", "id-not-masked"),
    (NOTICE, "/case_code", "陕0199执1号", "/case_code", "case-number-form"),
    (NOTICE, "/duty", "偿还借款 1000 元", "/duty", "extra-member"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def test_several_slips_are_told_at_once() -> None:
    data = changed(changed(example(PERSON), "/person/name", ""), "/validity_days", 99)
    assert faults(lambda: parse_open(catalogue()[PERSON], data, "/p")) == [
        ("/p/person/name", "text-form"),
        ("/p/validity_days", "number-range"),
    ]


JUNK = [None, True, 0, -1, 2**70, 1.5, "", " ", "x" * 3000, "\ud800", "\x00", [], [None], {}, {"a/b~c": 1}]


@pytest.mark.parametrize("name", TYPES)
def test_whatever_stands_there_is_told_in_both_languages(name: str) -> None:
    """Every leaf replaced by every kind of junk: a named rule, both texts, and never the value itself."""
    matter = catalogue()[name]
    told, members = 0, [*_members(example(name), "")]
    for pointer in members:
        for junk in JUNK:
            for error in _told(matter, changed(example(name), pointer, junk)):
                told += 1
                assert error.rule in RULES or error.rule in {m.name for m in rules.BY_TYPE.values()}
                assert error.detail and not error.detail.isascii()
                assert error.detail_en and error.detail_en != error.detail
                assert "x" * 99 not in error.detail + error.detail_en + error.pointer
    assert told > len(JUNK) * len(members) // 2


def _told(matter: MatterType, data: dict[str, Any]) -> list[Any]:
    try:
        parse_open(matter, data)
    except InvalidError as error:
        return error.errors
    return []


def _members(node: Any, pointer: str) -> Iterator[str]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in pairs:
        yield f"{pointer}/{step}"
        yield from _members(value, f"{pointer}/{step}")


def test_texts_of_rules_can_always_be_filled_in() -> None:
    assert all(rule.zh and rule.en for rule in RULES.values())
    assert all(name == rule.name for name, rule in RULES.items())


# --- normal forms -------------------------------------------------------------------------------------------------


def test_what_is_written_otherwise_is_normalised() -> None:
    data = changed(changed(example(SEAL), "/vehicle/plate", "陕a·90001"), "/vehicle/vin", "lsvam4187c2184847")
    payload = parse_open(catalogue()[SEAL], data)
    assert payload.canonical() == example(SEAL)


def test_a_vin_with_another_check_digit_is_taken_with_a_warning() -> None:
    data = changed(example(SEAL), "/vehicle/vin", "LSVAU2180N2183294")
    parse_open(catalogue()[SEAL], data)
    assert [(w.pointer, w.rule) for w in warnings_of(data)] == [("/payload/vehicle/vin", "vin-check-digit")]
    assert warnings_of(example(SEAL)) == []


def test_one_owner_of_two_things_keeps_one_ref() -> None:
    data = example(ENTRUST)
    second = {**copy.deepcopy(data["objects"][0]), "ref": "e3g7j9km", "account_no": "6100000000900002"}
    data["objects"].append(second)
    parse_open(catalogue()[ENTRUST], data)
    assert refs_of(data) == ["d2f6h8jk", "k7m2q9xa", "e3g7j9km"]
    second["party"] = {**second["party"], "name": "另一演示"}
    assert faults(lambda: parse_open(catalogue()[ENTRUST], data)) == [("/payload/objects/1/party/ref", "duplicate-ref")]
