"""Texts as people write them: a line, a paragraph, the name of somebody.

Here are the one form to which text is brought before any rule looks at it, and the characters that may stand in it.

Normalise first, then judge, as for numbers (docs/domain.md section 5). Each text says at least one letter or digit; a
name in `NOBODY` is nobody's. Two spellings of one name have one `folded` form.

Which characters: a dated table of our own, so that no version of Python decides about a name. Source: Unicode 18
(`tables/characters.txt`, made by tools/characters.py): letters, marks and numbers that can be seen, and punctuation and
symbols. Not in it, and so refused: control characters, what turns the direction of writing round (U+202A–202E,
U+2066–2069: "the text shown is not the text said"), characters of private use (造字区: each system shows another one),
what was lost in a conversion (U+FFFD), and what is not assigned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

from lianzhi.protocol.rules import broken

# the one form

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def squeeze(text: str) -> str:
    """NFKC without any white space or zero-width character. Idempotent.

    NFKC runs twice because taking out a space can bring a letter and its accent together.
    """
    bare = "".join(text.split())
    if bare.isascii():
        return bare
    folded = "".join(unicodedata.normalize("NFKC", bare).split()).translate(_INVISIBLE)
    return unicodedata.normalize("NFKC", folded)


def upper(text: str) -> str:
    """`squeeze`, and ASCII letters in upper case (others stay: ß must not become SS)."""
    return squeeze(text).translate(_UPPER)


# which characters

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


# lines, paragraphs, names

# What forms are filled with where a name is not known; folded.
NOBODY = frozenset(
    (
        *("无", "没有", "不详", "不明", "未知", "不知", "不清楚", "待查", "待定", "待补", "待补充", "暂无"),
        *("无名", "无名氏", "某", "某某", "某某某", "某人", "姓名", "姓名不详", "未填", "未填写", "同上", "见附件"),
        *("x", "xx", "xxx", "xxxx", "none", "null", "unknown", "anonymous"),
    )
)

_WIDE = {**{c: c - 0xFEE0 for r in ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B)) for c in range(*r)}}
_DOTS = dict.fromkeys(map(ord, "•‧∙⋅・･﹒●⸱ꞏ"), "·")
_TO_NAME = _WIDE | _DOTS
_SPACES = re.compile(" {2,}")
_DIGITS = re.compile(r"[0-9 .-]+")


def line(text: str) -> str:
    """One line: a place, a number of a paper. Raises `text-form`, `text-character`, `text-says-nothing`."""
    return text if ORDINARY.fullmatch(text) else _judged(one_line(text), also=" ")


def prose(text: str) -> str:
    """Sentences in paragraphs. Raises as `line`."""
    return text if ORDINARY.fullmatch(text) else _judged(paragraphs(text), also=" \u3000\n\t")


def name(text: str) -> str:
    """Who or what it is called, in one form: no blanks between Han characters, one middle dot, Latin letters and digits
    of usual width, NFC. Raises as `line`, and `name-of-nobody`."""
    if HAN_ALONE.fullmatch(text) and text not in NOBODY:
        return text
    value = line(text)
    if not value.isascii():
        value = BETWEEN_HAN.sub("", unicodedata.normalize("NFC", value.translate(_TO_NAME)))
    value = _SPACES.sub(" ", value)
    if _DIGITS.fullmatch(value) or folded(value) in NOBODY:
        raise broken("name-of-nobody")
    return value


def folded(text: str) -> str:
    """The form in which names are compared: letters and digits alone, of one width and one case."""
    return NOT_LETTERS.sub("", unicodedata.normalize("NFKC", one_line(text)).casefold())


def same_name(one: str, other: str) -> bool:
    return folded(one) == folded(other)


def _judged(value: str, also: str) -> str:
    if not value:
        raise broken("text-form")
    place = first_unfit(value, also)
    if place is not None:
        point = ord(value[place])
        if unicodedata.category(value[place]) == "Cc":
            raise broken("text-form")
        raise broken("text-character", place=place + 1, point=f"U+{point:04X}")
    if not says_something(value):
        raise broken("text-says-nothing")
    return value
