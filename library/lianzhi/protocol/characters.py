"""Which characters may stand in a text: a dated table of our own, so that no version of Python decides about a name.

Source: Unicode 18 (`tables/characters.txt`, made by tools/characters.py): letters, marks and numbers that can be seen,
and punctuation and symbols. Not in it, and so refused: control characters, what turns the direction of writing round
(U+202A–202E, U+2066–2069: "the text shown is not the text said"), characters of private use (造字区: each system shows
another one), what was lost in a conversion (U+FFFD), and what is not assigned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_TABLE = Path(__file__).with_name("tables") / "characters.txt"


def _read(text: str) -> Mapping[str, str]:
    """Name of a part of the table → its ranges as the inside of a character class."""
    parts: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            parts[name] = ""
        elif line and not line.startswith("#"):
            first, _, last = line.partition(" ")
            parts[name] += rf"\U{first:0>8}-\U{last or first:0>8}"
    return parts


_PARTS = _read(_TABLE.read_text("ascii"))
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f"

LETTER = re.compile(f"[{_PARTS['letters']}]")
NOT_LETTERS = re.compile(f"[^{_PARTS['letters']}]+")
NOT_LETTER_OR_SIGN = re.compile(f"[^{_PARTS['letters']}{_PARTS['signs']}]")
BETWEEN_HAN = re.compile(f"(?<=[{_HAN}]) +(?=[{_HAN}])")

HAN_ALONE = re.compile("[\u4e00-\u9fff]+")
_USUAL = "!-~\u4e00-\u9fff，。、：；（）“”"
_EVERYDAY = re.compile(f"[ {_USUAL}]+")
# Nearly every text is of these: right as it stands, which is found without the long table.
ORDINARY = re.compile(f"[0-9A-Za-z\u4e00-\u9fff](?:[ {_USUAL}]*[{_USUAL}])?")

# What shows nothing and says nothing: pasted along from web pages and word processors.
_NOTHING = (
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x2060, 0x2065), *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
)  # fmt: skip
# Every blank of Word and of input methods but the full-width one, which indents paragraphs.
_BLANKS = (0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F)
_LINE_ENDS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")

_PLAIN: Mapping[int, str | None] = {**dict.fromkeys(_NOTHING), **dict.fromkeys(_BLANKS, " ")}
_ONE_LINE: Mapping[int, str | None] = {**_PLAIN, 0x3000: " "}


def is_simple(text: str) -> bool:
    """Whether there is nothing to look up or to put right."""
    return _EVERYDAY.fullmatch(text) is not None


def one_line(text: str) -> str:
    """Every kind of blank as a space, what shows nothing left out, no blanks at the ends."""
    return text.strip() if is_simple(text) else text.translate(_ONE_LINE).strip()


def paragraphs(text: str) -> str:
    """The same, with paragraphs: each kind of line end as `\\n`, full-width blanks kept; none at the ends."""
    if is_simple(text):
        return text.strip()
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return text.translate(_PLAIN).strip()


def first_unfit(text: str, also: str = " ") -> int | None:
    """Index of the first character that may not stand there; also: what may, beside letters and signs."""
    if is_simple(text):
        return None
    for found in NOT_LETTER_OR_SIGN.finditer(text):
        if found.group() not in also:
            return found.start()
    return None


def says_something(text: str) -> bool:
    """Whether there is one letter or digit of any script."""
    return LETTER.search(text) is not None
