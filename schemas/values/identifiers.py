"""Numbers of cases, people, organisations and vehicles: normalise first, then judge.

Rules and examples: docs/domain.md section 5, tests/vectors/identifiers.json. Each function returns the
normalised value or raises PydanticCustomError named after the broken rule (`protocol.rules`); the annotated types
below put them into models, so canonical data always holds the normalised value.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints, ValidationInfo
from stdnum.cn import ric, uscc

from lianzhi.protocol.base import today_of, unless_accepted
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import line, squeeze, upper
from schemas.legal import chinese_number
from schemas.values.countries import ISO_3166
from schemas.values.courts import court_code
from schemas.values.divisions import PROVINCES, division
from schemas.values.phones import phone
from schemas.values.plates import plate_number

# --- case numbers, 法〔2015〕137号 ------------------------------------------------------------------------------

COURT_PROVINCES = "京津冀晋内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新军兵"
ENFORCEMENT_TYPES = frozenset({"执", "执恢", "执保", "执异", "执复", "执监", "执协", "执他"})
BANKRUPTCY_TYPES = frozenset({"破申", "破", "清申", "强清", "破终", "破监"})
OTHER_TYPES = frozenset({"司惩", "司救执"})
COERCIVE_CASE_TYPES = frozenset({"执", "执恢", "执保"})

_BRACKETS = str.maketrans({**dict.fromkeys("〔[【(〈《", "（"), **dict.fromkeys("〕]】)〉》", "）")})
_PART = r"(?:之(?P<part>[零〇一二三四五六七八九十百]{1,6}|[1-9][0-9]{0,2}))?"
_CASE = re.compile(
    rf"(?P<head>（(?:19|20)[0-9]{{2}}）(?:最高法|[{COURT_PROVINCES}](?:[0-9]{{4}}|[0-9]{{2}})?)"
    rf"(?P<type>[\u4e00-\u9fff]{{1,4}}))0{{0,7}}(?P<number>[1-9][0-9]{{0,8}})号{_PART}"
)
# Before 2016 each court had a short name of its own, and 字第 stood before the number.
_OLD_CASE = re.compile(
    rf"（(?:19|20)[0-9]{{2}}）[\u4e00-\u9fff]{{2,14}}字第?(?=0*[1-9])[0-9]{{1,8}}(?:-[1-9][0-9]{{0,2}})?号(?:-[1-9][0-9]?)?{_PART}"
)


def case_number(text: str) -> str:
    """案号 in its one form: full-width round brackets, no zeros before the number, 之 with Chinese numerals.

    Source: 法〔2015〕137号. Raises `case-number-form`.
    """
    found = _CASE.fullmatch(squeeze(text).translate(_BRACKETS))
    if found is None:
        raise broken("case-number-form")
    part = found["part"]
    return f"{found['head']}{found['number']}号" + (f"之{_in_words(part)}" if part else "")


def quoted_case_number(text: str) -> str:
    """A number that is only quoted: also one given before 2016, in the form of its time, left as it is printed
    (（2015）阎执字第00123号). Raises `case-number-form`."""
    value = squeeze(text).translate(_BRACKETS)
    return value if _OLD_CASE.fullmatch(value) else case_number(value)


def _in_words(part: str) -> str:
    return chinese_number(int(part)) if part.isascii() else part.replace("〇", "零")


def case_type(case_no: str) -> str:
    """The type word of a normalised case number: 执, 执恢, 民初 … Raises ValueError when it is none."""
    found = _CASE.fullmatch(case_no)
    if found is None:
        raise ValueError("not a normalised case number")
    return found["type"]


def carries_coercion(case_no: str) -> bool:
    """Whether a coercive matter may rest on this case: 执, 执恢, 执保 (docs/domain.md 2.0)."""
    return case_type(case_no) in COERCIVE_CASE_TYPES


# --- people ----------------------------------------------------------------------------------------------------

RESIDENCE_PERMITS = frozenset({"810000", "820000", "830000"})
MAINLAND = frozenset(PROVINCES) - {"81", "82"}
"""Provinces in which somebody can be registered (GB 11643): nobody has an ID of Hong Kong or Macao, but a permit."""
_ID18 = re.compile(r"[1-9][0-9]{16}[0-9X]")
_ID15 = re.compile(r"[1-9][0-9]{14}")
_OLD_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}")
_EARLIEST = date(1900, 1, 1)


def _id18(text: str, today: date | None) -> str:
    """18 characters, a real date at 7–14, ISO 7064 MOD 11-2 (GB 11643). The area is the caller's business."""
    value = upper(text)
    if _ID15.fullmatch(value):
        raise broken("resident-id-15")
    if not _ID18.fullmatch(value):
        raise broken("resident-id-form")
    try:
        born = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        raise broken("resident-id-date") from None
    if born < _EARLIEST or (today is not None and born > today):
        raise broken("resident-id-date")
    return value


