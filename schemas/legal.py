"""Legal references: the code that data carries (`INT-482`) and the words that people read, both ways.

Statutes: docs/domain.md section 9. A notice of the Supreme Court that is cited as a whole has its number in the
code (`FAFA-2017-27` = 法发〔2017〕27号); an article may follow (`FASHI-2024-13-3`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.normal import squeeze
from schemas.rules import broken

STATUTES: Mapping[str, tuple[str, str]] = {
    "CPL": ("民事诉讼法", "Civil Procedure Law (2023)"),
    "INT": ("民诉法解释", "Interpretation of the Civil Procedure Law"),
    "SFK": ("查封扣押冻结规定", "Provisions on sealing, seizing and freezing"),
    "DCH": ("财产调查规定", "Provisions on property investigation"),
    "NET": ("网络查询冻结规定", "Provisions on inquiry and freezing by network"),
    "WT": ("委托执行规定", "Provisions on entrusted enforcement"),
    "PIPL": ("个人信息保护法", "Personal Information Protection Law"),
    "DSL": ("数据安全法", "Data Security Law"),
    "NDR": ("网络数据安全管理条例", "Regulations on network data security"),
}
NOTICES: Mapping[str, str] = {"FASHI": "法释", "FAFA": "法发", "FA": "法"}
KNOWN_NOTICES: Mapping[str, tuple[str, str]] = {
    "FAFA-2017-27": ("事项委托", "commissioned matters"),
    "FASHI-2016-6": ("首封处分权移送", "whose it is to sell what several courts have sealed"),
    "FASHI-2024-13": ("拒执", "refusal to execute"),
    "FAFA-2025-8": ("拒执", "refusal to execute"),
    "FASHI-2015-17": ("限制消费", "limits on consumption"),
    "FASHI-2017-7": ("失信名单", "the list of dishonest debtors"),
    "FAFA-2019-35": ("善意文明执行", "enforcement in good faith"),
    "FAFA-2017-2": ("执转破", "enforcement to bankruptcy"),
    "FAFA-2017-6": ("执行款物管理", "money and things of cases"),
    "FAFA-2018-9": ("立审执协调", "filing, trial and enforcement working together"),
    "FAFA-2016-30": ("检察建议", "procuratorate's suggestions"),
    "FA-2021-227": ("涉执信访", "petitions about enforcement"),
    "FA-2015-137": ("案号", "case numbers"),
}

_STATUTE_CODE = re.compile(rf"({'|'.join(STATUTES)})-([1-9][0-9]{{0,2}})")
_NOTICE_CODE = re.compile(r"((FASHI|FAFA|FA)-([0-9]{4})-([1-9][0-9]{0,3}))(?:-([1-9][0-9]{0,2}))?")
_NUMERAL = "[一二三四五六七八九十百零]+"
_STATUTE_TEXT = re.compile(rf"({'|'.join(zh for zh, _ in STATUTES.values())})第({_NUMERAL})条")
_NOTICE_TEXT = re.compile(rf"(法释|法发|法)〔([0-9]{{4}})〕([1-9][0-9]{{0,3}})号(?:第({_NUMERAL})条)?")
_BY_NAME = {zh: code for code, (zh, _) in STATUTES.items()}
_BY_NOTICE = {zh: code for code, zh in NOTICES.items()}
_DIGITS = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """1–999 as an article's number is written: 15 → 十五, 482 → 四百八十二, 105 → 一百零五."""
    if not 1 <= number <= 999:
        raise ValueError("articles are numbered 1 to 999")
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")


def _number(text: str) -> int:
    """The inverse of `chinese_number`. Raises ValueError when `text` is not what that function writes."""
    total = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS.index(char)
        else:
            total += (digit or 1) * (100 if char == "百" else 10)
            digit = 0
    total += digit
    if chinese_number(total) != text:
        raise ValueError(f"not an article's number: {text}")
    return total


@lru_cache(maxsize=1024)
def legal_text(code: str) -> str:
    """`INT-482` → 民诉法解释第四百八十二条; `FAFA-2017-27` → 法发〔2017〕27号. Raises `unknown-legal-basis`."""
    if found := _STATUTE_CODE.fullmatch(code):
        return f"{STATUTES[found[1]][0]}第{chinese_number(int(found[2]))}条"
    found = _NOTICE_CODE.fullmatch(code)
    if found is None or found[1] not in KNOWN_NOTICES:
        raise broken("unknown-legal-basis")
    article = f"第{chinese_number(int(found[5]))}条" if found[5] else ""
    return f"{NOTICES[found[2]]}〔{found[3]}〕{found[4]}号{article}"


@lru_cache(maxsize=1024)
def legal_code(text: str) -> str:
    """The inverse of `legal_text`. Raises `unknown-legal-basis`."""
    words = squeeze(text)
    try:
        if found := _STATUTE_TEXT.fullmatch(words):
            return f"{_BY_NAME[found[1]]}-{_number(found[2])}"
        if found := _NOTICE_TEXT.fullmatch(words):
            code = f"{_BY_NOTICE[found[1]]}-{found[2]}-{found[3]}"
            if code in KNOWN_NOTICES:
                return f"{code}-{_number(found[4])}" if found[4] else code
    except ValueError as wrong:
        raise broken("unknown-legal-basis") from wrong
    raise broken("unknown-legal-basis")


def legal_texts(codes: Iterable[str]) -> str:
    """Several references in one line, as the police's ZFYJ carries them: joined by ；."""
    return "；".join(map(legal_text, codes))


def legal_codes(text: str) -> list[str]:
    """The inverse of `legal_texts`; an empty line has no reference. Raises `unknown-legal-basis`."""
    return [legal_code(part) for part in re.split("[；;]", text) if part.strip()]


def _known(code: str) -> str:
    legal_text(code)
    return code


LegalRef = Annotated[str, StringConstraints(max_length=40), AfterValidator(_known)]
