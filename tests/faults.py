"""How tests change one member of an example, and what they hear about it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.validation import InvalidError, parse_data, parse_open

PERSON_CONTROL = "police.person-control.request"
PERSON, LOCATE, SEAL, CONTROL, CANCEL, HIT, ENTRUST, GRID, NOTICE = (
    "police.person-locate.request",
    "police.vehicle-locate.request",
    "police.vehicle-seal.request",
    "police.vehicle-control.request",
    "police.vehicle-control.cancel",
    "police.vehicle-hit.alert",
    "entrust.matter.request",
    "grid.verify.request",
    "assoc.member-notice.publish",
)
ORIGINAL = {"measure_no": "court-sn0199-20260301-000007-1", "start_on": "2024-03-24", "end_on": "2026-03-23"}


class Change(Enum):
    DELETE = "delete"

    def __repr__(self) -> str:  # the same in each test process: it names tests
        return self.name

    __str__ = __repr__


DELETE = Change.DELETE


def example(name: str) -> dict[str, Any]:
    return copy.deepcopy(dict(catalogue()[name].example_request))


def changed(data: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """A copy with one member put, replaced or (DELETE) taken out."""
    data = copy.deepcopy(data)
    *way, last = pointer.split("/")[1:]
    node: Any = data
    for step in way:
        node = node[int(step) if isinstance(node, list) else step]
    key = int(last) if isinstance(node, list) else last
    if value is DELETE:
        del node[key]
    else:
        node[key] = value
    return data


def faults(parse: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidError) as caught:
        parse()
    return [(e.pointer, e.rule) for e in caught.value.errors]


def opens(name: str, payload: dict[str, Any]) -> None:
    """It may be asked, and what is read is what was written."""
    assert parse_open(catalogue()[name], payload).canonical() == payload


def answers(name: str, result: dict[str, Any]) -> None:
    """It may be answered, and what is read is what was written."""
    assert parse_data(catalogue()[name], "result", result).canonical() == result


def example_from_docs(heading: str) -> dict[str, Any]:
    text = (Path(__file__).parents[1] / "docs" / "examples.md").read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text.split(heading, 1)[1].split("```json\n", 1)[1].split("```", 1)[0])
    return body