def _checked(value: str) -> str:
    if ric.calc_check_digit(value) != value[17]:
        raise broken("resident-id-checksum")
    return value


def resident_id(text: str, *, today: date | None = None) -> str:
    """公民身份号码, or the number of a HK/Macao/Taiwan residence permit (810000, 820000, 830000).

    today: dates of birth after it are refused; without it a birth in the future goes unnoticed. County codes are
    not judged: `stdnum.cn.ric.validate` ties them to birth years and refuses real residents of 富平 and 高陵.
    Raises `resident-id-15`, `-form`, `-province`, `-date`, `-checksum`.
    """
    value = _id18(text, today)
    if value[:2] not in MAINLAND and value[:6] not in RESIDENCE_PERMITS:
        raise broken("resident-id-province")
    return _checked(value)


def permanent_residence(text: str, *, today: date | None = None) -> str:
    """外国人永久居留身份证: the new card (18 characters beginning with 9), or the old (3 letters, 12 digits).

    Raises `id-kind-mismatch` and what `resident_id` raises.
    """
    value = upper(text)
    if _OLD_PERMANENT.fullmatch(value):
        if value[:3] not in ISO_3166 or not value[3:].strip("0"):
            raise broken("id-form")
        return value
    value = _id18(text, today)
    if value[0] != "9":
        raise broken("id-kind-mismatch")
    if value[1:3] not in MAINLAND:
        raise broken("resident-id-province")
    return _checked(value)


# --- organisations, vehicles, telephones ------------------------------------------------------------------------

_USCC = re.compile(
    r"[1-9A-HJ-NPQRTUWXY][0-9A-HJ-NPQRTUWXY][1-9][0-9]{5}(?!0{8})[0-9A-HJ-NPQRTUWXY]{8}[0-9A-HJ-NPQRTUWXY]{2}"
)
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "12345678123457923456789" + "0123456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def credit_code(text: str) -> str:
    """统一社会信用代码 (GB 32100-2015): who registers and what (two places, each a digit or a letter), a division, the
    organisation's code (GB 11714), a check character. Raises `uscc-form`, `uscc-checksum`.

    Not `stdnum.cn.uscc.validate`: it wants digits in the first eight places.
    """
    value = upper(text)
    if not _USCC.fullmatch(value):
        raise broken("uscc-form")
    if uscc.calc_check_digit(value) != value[17]:
        raise broken("uscc-checksum")
    return value


def vin(text: str) -> str:
    """车辆识别代号, 17 characters (GB 16735). The check digit is not judged here. Raises `vin-form`."""
    value = upper(text)
    if not _VIN.fullmatch(value):
        raise broken("vin-form")
    return value


def vin_check(text: str) -> Literal["ok", "warning"]:
    """`warning` when the check digit in place 9 does not match, as with some imports. Raises `vin-form`."""
    value = vin(text)
    rest = sum(int(_VIN_VALUES[c]) * w for c, w in zip(value, _VIN_WEIGHTS, strict=True)) % 11
    return "ok" if value[8] == "0123456789X"[rest] else "warning"


# --- numbers of registers ---------------------------------------------------------------------------------------

_SOMETHING = re.compile(r"(?=.*[1-9])(?:[^0-9A-Za-z]*[0-9A-Za-z]){4}")


def is_real(number: str) -> bool:
    """Whether it can tell one thing from another: four letters or digits, one of them not zero."""
    return _SOMETHING.match(number) is not None


def register_number(text: str) -> str:
    """As the register writes it, in one line. Raises `register-number-form` and those of `texts.line`."""
    value = line(text)
    if not is_real(value):
        raise broken("register-number-form")
    return value


# --- for models -------------------------------------------------------------------------------------------------


def _division(text: str, info: ValidationInfo) -> str:
    return division(text, on=today_of(info))


_Bounded = StringConstraints(max_length=64)

CaseNo = Annotated[str, _Bounded, AfterValidator(case_number)]
QuotedCaseNo = Annotated[str, _Bounded, AfterValidator(quoted_case_number)]
"""The number of another case that is only mentioned, which may be an old one."""
CreditCode = Annotated[str, _Bounded, AfterValidator(credit_code)]
Vin = Annotated[str, _Bounded, AfterValidator(vin)]
Plate = Annotated[str, _Bounded, AfterValidator(plate_number)]
Phone = Annotated[str, _Bounded, AfterValidator(unless_accepted(phone))]
DivisionCode = Annotated[str, _Bounded, AfterValidator(_division)]
CourtCode = Annotated[str, _Bounded, AfterValidator(court_code)]
