"""Every message of the catalogue: an example that passes, the model that says what may stand in it, and its verdict."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import BaseModel

from gateway.core.requests.lifecycle import TABLE
from lianzhi.problem import FieldError
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import content_model
from schemas.catalogue import MatterType, catalogue
from schemas.validation import InvalidError, parse_data
from tests.bounds.filling import filled
from tests.bounds.leaves import Leaf, leaves, pointer, put
from tests.bounds.probes import Probe, probes

TODAY = date(2026, 3, 24)
CORRECTED = "0198c5a0-1d3e-7b1a-8f00-0123456789ab"


@dataclass(frozen=True)
class Form:
    """One verb of one type. example: canonical data that passes."""

    matter: MatterType
    verb: str
    model: type[BaseModel]
    example: Mapping[str, Any]

    def refused(self, data: Any) -> list[FieldError]:
        """What is wrong with it; nothing when it passes."""
        try:
            parse_data(self.matter, self.verb, data, today=TODAY)
        except InvalidError as error:
            return error.errors
        return []

    def __str__(self) -> str:
        return f"{self.matter.name} {self.verb}"


def forms(matter: MatterType) -> Iterator[Form]:
    """Each that the shape of the type knows."""
    said = {row.verb for row in TABLE if row.shape == matter.shape} & VERBS.keys() | {"open"}
    for verb in sorted(said):
        model = VERBS[verb].model or content_model(matter, verb)
        if model is not None:
            yield Form(matter, verb, model, _example(matter, verb, model))


def all_forms() -> Iterator[Form]:
    for matter in catalogue().values():
        yield from forms(matter)


def _example(matter: MatterType, verb: str, model: type[BaseModel]) -> dict[str, Any]:
    if verb == "open":
        return {"request": {}, "payload": dict(matter.example_request)}
    if verb == "result":
        return dict(matter.example_result)
    if verb == "correct":
        return {**matter.example_result, "supersedes": CORRECTED, "reason": "复核后更正"}
    checks = dict.fromkeys(matter.checks, True) if verb == "identity-check" else {}
    return filled(model) | checks


@cache
def leaves_of(model: type[BaseModel]) -> tuple[Leaf, ...]:
    return tuple(leaves(model))


def faults(form: Form, leaf: Leaf, probe: Probe) -> str | None:
    """What is not as it should be when the probe stands at the leaf of an otherwise valid message.

    What may not be taken is refused at that very place and at no other. What the form takes passes, or is refused by a
    rule of ours at a place that the message has.
    """
    data = put(form.example, leaf, probe.value)
    errors = form.refused(data)
    where = f"{form} {leaf} {probe.name}"
    if probe.refused:
        wanted = pointer(leaf.path) + probe.below
        if not errors:
            return f"{where}: taken"
        strange = sorted({e.pointer for e in errors} - {wanted})
    else:
        strange = sorted({e.pointer for e in errors if not stands(data, e.pointer)})
    unsaid = [e.rule for e in errors if not (e.rule and e.detail and e.detail_en)]
    return f"{where}: {strange or unsaid}" if strange or unsaid else None


def stands(data: Any, at: str) -> bool:
    """Whether the pointer leads to something, or to a member that is missing of an object that is there."""
    steps = at.split("/")[1:]
    node = data
    for place, step in enumerate(steps, start=1):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, Mapping) and name in node:
            node = node[name]
        else:
            return isinstance(node, Mapping) and place == len(steps)
    return True


def passing(form: Form, rest: list[tuple[Leaf, Probe]]) -> Iterator[tuple[dict[str, Any], list[tuple[Leaf, Probe]]]]:
    """Messages that pass and hold all of these values that can pass at all, many in one; with what each holds.

    Each is begun with the first value that is left; those that pass beside it join it. A value that passes in no
    message is left out: what it is refused for, the test of single values has seen.
    """
    left = list(rest)
    while left:
        data, held, later = dict(form.example), list[Any](), []
        for leaf, probe in left:
            more = put(data, leaf, probe.value)
            if held and any(_same_way(leaf, other) for other, _ in held):
                later.append((leaf, probe))
            elif form.refused(more):
                if held:
                    later.append((leaf, probe))
            else:
                data, held = more, [*held, (leaf, probe)]
        if held:
            yield data, held
        left = later


def _same_way(one: Leaf, other: Leaf) -> bool:
    """Whether one stands within, or instead of, the other."""
    short, long = sorted((one.path, other.path), key=len)
    return long[: len(short)] == short


def chosen(form: Form, count: int, seed: int) -> list[tuple[Leaf, Probe]]:
    """So many (leaf, probe) of a form at random, reproducibly."""
    every = [(leaf, probe) for leaf in leaves_of(form.model) for probe in probes(leaf)]
    return random.Random(f"{form}{seed}").sample(every, min(count, len(every)))
