"""What is tried at a leaf: every bound that its form declares, at it, below and above, and what no form expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from lianzhi.protocol.times import AnswerDay, AnyDay, AnyMoment, ComingDay, ComingMoment, PastDay, PastMoment, PastMonth
from schemas.values.plates import PLATE_KINDS, plate_kind
from tests.bounds.filling import filled, takes
from tests.bounds.leaves import EXTRA, MISSING, NO_SUCH, Copies, Followed, Leaf
from tests.bounds.patterns import longest, shortest

HUGE = 2**53 - 1
"""The largest number that may stand in a message; in 64 bits, but not in 32."""
DAYS = ("0000-01-01", "0001-01-01", "1900-02-29", "2026-02-30", "9999-12-31")
MOMENTS = (
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-12:00", "9999-12-31T23:59:59-08:00",
    "9999-12-31T23:59:59+08:00", "2026-03-24T24:00:00Z", "2026-03-24T09:41:60+08:00", "2026-03-24T09:41:00+24:00",
    "2026-03-24T09:41:00.123456789Z", "2026-03-24T09:41:00-23:59",
)  # fmt: skip
MONTHS = ("0000-01", "0001-01", "9999-12", "2026-00", "2026-13")
DAY_TYPES, MOMENT_TYPES = (PastDay, AnswerDay, ComingDay, AnyDay), (PastMoment, ComingMoment, AnyMoment)
MONTH_TYPES = (PastMonth,)
TEXTS = {"blank": " ", "control": "甲\x1b[2J乙", "direction": "甲\u202e乙", "line-end": "甲\n", "wide": "\U00031350"}
LONG = 70_000


@dataclass(frozen=True, slots=True)
class Probe:
    """name: of the bound, `max`, `max+1`, … value: MISSING: nothing stands there. refused: that it may not be taken;
    below: the member under the leaf at which."""

    name: str
    value: Any
    refused: bool = False
    below: str = ""


def probes(leaf: Leaf) -> Iterator[Probe]:
    """Named once each. What a form's own validator says of a text is found by asking it: alone, without its message."""
    alone = leaf.annotation
    kind, marks = leaf.kind, list(_flat(leaf.marks))
    yield Probe("null", None, refused=not leaf.nullable)
    if isinstance(leaf.steps[-1].name, str):
        yield Probe("missing", MISSING, refused=leaf.required)
    if kind is str:
        yield from _of_text(marks, alone)
    elif kind is int:
        yield from _of_number(marks)
    elif kind is bool:
        yield from (Probe("true", True), Probe("false", False))
        yield from (Probe(f"not-{name}", value, refused=True) for name, value in (("text", "true"), ("number", 1)))
    elif get_origin(kind) is Literal:
        yield from (Probe(f"code-{code}", code) for code in get_args(kind))
        outside = {"unknown": "no-such-code", "empty": "", "number": 1, "list": [], "long": "x" * LONG}
        yield from (Probe(f"outside-{name}", value, refused=True) for name, value in outside.items())
    elif get_origin(kind) is list:
        yield from _of_list(marks, alone)
    elif get_origin(kind) is dict:
        yield from (Probe("not-text", "x", refused=True), Probe("not-list", [], refused=True))
    else:
        yield from _of_object(kind)


def _flat(marks: tuple[Any, ...]) -> Iterator[Any]:
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark


def _of_text(marks: list[Any], alone: Any) -> Iterator[Probe]:
    least, most, pattern = 0, None, None
    for mark in marks:
        if isinstance(mark, StringConstraints):
            least = mark.min_length or least
            most = mark.max_length if mark.max_length is not None else most
            pattern = mark.pattern or pattern
        elif isinstance(mark, MinLen):
            least = mark.min_length
        elif isinstance(mark, MaxLen):
            most = mark.max_length
    if pattern is not None:
        assert isinstance(pattern, str)
        yield from (Probe("shortest", shortest(pattern)), Probe("longest", longest(pattern)[:most]))
        yield Probe("longest+1", longest(pattern) + "\n", refused=True)
        yield Probe("wide-digits", shortest(pattern).translate({ord("0"): "０"}) + "０", refused=True)
    if most is not None:
        yield from (Probe("max", "字" * most), Probe("max+1", "字" * (most + 1), refused=True))
    if least:
        yield from (Probe("min", "字" * least), Probe("min-1", "字" * (least - 1), refused=True))
    yield Probe("empty", "", refused=not takes(alone, ""))
    yield Probe("long", "字" * LONG, refused=most is not None or pattern is not None)
    for name, text in TEXTS.items():
        yield Probe(name, text, refused=not takes(alone, text))
    for name, value in {"number": 7, "huge": HUGE, "list": ["x"], "object": {"x": "x"}, "yes": True}.items():
        yield Probe(f"not-{name}", value, refused=True)
    forms = {mark.func for mark in marks if isinstance(mark, AfterValidator)}
    if plate_kind in forms:
        yield from (Probe(f"code-{code}", code) for code in PLATE_KINDS)
        yield Probe("outside-unknown", "00", refused=True)
    for types, texts in ((DAY_TYPES, DAYS), (MOMENT_TYPES, MOMENTS), (MONTH_TYPES, MONTHS)):
        if forms & {mark.func for form in types for mark in get_args(form) if isinstance(mark, AfterValidator)}:
            yield from (Probe(text, text, refused=not takes(alone, text)) for text in texts)


def _of_number(marks: list[Any]) -> Iterator[Probe]:
    least = next((mark.ge for mark in marks if isinstance(mark, Ge)), None)
    most = next((mark.le for mark in marks if isinstance(mark, Le)), None)
    if isinstance(least, int):
        yield from (Probe("min", least), Probe("min-1", least - 1, refused=True))
    if isinstance(most, int):
        yield from (Probe("max", most), Probe("max+1", most + 1, refused=True))
    yield from (Probe("huge", HUGE, refused=most is not None), Probe("huge-negative", -HUGE, refused=least is not None))
    for name, value in {"text": "1", "list": [], "object": {}, "yes": True}.items():
        yield Probe(f"not-{name}", value, refused=True)


def _of_list(marks: list[Any], alone: Any) -> Iterator[Probe]:
    least = next((mark.min_length for mark in marks if isinstance(mark, MinLen)), 0)
    most = next((mark.max_length for mark in marks if isinstance(mark, MaxLen)), None)
    yield Probe("twice", Copies(2, same=True))
    yield Probe("second", Followed(7), refused=True, below="/1")
    yield Probe("none", [], refused=least > 0 or not takes(alone, []))
    if least:
        yield from (Probe("min", Copies(least)), Probe("min-1", Copies(least - 1), refused=True))
    if most is not None:
        yield from (Probe("max", Copies(most)), Probe("max+1", Copies(most + 1), refused=True))
    for name, value in {"text": "x", "number": 1, "object": {}}.items():
        yield Probe(f"not-{name}", value, refused=True)


def _of_object(model: type[BaseModel]) -> Iterator[Probe]:
    yield Probe("filled", filled(model))
    yield Probe("extra", EXTRA, refused=True, below=f"/{NO_SUCH}")
    for name, value in {"text": "x", "number": 1, "list": []}.items():
        yield Probe(f"not-{name}", value, refused=True)
