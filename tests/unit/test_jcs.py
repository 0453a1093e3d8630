"""RFC 8785: its own vectors, as far as our numbers go, and what is approved under one digest."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from lianzhi.client import approval_digest
from lianzhi.crypto import base64url
from lianzhi.crypto.jcs import canonical, over

# Section 3.2.2, without the doubles, which the contract does not know.
STRING = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f"
# Section 3.2.3: names in the order of their UTF-16 code units.
SORTED = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}


def test_strings_are_escaped_as_the_rfc_says() -> None:
    assert canonical(STRING).hex(" ") == (
        "22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22"
    )
    assert canonical("\b\t\n\f\r\x00\x1f\x7f") == b'"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f"'


def test_members_are_sorted_by_utf_16_code_units() -> None:
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    expected = "{" + ",".join(f"{canonical(n).decode()}:{canonical(SORTED[n]).decode()}" for n in order) + "}"
    assert canonical(SORTED) == expected.encode()


def test_literals_integers_arrays_and_nothing_between_them() -> None:
    value = {"b": [56, {"d": True, "10": None, "1": []}], "a": {"z": 2**53 - 1, "y": -(2**53 - 1), "x": False}}
    assert canonical(value) == (
        b'{"a":{"x":false,"y":-9007199254740991,"z":9007199254740991},"b":[56,{"1":[],"10":null,"d":true}]}'
    )


@pytest.mark.parametrize("value", [1.5, 2**53, {1: "a"}, "\ud800", {"\ud800": 1}, b"bytes", {"a": object()}])
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical(value)


ACT = {
    "type": "police.person-locate.request",
    "case_no": "（2026）陕0199执900001号",
    "handler": "sn0199-0007",
    "payload": {"person": {"name": "王演示"}},
    "documents": [],
}


def test_the_digest_is_that_of_the_six_members() -> None:
    text = (
        '{"case_no":"（2026）陕0199执900001号","documents":[],"handler":"sn0199-0007",'
        '"payload":{"person":{"name":"王演示"}},"receivers":["police-610199"],"type":"police.person-locate.request"}'
    )
    assert over(ACT, ["police-610199"]) == base64url.encode(hashlib.sha256(text.encode()).digest())


def test_it_is_the_same_however_the_submission_is_written() -> None:
    one = over(ACT, ["a", "b"])
    backwards = {name: ACT[name] for name in reversed(list(ACT))} | {"approvals": [{"by": "x"}], "urgency": "urgent"}
    assert over(backwards, ["b", "a"]) == one
    assert over({n: v for n, v in backwards.items() if n != "documents"}, ["a", "b"]) == one
    assert approval_digest({**backwards, "receivers": ["b", "a"]}) == one
    assert approval_digest(backwards, ["a", "b"]) == one


@pytest.mark.parametrize("name", ACT)
def test_another_value_is_another_digest(name: str) -> None:
    changed = {**ACT, name: ["another"] if isinstance(ACT[name], list) else "another"}
    assert over(changed, ["a"]) != over(ACT, ["a"])
    assert over(ACT, ["b"]) != over(ACT, ["a"])


def test_the_example_is_bound_to_its_submission() -> None:
    text = (Path(__file__).parents[2] / "docs" / "examples.md").read_text(encoding="utf-8")
    body, line = re.findall(r"```json\n(.*?)```", text[text.index("## What a court system signs") :], re.DOTALL)[:2]
    assert json.loads(line)["over"] == approval_digest(json.loads(body), ["police-610199"])
