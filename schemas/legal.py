"""Legal references: the code that data carries (`INT-482`) and the words that people read, both ways.

What may be cited is a table (`schemas.law.legal_bases`, docs/domain.md section 9), which a deployment extends. A notice
of the Supreme People's Court has its number in the code (`FAFA-2017-27` = 法发〔2017〕27号); an article may follow
(`FASHI-2024-13-3`). One of that form that is not in the table holds too: it may be newer than the table, and whoever
cites it is warned (`schemas.validation.basis_warnings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import squeeze
from schemas.law.force import Law, law
from schemas.law.legal_bases import CODE, LEGAL_BASES, NOTICES, LegalBasis, notice_text

_CODE = re.compile(rf"({CODE})(?:-([1-9][0-9]{{0,2}}))?")
_NUMERAL = "[一二三四五六七八九十百零]+"
_TEXT = re.compile(rf"(.+?)(?:第({_NUMERAL})条)?")
_NOTICE_TEXT = re.compile(r"(法释|法发|法)〔((?:19|20)[0-9]{2})〕([1-9][0-9]{0,3})号")
_NOTICE_CODE = re.compile(r"(FASHI|FAFA|FA)-(?:19|20)[0-9]{2}-[1-9][0-9]{0,3}")
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


def legal_text(code: str) -> str:
    """`INT-482` → 民诉法解释第四百八十二条; `FAFA-2017-27` → 法发〔2017〕27号. Raises `unknown-legal-basis`."""
    return _text(code, law())


def legal_code(text: str) -> str:
    """The inverse of `legal_text`. Raises `unknown-legal-basis`."""
    return _code(text, law())


@lru_cache(maxsize=1024)
def _text(code: str, tables: Law) -> str:
    found = _CODE.fullmatch(code)
    if found is None:
        raise broken("unknown-legal-basis")
    base, article = found[1], found[2]
    row = tables.of(LEGAL_BASES).get(base)
    words = row.text if row is not None else _unlisted_text(base)
    if words is None or (article is None and row is not None and row.kind == "statute"):
        raise broken("unknown-legal-basis")
    return f"{words}第{chinese_number(int(article))}条" if article else words


@lru_cache(maxsize=1024)
def _code(text: str, tables: Law) -> str:
    found = _TEXT.fullmatch(squeeze(text))
    if found is None:
        raise broken("unknown-legal-basis")
    words, article = found[1], found[2]
    row = _by_text(tables).get(words)
    base = row.code if row is not None else _unlisted_code(words)
    if base is None or (article is None and row is not None and row.kind == "statute"):
        raise broken("unknown-legal-basis")
    try:
        return f"{base}-{_number(article)}" if article else base
    except ValueError as wrong:
        raise broken("unknown-legal-basis") from wrong


@lru_cache(maxsize=8)
def _by_text(tables: Law) -> Mapping[str, LegalBasis]:
    return {row.text: row for row in tables.of(LEGAL_BASES).values()}


def _unlisted_text(base: str) -> str | None:
    """Of a notice of the Supreme People's Court that is not in the table."""
    return notice_text(base) if _NOTICE_CODE.fullmatch(base) else None


def _unlisted_code(words: str) -> str | None:
    found = _NOTICE_TEXT.fullmatch(words)
    return f"{_BY_NOTICE[found[1]]}-{found[2]}-{found[3]}" if found else None


def basis_of(code: str) -> LegalBasis | None:
    """The row of the table that a citation names; None: a notice of the right form that is not in it."""
    return _basis(code, law())


@lru_cache(maxsize=1024)
def _basis(code: str, tables: Law) -> LegalBasis | None:
    found = _CODE.fullmatch(code)
    return tables.of(LEGAL_BASES).get(found[1]) if found else None


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
