"""Text that somebody else chose, made harmless."""

from __future__ import annotations

import json

import pytest

from lianzhi.printable import MOST, code_or_unknown, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("（2026）陕0199执900001号\u3000王演示", "（2026）陕0199执900001号\u3000王演示"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x1b[2J\x7f\x9b", r"\u001b[2J\u007f\u009b"),
        ("\u202eb\u2066\u200f", r"\u202eb\u2066\u200f"),
        ("\u2028\u2029\ufeff\u00ad", r"\u2028\u2029\ufeff\u00ad"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\udb40\udc41"),
        ("𱍐", "𱍐"),  # a letter that Python 3.11 does not know yet
        (5, "5"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_long_is_cut() -> None:
    assert printable("x" * 1000) == "x" * MOST + "…"
    assert printable("x" * 1000, None) == "x" * 1000


def test_json_stays_json() -> None:
    value = {"case": "执\x1b\u009b\u202e\U000e0041\n"}
    shown = printable(json.dumps(value, ensure_ascii=False), None)
    assert shown.isprintable()
    assert json.loads(shown) == value


@pytest.mark.parametrize("value", ["", "Bad", "bad_envelope", "a" * 65, "bad\n", None, 5, ["x"], "执"])
def test_what_is_no_code_is_unknown(value: object) -> None:
    assert code_or_unknown(value) == "unknown"


def test_a_code_is_itself() -> None:
    assert code_or_unknown("bad-envelope") == "bad-envelope"
