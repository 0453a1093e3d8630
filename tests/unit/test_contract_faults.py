"""What is told of a body that the contract does not allow: the fault that was meant, once, at its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lianzhi.protocol.cards import Classification, TypeCard
from lianzhi.protocol.contract import FAULTS, Contract, ContractDocument, TypeContract, VerbContract

TYPE = "grid.verify.request"
CARD = TypeCard(
    name=TYPE, version=1, request_class=Classification.SENSITIVE, result_class=Classification.INTERNAL
)  # fmt: skip
CAR = {
    "properties": {"kind": {"const": "car"}, "plate": {"type": "string", "pattern": "^陕", "x-form": "陕…"}},
    "required": ["kind", "plate"],
    "additionalProperties": False,
}
HOUSE = {
    "properties": {"kind": {"enum": ["house", "flat"]}, "rooms": {"type": "integer", "minimum": 1}},
    "required": ["kind", "rooms"],
    "additionalProperties": False,
}


def contract(schema: dict[str, Any] | None, dialect: str = "grid/1", **verb: Any) -> Contract:
    says = VerbContract.model_validate({"by": "asked", "schema": schema, **verb})
    one = TypeContract(card=CARD, zh="核实", en="Verify", role="asked", verbs={"progress": says})
    return Contract(
        ContractDocument(
            version=1,
            gateway="court-sn0199",
            participant="grid-610199",
            dialect=dialect,
            issued_at="2026-03-24T02:00:00.000Z",
            types=[one],
        )
    )


def told(schema: dict[str, Any] | None, body: Any, head: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(f.pointer, f.rule) for f in contract(schema).faults(TYPE, "progress", body, head or {})]


def thing(**kind: Any) -> dict[str, Any]:
    return {"properties": {"thing": {"oneOf": [CAR, HOUSE]}, **kind}}


def test_of_an_unknown_verb_or_type_nothing_may_be_said() -> None:
    found = contract({})
    assert [f.rule for f in found.faults(TYPE, "open", {}, {})] == ["wrong-value"]
    assert [f.rule for f in found.faults("grid.visit.request", "progress", {}, {})] == ["wrong-value"]
    assert not found.covers("grid.visit.request", "progress", "grid/1")
    assert found.covers(TYPE, "progress", "grid/1") and not found.covers(TYPE, "progress", "grid/2")


def test_a_body_is_an_object_and_says_nothing_that_stands_in_clear() -> None:
    assert told({}, ["a"]) == [("", "wrong-type")]
    assert told({}, {"a/b": 1, "c": 2}, {"a/b": 1, "c": 3}) == [("/a~1b", "extra-member"), ("/c", "extra-member")]


def test_where_no_schema_is_told_the_codes_in_clear_are_looked_at() -> None:
    found = contract(None, head=["level"], head_required=["level"])
    assert [(f.pointer, f.rule) for f in found.faults(TYPE, "progress", {}, {})] == [("/level", "missing-member")]
    assert found.faults(TYPE, "progress", {}, {"level": 1}) == []


@pytest.mark.parametrize(
    ("value", "pointer", "rule"),
    [
        ({"kind": "car", "plate": "京A"}, "/thing/plate", "wrong-form"),
        ({"kind": "car"}, "/thing/plate", "missing-member"),
        ({"kind": "flat", "rooms": 0}, "/thing/rooms", "number-range"),
        ({"kind": "flat", "rooms": 2, "garden": 1}, "/thing/garden", "extra-member"),
        ({"kind": "boat", "plate": "陕A"}, "/thing/kind", "unknown-code"),
    ],
)
def test_of_a_union_the_branch_that_was_meant_is_told(value: Any, pointer: str, rule: str) -> None:
    assert told(thing(), {"thing": value}) == [(pointer, rule)]


def test_where_no_branch_has_the_code_all_codes_are_told() -> None:
    (fault,) = contract(thing()).faults(TYPE, "progress", {"thing": {"kind": "boat", "plate": "陕A"}}, {})
    assert "car, house, flat" in fault.detail and "car, house, flat" in fault.detail_en


def test_of_a_union_of_types_the_one_of_the_values_own_type_is_told() -> None:
    schema = {"properties": {"at": {"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer", "minimum": 1}]}}}
    assert told(schema, {"at": "ab"}) == [("/at", "too-short")]
    assert told(schema, {"at": 0}) == [("/at", "number-range")]
    assert told(schema, {"at": True}) == [("/at", "wrong-type")]


def test_members_that_say_one_value_together_are_told_as_one() -> None:
    lines = {"x-members": ["road", "house"], "x-lines": ["1 2", "3 4"]}
    pairs = [{"properties": {"road": {"const": "1"}, "house": {"const": "2"}}, "required": ["road", "house"]}]
    schema = {"allOf": [{**lines, "anyOf": pairs}]}
    assert told(schema, {"road": "1", "house": "2"}) == []
    assert told(schema, {"road": "1", "house": "4"}) == [("/road", "unknown-code")]
    assert told(schema, {"house": "4"}) == [("/house", "unknown-code")]


def test_a_null_in_a_dialect_says_nothing_and_in_canonical_form_is_a_value() -> None:
    schema = {"properties": {"a": {"type": "string"}, "b": {"items": {"type": "integer"}}}}
    assert told(schema, {"a": None, "b": [1]}) == []
    faults = contract(schema, "canonical").faults(TYPE, "progress", {"a": None, "b": [1]}, {})
    assert [(f.pointer, f.rule) for f in faults] == [("/a", "wrong-type")]


def test_not_more_faults_than_people_read() -> None:
    schema = {"properties": {"lines": {"items": {"type": "string"}}}}
    assert len(told(schema, {"lines": [1] * (FAULTS + 9)})) == FAULTS


def test_how_delivered_is_written() -> None:
    form = {"by": "asked", "form": {"SJ": "{time:%Y}", "XT": "{system}"}}
    says = {"progress": VerbContract(by="asked"), "delivered": VerbContract.model_validate(form)}
    document = contract({}).document
    known = document.types[0].model_copy(update={"verbs": says})
    found = Contract(document.model_copy(update={"types": [known]}))
    assert found.delivered(TYPE, "grid/1") == form["form"]
    assert found.delivered(TYPE, "grid/2") is None
    assert contract({}).delivered(TYPE, "grid/1") is None
