"""Texts as people write them: a line, a paragraph, the name of somebody.

Normalise first, then judge, as for numbers (docs/domain.md section 5). Each says at least one letter or digit; a name
in `NOBODY` is nobody's. Two spellings of one name have one `folded` form.
"""

from __future__ import annotations

import re
import unicodedata

from lianzhi.protocol.characters import (
    BETWEEN_HAN,
    HAN_ALONE,
    NOT_LETTERS,
    ORDINARY,
    first_unfit,
    one_line,
    paragraphs,
    says_something,
)
from lianzhi.protocol.rules import broken

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
