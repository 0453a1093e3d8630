"""A clerk who answers any request from what it says: no example is looked at.

The form of the answer is the matter type's own (`result_item`). Each object that the request names gets a line, with
what the request says of it where the form asks for the same; the rest is filled in by what the form takes. What the
form then finds missing is added, as a person would who reads the error.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from stdnum.cn import uscc

from lianzhi.protocol.cards import Classification
from lianzhi.protocol.times import Tense, tense_of
from schemas.catalogue import MatterType, catalogue
from schemas.validation import InvalidError, parse_data
from tests.words import SHANGHAI

_numbers = itertools.count(1)
ROUNDS = 12
USCC = "91610199MA0000001"


def answered(type: str, payload: Mapping[str, Any], now: datetime, **changes: Any) -> dict[str, Any]:
    """A result of `type` about the objects of `payload`, which is what the asked side has opened."""
    matter = catalogue()[type]
    assert matter.result_item is not None
    at = now.astimezone(SHANGHAI).isoformat(timespec="seconds")
    form = _Form(payload, at)
    result: dict[str, Any] = {
        "outcome": "done",
        "as_of": at,
        "items": [form.filled(matter.result_item, {"ref": ref}) for ref in objects_of(payload)],
    }
    if matter.result_class is Classification.LOCATION:
        result["ttl_hours"] = 72
    return _mended(matter, result, form) | changes


def objects_of(payload: Mapping[str, Any]) -> list[str]:
    """The refs of what a request is about: its objects, not who owns them."""
    if "ref" in payload:
        return [payload["ref"]]
    found: list[str] = []
    for value in payload.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping) and "ref" in one:
                found.append(one["ref"])
    return list(dict.fromkeys(found))


class _Form:
    """payload: what was asked; at: now, with offset."""

    def __init__(self, payload: Mapping[str, Any], at: str) -> None:
        self.asked = dict(_members(payload))
        self.number = next(_numbers)
        self.today = at[:10]
        share = any(value == "equity" for name, value in _members(payload) if name == "kind")
        self.always = ("registry_no", "published_at") if share else ("registry_no",)  # a register gives a number
        self.pool: tuple[Any, ...] = (
            f"演示甲{self.number}",
            at,
            at[:10],
            at[:7],
            "1200.00",
            "13800138002",
            "陕A90001",
            f"LSVAM4187C2{self.number:06d}",
            "610199",
            "陕0199",
            "（2026）陕0199执900001号",
            "610199199003071237",
            "sn0199-0007",
            "3f" * 32,
            "police-610199",
            "demo-word",
            "（2026）陕0199破900001号",
            USCC + uscc.calc_check_digit(USCC),
        )

    def filled(self, model: type[BaseModel], known: Mapping[str, Any]) -> dict[str, Any]:
        """What must stand in it, and what the request says of it."""
        return {
            name: known[name] if name in known else self.value(field, name)
            for name, field in model.model_fields.items()
            if field.is_required()
            or name in known
            or name in self.always
            or self._said(field, name) is not None
            or _listing(field)
        }

    def value(self, field: FieldInfo, name: str) -> Any:
        said = self._said(field, name)
        if said is not None:
            return said
        kind = _kind(field)
        if name.endswith(("_no", "number")) and _takes(kind, f"YC{self.number:08d}"):
            return f"YC{self.number:08d}"
        return self._any(kind)

    def another(self, field: FieldInfo, refused: Any) -> Any:
        """What else it takes: the next that the pool has."""
        taken = [one for one in self.pool if _takes(_kind(field), one)]
        return taken[(taken.index(refused) + 1 if refused in taken else 0) % len(taken)]

    def _said(self, field: FieldInfo, name: str) -> Any:
        said, tense = self.asked.get(name), tense_of(field)
        if Tense.ANSWERS in tense or (Tense.COMING in tense and str(said) < self.today):
            return None  # a day of the answer's own, whatever the request says of one of that name
        return said if said is not None and _takes(_kind(field), said) else None

    def _any(self, kind: Any) -> Any:
        if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is Literal:  # a vocabulary
            kind = get_args(kind)[0]
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._annotated(kind, inner[0])
        if origin is Literal:
            return inner[0]
        if origin in (Union, UnionType):
            return self._any(next(one for one in inner if one is not NoneType))
        if origin is list:
            return [self._any(inner[0])]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.filled(kind, {})
        return next(one for one in (True, 1, *self.pool) if _takes(kind, one))

    def _annotated(self, kind: Any, inner: Any) -> Any:
        simple = next((one for one in (True, 1, 72, *self.pool) if _takes(kind, one)), None)
        if simple is not None:
            return simple
        value = self._any(inner)
        while isinstance(value, list) and _too_short(kind, value):
            value = [*value, self._any(get_args(inner)[0])]
        return value


def _mended(matter: MatterType, result: dict[str, Any], form: _Form) -> dict[str, Any]:
    """What the form says is missing, filled in."""
    for _ in range(ROUNDS):
        try:
            parse_data(matter, "result", result)
        except InvalidError as error:
            for fault in error.errors:
                _mend(matter, result, fault.pointer, form)
        else:
            return result
    parse_data(matter, "result", result)
    return result


def _mend(matter: MatterType, result: dict[str, Any], pointer: str, form: _Form) -> None:
    *way, last = pointer.strip("/").split("/")
    if last == "outcome":  # a step was reported, and there is more to follow
        result["outcome"] = "partial"
        return
    node: Any = result
    model: Any = matter.result_item
    for step in way:
        node = node[int(step) if isinstance(node, list) else step]
        if step != "items" and not step.isdigit():
            model = next(_models(model.model_fields[step].annotation, node))
    assert model is not None and last in model.model_fields, f"{pointer}: nothing that could be filled in"
    if isinstance(node.get(last), list):  # a list too many
        del node[last]
        return
    field = model.model_fields[last]
    node[last] = form.another(field, node[last]) if last in node else form.value(field, last)


def _models(annotation: Any, node: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation leads to; of several, those that fit the node so far."""
    model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    if model and (not isinstance(node, Mapping) or set(node) <= set(annotation.model_fields)):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner, node)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member, the outermost last, so that it wins."""
    if isinstance(value, list):
        for one in value:
            yield from _members(one)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _members(inner)
        yield from value.items()


def _kind(field: FieldInfo) -> Any:
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _listing(field: FieldInfo) -> bool:
    """A list of records: what was found belongs into the answer, although none may be."""
    kind = field.annotation
    return get_origin(kind) is list and any(issubclass(m, BaseModel) for m in _models(get_args(kind)[0], None))


def _too_short(kind: Any, value: Any) -> bool:
    try:
        _adapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        return any(fault["type"] == "too_short" and not fault["loc"] for fault in error.errors())
    return False


def _takes(kind: Any, value: Any) -> bool:
    try:
        _adapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
