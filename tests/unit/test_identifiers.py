"""Identifiers against the project's vectors, and the rules that the vectors do not reach."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from schemas.law.force import law
from schemas.law.legal_bases import LEGAL_BASES
from schemas.legal import chinese_number, legal_code, legal_codes, legal_text, legal_texts
from schemas.values import identifiers
from schemas.values.courts import COURTS, common_superior, court_code
from schemas.values.divisions import DIVISIONS, division
from schemas.values.identity import identity_number
from schemas.values.phones import mobile, phone
from schemas.values.plates import PLATE_KINDS, fits_kind, is_protected, plate_number

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identifiers.json").read_text(encoding="utf-8"))
READERS: dict[str, Callable[[str], str]] = {
    "case_number": identifiers.case_number,
    "resident_id": identifiers.resident_id,
    "uscc": identifiers.credit_code,
    "plate": plate_number,
    "vin": identifiers.vin_check,
    "mobile": mobile,
}


def broken_rule(read: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(PydanticCustomError) as caught:
        read(*args, **kwargs)
    return caught.value.type


def test_every_kind_of_vector_has_its_reader() -> None:
    assert set(VECTORS) - {"note"} == set(READERS)


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, case) for kind in READERS for case in VECTORS[kind]], ids=lambda v: str(v)[:60]
)
def test_vector(kind: str, case: dict[str, str | None]) -> None:
    text, expected = case["input"], case["expect"]
    assert text is not None
    if expected is None:
        assert broken_rule(READERS[kind], text)
    else:
        assert READERS[kind](text) == expected


# --- cases and courts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "word", "coercive"),
    [
        ("（2026）陕0199执900001号", "执", True),
        ("（2026）陕0199执恢900001号之一", "执恢", True),
        ("（2026）陕0199执保900001号", "执保", True),
        ("（2026）陕执复9号", "执复", False),
        ("（2026）最高法执监9号", "执监", False),
        ("（2025）陕0199民初900007号", "民初", False),
    ],
)
def test_case_type(number: str, word: str, coercive: bool) -> None:
    assert identifiers.case_number(number) == number
    assert identifiers.case_type(number) == word
    assert identifiers.carries_coercion(number) is coercive


@pytest.mark.parametrize(
    "text",
    [
        "（2025）蒙0102执1号",
        "（2025）陕011执1号",
        "（2025）陕0114执000号",
        "（٢٠٢٥）陕0114执1号",
        "（2025）陕0114Zhi1号",
    ],
)
def test_case_numbers_that_are_none(text: str) -> None:
    assert broken_rule(identifiers.case_number, text) == "case-number-form"


def test_case_type_wants_a_normalised_number() -> None:
    with pytest.raises(ValueError, match="normalised"):
        identifiers.case_type("(2025)陕0114执1号")


def test_court_is_known_or_it_is_not() -> None:
    assert court_code(" 陕 0528 ") == "陕0528"
    assert broken_rule(court_code, "陕0999") == "unknown-court"


def test_gaoling_has_two_codes_each_with_its_dates() -> None:
    assert court_code("陕0117", on=date(2026, 1, 1)) == "陕0117"
    assert court_code("陕0126", on=date(2014, 1, 1)) == "陕0126"
    assert broken_rule(court_code, "陕0126", on=date(2026, 1, 1)) == "unknown-court"
    assert broken_rule(court_code, "陕0117", on=date(2014, 1, 1)) == "unknown-court"


def test_supervision_goes_to_the_lowest_common_superior() -> None:
    assert common_superior("陕0114", "陕0528") == "陕"
    assert common_superior("陕0114", "陕0115") == "陕01"
    assert common_superior("陕0114", "陕01") == "陕"
    assert common_superior("陕", "陕0114") is None
    assert {c.parent for c in COURTS.values()} - {None} <= set(COURTS)


def test_divisions_end_on_their_day() -> None:
    assert division("610126") == "610126"
    assert division("610126", on=date(2014, 12, 12)) == "610126"
    assert broken_rule(division, "610126", on=date(2014, 12, 13)) == "division-ended"
    assert division("610117", on=date(2026, 1, 1)) == "610117"
    assert broken_rule(division, "990000") == "division-form"
    assert broken_rule(division, "6101") == "division-form"
    assert {d.successor for d in DIVISIONS.values()} - {None} <= set(DIVISIONS)


# --- people -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("610114900307123", "resident-id-15"),
        ("61011419900307123", "resident-id-form"),
        ("670114199003071234", "resident-id-province"),
        ("610528198902291016", "resident-id-date"),
        ("61011418991231001X", "resident-id-date"),
        ("610114199003071234", "resident-id-checksum"),
    ],
)
def test_resident_id_says_which_rule(text: str, rule: str) -> None:
    assert broken_rule(identifiers.resident_id, text) == rule


def test_nobody_is_born_tomorrow() -> None:
    text = "610199199003071237"
    assert identifiers.resident_id(text, today=date(1990, 3, 7)) == text
    assert broken_rule(identifiers.resident_id, text, today=date(1990, 3, 6)) == "resident-id-date"


@pytest.mark.parametrize("county", ["610528", "610117"])
def test_real_counties_are_not_tied_to_birth_years(county: str) -> None:
    """`stdnum.cn.ric.validate` refuses these people; we must not."""
    seventeen = f"{county}19750412301"
    digit = next(d for d in "0123456789X" if _accepts(seventeen + d))
    assert identifiers.resident_id(seventeen + digit) == seventeen + digit


def _accepts(text: str) -> bool:
    try:
        identifiers.resident_id(text)
    except PydanticCustomError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("resident-id", "11010519491231002x", "11010519491231002X"),
        ("residence-permit", "830000199001010012", "830000199001010012"),
        ("permanent-residence", "fra610199000001", "FRA610199000001"),
        ("hm-travel-permit", "h12345678", "H12345678"),
        ("taiwan-travel-permit", "12345678", "12345678"),
        ("passport", "e12345678", "E12345678"),
        ("officer-id", "军字第1234567号", "军字第1234567号"),
        ("uscc", "91110000600037341l", "91110000600037341L"),
        ("other", "（演示）900001", "(演示)900001"),
    ],
)
def test_numbers_of_each_kind_of_id(kind: str, text: str, expected: str) -> None:
    assert identity_number(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("resident-id", "830000199001010012", "id-kind-mismatch"),
        ("residence-permit", "610199199003071237", "id-kind-mismatch"),
        ("permanent-residence", "610199199003071237", "id-kind-mismatch"),
        ("permanent-residence", "FRA6101990000012", "resident-id-form"),
        ("hm-travel-permit", "X12345678", "id-form"),
        ("passport", "12-34", "id-form"),
        ("uscc", "911100006000373410", "uscc-checksum"),
    ],
)
def test_numbers_of_another_kind_are_refused(kind: str, text: str, rule: str) -> None:
    assert broken_rule(identity_number, kind, text) == rule


def test_new_permanent_residence_card() -> None:
    seventeen = "9" + "61" + "156" + "19850214" + "301"
    good = [seventeen + d for d in "0123456789X" if _is_card(seventeen + d)]
    assert len(good) == 1
    assert broken_rule(identifiers.permanent_residence, "999" + good[0][3:]) == "resident-id-province"


def _is_card(text: str) -> bool:
    try:
        return identifiers.permanent_residence(text) == text
    except PydanticCustomError:
        return False


@pytest.mark.parametrize("text", ["029-86200110", "0913-8200110-801", "+86 138 0013 8000", "13800138000"])
def test_telephones(text: str) -> None:
    assert phone(text)


@pytest.mark.parametrize("text", ["86200110", "110", "23800138000", "029-862001"])
def test_telephones_that_nobody_answers(text: str) -> None:
    assert broken_rule(phone, text) == "phone-form"


# --- plates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plate", "kinds"),
    [
        (
            "陕A90001",
            {"01", "02", "05", "06", "07", "08", "11", "12", "13", "14", "18", "19", "20", "21", "22", "25", "99"},
        ),
        ("陕AF12345", {"52", "99"}),
        ("陕A12345D", {"51", "99"}),
        ("陕A1234警", {"23", "24", "99"}),
        ("陕A1234学", {"16", "17", "99"}),
        ("陕A1234挂", {"15", "99"}),
        ("粤Z1234港", {"05", "11", "26", "99"}),
        ("粤Z1234澳", {"05", "11", "27", "99"}),
        ("使014578", {"03", "09"}),
        ("沪A1234领", {"04", "10"}),
        ("陕X1234应急", set(PLATE_KINDS)),
    ],
)
def test_plate_and_kind_go_together(plate: str, kinds: set[str]) -> None:
    assert plate_number(plate) == plate
    assert {kind for kind in PLATE_KINDS if fits_kind(plate, kind)} == kinds


@pytest.mark.parametrize(
    "text", ["使014578", "014578使", "沪A·1234领", "WJ陕12345", "WJ 01-12345", "VA02345", "军A12345"]
)
def test_protected_plates(text: str) -> None:
    assert is_protected(plate_number(text))


@pytest.mark.parametrize("text", ["陕A90001", "陕A1234警", "粤Z1234港", "陕AF12345"])
def test_other_plates_are_not_protected(text: str) -> None:
    assert not is_protected(plate_number(text))


# --- legal references ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("INT-482", "民诉法解释第四百八十二条"),
        ("DCH-15", "财产调查规定第十五条"),
        ("CPL-240", "民事诉讼法第二百四十条"),
        ("SFK-1", "查封扣押冻结规定第一条"),
        ("NET-10", "网络查询冻结规定第十条"),
        ("FAFA-2017-27", "法发〔2017〕27号"),
        ("FASHI-2024-13-3", "法释〔2024〕13号第三条"),
        ("FA-2021-227", "法〔2021〕227号"),
    ],
)
def test_legal_references_both_ways(code: str, text: str) -> None:
    assert legal_text(code) == text
    assert legal_code(text) == code


def test_legal_references_in_one_line() -> None:
    line = "民诉法解释第四百八十二条；财产调查规定第十五条"
    assert legal_texts(["INT-482", "DCH-15"]) == line
    assert legal_codes(line) == ["INT-482", "DCH-15"]
    assert legal_codes("") == []


@pytest.mark.parametrize(
    "code", ["ABC-1", "CPL-0", "CPL", "cpl-253", "FAFA-1817-99", "FAFA-2017-099", "GAO-2017-9", "CPL-253 "]
)
def test_unknown_legal_references(code: str) -> None:
    assert broken_rule(legal_text, code) == "unknown-legal-basis"


@pytest.mark.parametrize(
    "text",
    [
        "民法典第一条",
        "民事诉讼法第一百五条",
        "民事诉讼法第〇条",
        "民事诉讼法",
        "法发〔1817〕99号",
        "法办〔2017〕99号",
        "法释〔2024〕13号第百条",
    ],
)
def test_unknown_legal_words(text: str) -> None:
    assert broken_rule(legal_code, text) == "unknown-legal-basis"


def test_every_article_of_every_statute_comes_back() -> None:
    for statute in (code for code, row in law().of(LEGAL_BASES).items() if row.kind == "statute"):
        for article in range(1, 1000):
            assert legal_code(legal_text(f"{statute}-{article}")) == f"{statute}-{article}"
    with pytest.raises(ValueError, match="articles"):
        chinese_number(1000)
