"""What holds for every identifier, whatever the text: normal forms are stable, slips are noticed, nothing crashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from lianzhi.protocol.rules import RULES
from lianzhi.protocol.texts import line, name, prose, squeeze, upper
from lianzhi.protocol.times import day, moment
from schemas.legal import legal_code, legal_text
from schemas.values import identifiers
from schemas.values.countries import country_of_issue
from schemas.values.courts import COURTS, court_code
from schemas.values.divisions import division
from schemas.values.identifiers import MAINLAND
from schemas.values.identity import identity_number
from schemas.values.phones import mobile, phone
from schemas.values.plates import PLATE_PROVINCES, plate_number

READERS: list[Callable[[str], str]] = [
    identifiers.case_number,
    identifiers.resident_id,
    identifiers.permanent_residence,
    identifiers.credit_code,
    identifiers.vin,
    mobile,
    phone,
    identifiers.quoted_case_number,
    identifiers.register_number,
    country_of_issue,
    line,
    prose,
    name,
    moment,
    day,
    plate_number,
    division,
    court_code,
    legal_code,
    legal_text,
    lambda text: identity_number("other", text),
]
ALPHABET = "0123456789ABXWJ陕京粤使领军（）()〔〕执恢号之一 ·-X最高法\u3000\u200b１２"
TEXTS = st.text() | st.text(st.sampled_from(ALPHABET), max_size=24)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def accepted(read: Callable[[str], str], text: str) -> str | None:
    """The normal form, or None when the text is refused by a rule of ours; anything else is a crash."""
    try:
        return read(text)
    except PydanticCustomError as error:
        assert error.type in RULES
        return None


def check_digit(seventeen: str) -> str:
    """ISO 7064 MOD 11-2, written out once more so that the tests do not lean on the code."""
    rest = sum(int(c) * w for c, w in zip(seventeen, WEIGHTS, strict=True)) % 11
    return "10X98765432"[rest]


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
    province = draw(st.sampled_from(sorted(MAINLAND)))
    county, sequence = draw(st.integers(0, 9999)), draw(st.integers(0, 999))
    seventeen = f"{province}{county:04}{born:%Y%m%d}{sequence:03}"
    return seventeen + check_digit(seventeen)


@st.composite
def case_numbers(draw: st.DrawFn) -> str:
    court = draw(st.sampled_from(sorted(COURTS)))
    word = draw(st.sampled_from(sorted(identifiers.ENFORCEMENT_TYPES)))
    tail = draw(st.sampled_from(["", "之一", "之十二"]))
    return f"（{draw(st.integers(1900, 2099))}）{court}{word}{draw(st.integers(1, 999_999))}号{tail}"


@st.composite
def plates(draw: st.DrawFn) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    sequence = draw(st.text(st.sampled_from(letters + "0123456789"), min_size=5, max_size=5))
    return draw(st.sampled_from(PLATE_PROVINCES)) + draw(st.sampled_from(letters)) + sequence


@pytest.mark.parametrize("read", READERS)
@given(text=TEXTS)
def test_never_crashes_and_is_stable(read: Callable[[str], str], text: str) -> None:
    value = accepted(read, text)
    if value is not None and read is not legal_code and read is not legal_text:
        assert read(value) == value


@given(text=st.text())
def test_normal_forms_are_idempotent(text: str) -> None:
    assert squeeze(squeeze(text)) == squeeze(text)
    assert upper(upper(text)) == upper(text)


@given(number=resident_ids())
def test_valid_resident_ids_are_accepted(number: str) -> None:
    assert identifiers.resident_id(number) == number
    assert identifiers.resident_id(f" {number[:6]} {number[6:14]} {number[14:].lower()} ") == number


@given(number=resident_ids(), place=st.integers(0, 16), step=st.integers(1, 9))
def test_one_changed_digit_is_noticed(number: str, place: int, step: int) -> None:
    slip = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert accepted(identifiers.resident_id, slip) is None


@given(number=resident_ids(), place=st.integers(0, 15))
def test_two_neighbours_exchanged_are_noticed(number: str, place: int) -> None:
    slip = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if slip != number:
        assert accepted(identifiers.resident_id, slip) is None


@given(number=case_numbers(), brackets=st.sampled_from(["()", "[]", "〔〕", "【】", "（）"]))
def test_case_numbers_in_any_brackets(number: str, brackets: str) -> None:
    written = number.replace("（", brackets[0]).replace("）", brackets[1])
    assert identifiers.case_number(written) == number


@given(plate=plates(), dot=st.sampled_from(["", "·", "•", ".", "-", " "]))
def test_plates_with_any_dot_and_case(plate: str, dot: str) -> None:
    assert plate_number(plate[:2].lower() + dot + plate[2:].lower()) == plate


@given(plate=plates(), place=st.integers(2, 6), letter=st.sampled_from("IO"))
def test_plates_never_have_i_or_o(plate: str, place: int, letter: str) -> None:
    assert accepted(plate_number, plate[:place] + letter + plate[place + 1 :]) is None
