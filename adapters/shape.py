"""The tree of canonical members that a message of some type and verb may have, read off the pydantic models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from lianzhi.protocol.verbs import VERBS
from schemas.bodies import content_model
from schemas.catalogue import MatterType


@dataclass(slots=True, eq=False)
class Node:
    """A member: an object (`members`), a list of objects (`many`), or a leaf (neither).

    values: what a leaf, or a member of a leaf that is a list, may be, when the model enumerates it.
    """

    members: dict[str, Node] = field(default_factory=dict)
    many: bool = False
    values: frozenset[Any] = frozenset()

    def leaves(self, path: str = "") -> Iterator[tuple[str, Node]]:
        """Every leaf with its canonical path, `payload.objects[].account_no`."""
        for name, node in self.members.items():
            here = f"{path}.{name}" if path else name
            if node.members:
                yield from node.leaves(here + "[]" if node.many else here)
            else:
                yield here, node


def message(matter: MatterType, verb: str) -> Node | None:
    """The members of the canonical data of `verb` that travel in the body, not in `head`.

    None when no message of this type can have this verb's content (a result of a type that has none).
    """
    model = VERBS[verb].model or content_model(matter, verb)
    if model is None:
        return None
    return _root(model, VERBS[verb].head)


@cache
def _root(model: type[BaseModel], head: tuple[str, ...]) -> Node:
    """The same node for every type that shares the model, so that what is compiled for one serves all."""
    return Node({name: member for name, member in _object(model).members.items() if name not in head})


@cache
def _object(model: type[BaseModel]) -> Node:
    return Node({f.serialization_alias or f.alias or n: _member(f.annotation) for n, f in model.model_fields.items()})


def _member(annotation: Any) -> Node:
    alternatives = list(_flatten(annotation))
    objects = [a for a in alternatives if isinstance(a, type) and issubclass(a, BaseModel)]
    lists = [get_args(a)[0] for a in alternatives if get_origin(a) in (list, tuple, Sequence)]
    if objects and len(objects) == len(alternatives):
        return _merged([_object(o) for o in objects])
    if lists and len(lists) == len(alternatives):
        inner = _merged([_member(a) for a in lists])
        if not inner.many:
            return Node(inner.members, many=True, values=inner.values)
    return Node(values=frozenset(v for a in alternatives for v in _values(a)))


def _values(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    return ()


def _flatten(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation without `Annotated` and `None`."""
    if get_origin(annotation) is Annotated:
        yield from _flatten(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for alternative in get_args(annotation):
            yield from _flatten(alternative)
    elif annotation is not NoneType:
        yield annotation


def _merged(nodes: Sequence[Node]) -> Node:
    """One node that has the members of all alternatives."""
    first, *others = nodes
    for other in others:
        if (first.many, bool(first.members)) != (other.many, bool(other.members)):
            raise TypeError("a union mixes objects, lists and leaves under one name")
        members = _merged_members(first.members, other.members)
        first = Node(members, first.many, first.values | other.values)
    return first


def _merged_members(one: Mapping[str, Node], two: Mapping[str, Node]) -> dict[str, Node]:
    return {
        name: _merged([side[name] for side in (one, two) if name in side])
        for name in [*one, *(n for n in two if n not in one)]
    }
