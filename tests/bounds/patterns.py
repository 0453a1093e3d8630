"""The shortest and the longest text that a pattern takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants as codes  # the parser of `re` is in no stub
from re import _parser as parser  # likewise
from typing import Any

_ENDLESS = 200
"""Repetitions that stand for any number of them."""


def shortest(pattern: str) -> str:
    return "".join(_texts(parser.parse(pattern), longest=False))


def longest(pattern: str) -> str:
    """Of a pattern that ends: at every place as often as it may stand there."""
    return "".join(_texts(parser.parse(pattern), longest=True))


def _texts(parts: Sequence[Any], *, longest: bool) -> Iterator[str]:
    for code, what in parts:
        if code is codes.LITERAL:
            yield chr(what)
        elif code is codes.IN:
            yield _one_of(what)
        elif code is codes.ANY:
            yield "x"
        elif code is codes.MAX_REPEAT:
            least, most, inner = what
            times = min(int(most), max(int(least), _ENDLESS)) if longest else int(least)
            yield "".join(_texts(inner, longest=longest)) * times
        elif code is codes.SUBPATTERN:
            yield from _texts(what[3], longest=longest)
        elif code is codes.BRANCH:
            ways = ["".join(_texts(way, longest=longest)) for way in what[1]]
            yield (max if longest else min)(ways, key=len)
        else:
            assert code is codes.AT, code


def _one_of(choices: Sequence[Any]) -> str:
    if choices[0][0] is codes.NEGATE:
        return next(c for c in "x0甲" if re.fullmatch(_set(choices), c))
    code, what = choices[0]
    if code is codes.CATEGORY:
        return "0" if what is codes.CATEGORY_DIGIT else "x"
    return chr(what[0] if code is codes.RANGE else what)


def _set(choices: Sequence[Any]) -> str:
    said = ""
    for code, what in choices[1:]:
        if code is codes.CATEGORY:
            said += {codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_DIGIT: r"\d"}.get(what, r"\w")
        else:
            said += re.escape(chr(what)) if code is codes.LITERAL else f"{chr(what[0])}-{chr(what[1])}"
    return f"[^{said}]"
