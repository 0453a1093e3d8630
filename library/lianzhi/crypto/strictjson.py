"""JSON as the contract allows it (docs/contracts.md 3.1), stricter than RFC 8259.

UTF-8 without a byte order mark; no member twice; no number but integers within ±(2^53−1) (RFC 7493, I-JSON:
money is a string); bounded depth; no U+0000 and no lone surrogate in any text, because neither can be stored.
Two readers of the same bytes then read the same thing, whatever their language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS, FieldError

BOM = "\ufeff"
MAX_INTEGER = 2**53 - 1
_MAX_DIGITS = 17  # sign and the 16 digits of 2^53: longer ones are not even converted
_POINTER_LENGTH = 200
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
# Everything but brackets; a string is consumed whole, closed or not, so the pattern never backtracks.
_NOT_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[^"\[\]{}]++', re.DOTALL)
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Fault:
    """Stands in the parsed value where something is wrong, so that its JSON pointer can be told."""

    code: str
    member: str | None = None


class _FaultyError(Exception):
    """Something is wrong somewhere: it is parsed once more to tell where."""


def _decoder(fault: Callable[..., Any]) -> json.JSONDecoder:
    """fault: what stands for a value that is not allowed; given its code, and the member that is there twice."""

    def members(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        return found if len(found) == len(pairs) else fault("duplicate-member", _twice(pairs))

    def integer(digits: str) -> Any:
        if len(digits) > _MAX_DIGITS or abs(int(digits)) > MAX_INTEGER:
            return fault("bad-number")
        return int(digits)

    def other_number(_: str) -> Any:
        return fault("bad-number")

    return json.JSONDecoder(
        object_pairs_hook=members, parse_int=integer, parse_float=other_number, parse_constant=other_number
    )


def _give_up(*_: Any) -> Any:
    raise _FaultyError


# Two, made once: what is right, nearly everything, is parsed without a list of what is wrong.
_STRICT, _TELLING = _decoder(_give_up), _decoder(_Fault)


def decode(raw: bytes) -> str:
    """UTF-8 bytes → text. Raises RejectedError bad-encoding (a byte order mark, or not UTF-8)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise RejectedError("bad-encoding") from None
    if text.startswith(BOM):
        raise RejectedError("bad-encoding")
    return text


def loads(raw: bytes | str, *, depth: int) -> Any:
    """Parse. depth: how many brackets may be open at once.

    Raises RejectedError: bad-encoding, malformed-json, duplicate-member, too-deep, bad-number; with a JSON pointer
    where there is a place to point to.
    """
    text = decode(raw) if isinstance(raw, bytes) else raw
    bound_depth(text, depth)
    try:
        try:
            value = _STRICT.decode(text)
            if not _SUSPECT_ESCAPE.search(text):
                return value
        except _FaultyError:
            value = _TELLING.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(error) from None
    for code, pointer in _faults(value, ""):
        raise RejectedError(code, pointer=pointer)
    return value


def _encode() -> Callable[[Any], str]:
    """`_ENCODER.encode`, which makes CPython's encoder anew for each text: half of what a text costs. Here it is made
    once."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # another Python has none
        return _ENCODER.encode
    quoted = json.encoder.encode_basestring
    parts = make(None, _ENCODER.default, quoted, None, ":", ",", False, False, False)
    return lambda value: "".join(parts(value, 0))


dumps: Callable[[Any], str] = _encode()
"""The form that we put on the wire and sign: compact, UTF-8 characters as they are, members in given order.

Raises TypeError for what is no JSON, ValueError for a number that is none."""


def pointer_to(*path: str | int) -> str:
    """The JSON pointer (RFC 6901) of a path, cut to a length that fits a notice."""
    text = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return _UNSTORABLE.sub("\ufffd", text[:_POINTER_LENGTH])


def bound_depth(text: str, depth: int) -> None:
    """Before parsing: the parser recurses, so its input must be known to be shallow. Raises RejectedError too-deep."""
    if text.count("[") + text.count("{") <= depth:
        return
    level = 0
    for bracket in _NOT_BRACKETS.sub("", text):
        level += 1 if bracket in "[{" else -1
        if level > depth:
            raise RejectedError("too-deep")


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _malformed(error: json.JSONDecodeError) -> RejectedError:
    zh, en = f"第 {error.lineno} 行第 {error.colno} 列", f"line {error.lineno} column {error.colno}"
    reason = REASONS["malformed-json"]
    at = FieldError(pointer="", rule="malformed-json", detail=f"{reason.zh}：{zh}", detail_en=f"{reason.en}: {en}")
    return RejectedError("malformed-json", [at])


def _faults(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """(code, pointer) of what is wrong in a parsed value, in document order."""
    if isinstance(value, _Fault):
        yield value.code, pointer if value.member is None else pointer + pointer_to(value.member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if _UNSTORABLE.search(name):
                yield "bad-encoding", pointer
            yield from _faults(member, pointer + pointer_to(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, pointer + pointer_to(index))
    elif isinstance(value, str) and _UNSTORABLE.search(value):
        yield "bad-encoding", pointer
