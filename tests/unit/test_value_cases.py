"""Twenty values and more of each kind that must pass, and twenty that must not, each with where it comes from.

`tests/vectors/values.json`: of each kind groups with a `source`; a value that passes stands alone, or with its normal
form; one that is refused stands with its rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lianzhi.protocol import times
from lianzhi.protocol import values as primitives
from lianzhi.protocol.rules import RULES
from schemas.values import identifiers
from schemas.values import objects as values
from schemas.values.countries import country_of_issue
from schemas.values.identity import identity_number

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "values.json").read_text("utf-8")
)
TODAY = date(2026, 3, 24)
BY_PYDANTIC = {"literal_error", "string_too_short", "string_pattern_mismatch"}


def of_type(annotated: Any) -> Callable[[str], str]:
    adapter: TypeAdapter[str] = TypeAdapter(annotated)
    return lambda text: adapter.validate_python(text, strict=True, context={"today": TODAY})


READERS: dict[str, Callable[[str], str]] = {
    **{
        kind: partial(identity_number, kind, today=TODAY)
        for kind in (
            *("resident-id", "residence-permit", "hm-travel-permit", "taiwan-travel-permit", "permanent-residence"),
            *("passport", "officer-id", "other", "uscc"),
        )
    },
    "vin": of_type(identifiers.Vin),
    "plate": of_type(identifiers.Plate),
    "plate-kind": of_type(values.PlateKind),
    "case-no": of_type(identifiers.CaseNo),
    "quoted-case-no": of_type(identifiers.QuotedCaseNo),
    "phone": of_type(identifiers.Phone),
    "division": of_type(identifiers.DivisionCode),
    "court": of_type(identifiers.CourtCode),
    "money": of_type(values.Money),
    "day": of_type(times.AnyDay),
    "month": of_type(times.PastMonth),
    "moment": of_type(times.AnyMoment),
    "name": of_type(primitives.Name),
    "line": of_type(primitives.Line),
    "prose": of_type(primitives.Prose),
    "need": of_type(values.Need),
    "measure-no": of_type(values.MeasureNo),
    "register-no": of_type(values.RegisterNo),
    "country": country_of_issue,
}


def rule_of(read: Callable[[str], str], text: str) -> str | None:
    """None: it passes."""
    try:
        read(text)
    except ValidationError as error:
        return error.errors()[0]["type"]
    except ValueError as error:  # of a reader that stands alone
        return str(getattr(error, "type", error))
    return None


def test_every_kind_of_value_has_its_cases() -> None:
    assert VECTORS.keys() == READERS.keys()
    for kind, groups in VECTORS.items():
        assert all(len(group["source"]) > 5 for group in groups), kind
        for side in ("pass", "refuse"):
            cases = [json.dumps(case) for group in groups for case in group[side]]
            assert len(set(cases)) == len(cases) >= 20, (kind, side)


@pytest.mark.parametrize("kind", VECTORS)
def test_real_values_pass(kind: str) -> None:
    read = READERS[kind]
    cases = [case if isinstance(case, list) else [case, case] for group in VECTORS[kind] for case in group["pass"]]
    wrong = {text: rule for text, _ in cases if (rule := rule_of(read, text)) is not None}
    assert wrong == {}
    assert {text: read(text) for text, _ in cases} == dict(cases)
    assert [normal for _, normal in cases if read(normal) != normal] == []


@pytest.mark.parametrize("kind", VECTORS)
def test_what_is_none_is_refused_by_its_rule(kind: str) -> None:
    cases = [(text, rule) for group in VECTORS[kind] for text, rule in group["refuse"]]
    assert {text: rule_of(READERS[kind], text) for text, _ in cases} == dict(cases)
    assert {rule for _, rule in cases} <= RULES.keys() | BY_PYDANTIC
