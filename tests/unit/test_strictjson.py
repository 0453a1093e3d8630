"""JSON that is stricter than RFC 8259, and says where it is wrong."""

from __future__ import annotations

import json

import pytest

from lianzhi.crypto import strictjson
from lianzhi.errors import RejectedError

DEPTH = 32


def refusal(raw: bytes | str, depth: int = DEPTH) -> RejectedError:
    with pytest.raises(RejectedError) as refused:
        strictjson.loads(raw, depth=depth)
    return refused.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"案号":"（2026）陕0199执900001号"}', {"案号": "（2026）陕0199执900001号"}),
        (' {"a" : [1, -2, true, false, null]}\n', {"a": [1, -2, True, False, None]}),
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740991", 1 - 2**53),
        (r'"\ud83d\ude00"', "😀"),
        (r'"a backslash, then letters: \\u0000 \\ud800"', r"a backslash, then letters: \u0000 \ud800"),
        ('"[[[[{{{{ in a text is not depth"', "[[[[{{{{ in a text is not depth"),
    ],
)
def test_reads_what_is_allowed(text: str, value: object) -> None:
    assert strictjson.loads(text.encode(), depth=DEPTH) == value


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        ('{"a":1,"a":1}', "duplicate-member", "/a"),
        (r'{"a":1,"\u0061":2}', "duplicate-member", "/a"),
        ('{"x":[{"y":{"b":1,"c":2,"b":3}}]}', "duplicate-member", "/x/0/y/b"),
        ('{"a/b":{"~":1,"~":2}}', "duplicate-member", "/a~1b/~0"),
        ('{"amount":[1,2.0]}', "bad-number", "/amount/1"),
        ('{"amount":1e3}', "bad-number", "/amount"),
        ('{"amount":9007199254740992}', "bad-number", "/amount"),
        ('{"amount":-9007199254740992}', "bad-number", "/amount"),
        ('{"amount":NaN}', "bad-number", "/amount"),
        ('{"amount":-Infinity}', "bad-number", "/amount"),
        ("1" * 30, "bad-number", ""),
        (r'{"name":"\u0000"}', "bad-encoding", "/name"),
        (r'{"name":["\udfff"]}', "bad-encoding", "/name/0"),
        (r'{"\ud800":1}', "bad-encoding", ""),
        (r'{"\ud800":1,"\ud800":1}', "duplicate-member", "/\ufffd"),
        ("{'a':1}", "malformed-json", ""),
        ('{"a":1,}', "malformed-json", ""),
        ('{"a":1}{}', "malformed-json", ""),
        ('{"a":01}', "malformed-json", ""),
        ('{"a":"line\nbreak"}', "malformed-json", ""),
        ("", "malformed-json", ""),
        ("/* a comment */ 1", "malformed-json", ""),
    ],
)
def test_refuses_and_points(text: str, code: str, pointer: str) -> None:
    refused = refusal(text.encode())
    assert (refused.code, refused.pointer) == (code, pointer)


def test_an_endless_number_is_not_even_converted() -> None:
    assert refusal("1" * 100_000).code == "bad-number"


def test_malformed_json_names_line_and_column() -> None:
    assert refusal('{"a":\n  !}').errors[0].detail_en.endswith("line 2 column 3")


@pytest.mark.parametrize("raw", [b'\xef\xbb\xbf{"a":1}', '{"姓名":1}'.encode("gb18030"), '"x"'.encode("utf-16")])
def test_refuses_other_encodings(raw: bytes) -> None:
    assert refusal(raw).code == "bad-encoding"


def test_depth_counts_open_brackets_of_both_kinds() -> None:
    fits = '[{"a":' * 16 + "1" + "}]" * 16
    assert strictjson.loads(fits, depth=32)
    assert refusal("[" + fits + "]").code == "too-deep"
    assert refusal(fits, depth=31).code == "too-deep"


def test_many_brackets_that_are_not_deep_are_read() -> None:
    assert len(strictjson.loads(json.dumps([[]] * 10_000), depth=2)) == 10_000


def test_depth_is_judged_before_the_parser_recurses() -> None:
    assert refusal("[" * 1_000_000).code == "too-deep"
    assert refusal('{"a":' * 200_000).code == "too-deep"


@pytest.mark.parametrize(
    "text",
    ['\\"' * 500_000, '"\\', '"' + '\\"' * 500_000, "{" * 33 + '"' * 400_001],
    ids=["escaped-quotes", "lone-backslash", "text-never-closed", "empty-texts"],
)
def test_hostile_quotes_end_in_a_refusal(text: str) -> None:
    assert refusal("[" * 33 + text).code == "too-deep"


def test_writes_compact_text_in_the_given_order() -> None:
    assert strictjson.dumps({"b": "陕", "a": [1, None]}) == '{"b":"陕","a":[1,null]}'


def test_a_long_member_name_does_not_make_a_long_pointer() -> None:
    pointer = refusal(json.dumps({"x" * 10_000: 1.5})).pointer
    assert pointer is not None
    assert len(pointer) <= 200
