"""Every place in a message where a value stands, out of the models themselves: nothing is listed by hand.

A new type, member or branch of a union is walked as soon as its model has it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from tests.bounds.filling import filled, value_of

Path = tuple[str | int, ...]
MISSING: Any = object()
"""Stands for a member that is left out."""
EXTRA: Any = object()
"""Stands for the object that is there, with one member more that it does not have."""
NO_SUCH = "no-such-member"


@dataclass(frozen=True, slots=True)
class Copies:
    """Stands for so many of what the list has first, each with a `ref` of its own unless it is to be the very same."""

    count: int
    same: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """Stands for what the list has first, followed by this."""

    by: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step down. name: a member, or 0 for an element of a list. model: of the object that stands there; None where
    a list or a plain value does."""

    name: str | int
    model: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A string, integer, yes or no, list or object of a message.

    kind: its annotation without `Annotated` and without None; marks: the constraints that were in it. required: whether
    it must be there. nullable: whether None may stand for it.
    """

    steps: tuple[Step, ...]
    kind: Any
    marks: tuple[Any, ...]
    required: bool
    nullable: bool

    @property
    def path(self) -> Path:
        return tuple(step.name for step in self.steps)

    @property
    def annotation(self) -> Any:
        return Annotated[(self.kind, *self.marks)] if self.marks else self.kind

    def __str__(self) -> str:
        """`/objects/0<Deposit>/account_no`: with the branch where an object has several forms."""
        return "".join(f"/{s.name}" + (f"<{s.model.__name__}>" if s.model else "") for s in self.steps)


def leaves(model: type[BaseModel], *above: Step) -> Iterator[Leaf]:
    """Of a message's model, outermost first."""
    for name, field in model.model_fields.items():
        member = field.alias or name
        yield from _below(field.annotation, tuple(field.metadata), above, member, field.is_required())


def _below(
    kind: Any, marks: tuple[Any, ...], above: tuple[Step, ...], name: str | int, required: bool
) -> Iterator[Leaf]:
    nullable = False
    while True:
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            kind, marks = inner[0], (*inner[1:], *marks)
        elif origin in (Union, UnionType) and NoneType in inner:
            nullable = True
            kind = Union[tuple(one for one in inner if one is not NoneType)]  # noqa: UP007 (made of a tuple)
        else:
            break
    if origin in (Union, UnionType):
        for one in inner:
            yield from _below(one, (), above, name, required)
        return
    model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    here = (*above, Step(name, model))
    yield Leaf(here, kind, marks, required, nullable)
    if model is not None:
        yield from leaves(model, *here)
    elif origin is list:
        yield from _below(inner[0], (), here, 0, True)


def put(data: Mapping[str, Any], leaf: Leaf, value: Any) -> dict[str, Any]:
    """A copy of `data` with `value` at the leaf; what is missing on the way is filled in with what the models take.
    What stands there as another form of the same object gives way."""
    root: dict[str, Any] = copy.deepcopy(dict(data))
    node: Any = root
    for step in leaf.steps[:-1]:
        there = _at(node, step.name)
        if step.model is not None and not fits(step.model, there):
            there = filled(step.model)
        elif step.model is None and not (isinstance(there, list) and there):
            there = [None]
        _set(node, step.name, there)
        node = there
    last = leaf.steps[-1]
    if value is MISSING:
        node.pop(last.name, None)
    elif value is EXTRA and last.model is not None:
        there = _at(node, last.name)
        _set(node, last.name, (there if fits(last.model, there) else filled(last.model)) | {NO_SUCH: 1})
    elif isinstance(value, Followed):
        _set(node, last.name, [*_copies(_at(_at(node, last.name), 0), leaf, Copies(1, same=True)), value.by])
    elif isinstance(value, Copies):
        _set(node, last.name, _copies(_at(_at(node, last.name), 0), leaf, value))
    else:
        _set(node, last.name, value)
    return root


def _copies(one: Any, leaf: Leaf, how: Copies) -> list[Any]:
    one = value_of(get_args(leaf.kind)[0]) if one is None else one
    if isinstance(one, dict) and "ref" in one and not how.same:
        return [one | {"ref": f"{number:08d}"} for number in range(how.count)]
    return [one] * how.count


def at(data: Any, leaf: Leaf) -> Any:
    """What stands there; None when nothing does, or another form of the object on the way."""
    node = data
    for step in leaf.steps:
        node = _at(node, step.name)
        if node is None or (step.model is not None and not fits(step.model, node)):
            return None
    return node


def fits(model: type[BaseModel], node: Any) -> bool:
    """Whether `node` is this form of an object, as far as its fixed words and its members tell."""
    if not isinstance(node, Mapping):
        return False
    fixed = {n: get_args(f.annotation) for n, f in model.model_fields.items() if get_origin(f.annotation) is Literal}
    said = all(node.get(name) in (None, *words) for name, words in fixed.items() if len(words) == 1)
    return said and set(node) <= set(model.model_fields)


def pointer(path: Path) -> str:
    return "".join(f"/{step}" for step in path)


def _at(node: Any, name: str | int) -> Any:
    if isinstance(node, list) and isinstance(name, int):
        return node[name] if name < len(node) else None
    return node.get(name) if isinstance(node, Mapping) else None


def _set(node: Any, name: str | int, value: Any) -> None:
    if isinstance(node, list) and node == []:
        node.append(value)
    else:
        node[name] = value
