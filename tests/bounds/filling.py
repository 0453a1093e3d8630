"""Values that a form takes, found by trying: for members that no example has, and branches that none shows."""

from __future__ import annotations

import copy
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from stdnum.cn import uscc

_USCC = "91610199MA0000001"
ROUNDS = 12
POOL: tuple[Any, ...] = (
    True, 1, 72, "王演示", "演示甲乙丙丁戊己庚辛壬癸", "2026-03-24T09:41:00+08:00", "2026-03-24", "2026-03",
    "1200.00", "13800138002",
    "陕A90001", "LSVAM4187C2000001", "610199", "陕0199", "（2026）陕0199执900001号", "610199199003071237",
    "sn0199-0007",
    "3f" * 32, "police-610199", "demo-word", "（2026）陕0199破900001号", "（2026）陕0199民初900001号", "CPL-253",
    _USCC + uscc.calc_check_digit(_USCC), "k7m2q9xa", "police-610199-20260324-000001",
    "0198c5a0-1d3e-7b1a-8f00-0123456789ab", "6101991990****1237", "1237", "a" * 43, "grid.verify.request", "02", "USA",
)  # fmt: skip


@cache
def _filled(model: type[BaseModel]) -> dict[str, Any]:
    data = {
        field.alias or name: value_of(annotation(field))
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    for _ in range(ROUNDS):
        wrong = {str(where[0]) for where in refusals(model, data) if where}
        if not wrong & data.keys():
            break
        for name in wrong & data.keys():
            taken = [one for one in POOL if takes(annotation(model.model_fields[name]), one)]
            if taken:
                data[name] = taken[(taken.index(data[name]) + 1 if data[name] in taken else 0) % len(taken)]
    return data


def filled(model: type[BaseModel]) -> dict[str, Any]:
    """Its required members, each such that the object takes it beside the others."""
    return copy.deepcopy(_filled(model))


def refusals(model: type[BaseModel], data: Any) -> list[tuple[str | int, ...]]:
    """Where the model alone refuses `data`."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [fault["loc"] for fault in error.errors(include_url=False, include_input=False)]
    return []


def annotation(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def value_of(kind: Any) -> Any:
    """The first of the pool that it takes; of a list as few as it may have."""
    if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is Literal:  # a vocabulary
        kind = get_args(kind)[0]
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return filled(kind)
    if origin is Literal:
        return inner[0]
    if origin in (Union, UnionType):
        return value_of(next(one for one in inner if one is not NoneType))
    if origin is list:
        return [value_of(inner[0])]
    if (origin is Annotated and get_origin(inner[0]) in (Union, UnionType, list)) or _is_model(
        inner[0] if inner else None
    ):
        return _annotated(kind, inner[0])
    return next(one for one in POOL if takes(kind, one))


def _annotated(kind: Any, inner: Any) -> Any:
    simple = next((one for one in POOL if takes(kind, one)), None)
    if simple is not None:
        return simple
    value = value_of(inner)
    if isinstance(value, list) and not takes(kind, value):
        several = [one for one in POOL if takes(get_args(inner)[0], one)] or value * 5
        value = next((several[:n] for n in range(2, 6) if takes(kind, several[:n])), value * 2)
    return value


def takes(kind: Any, value: Any) -> bool:
    try:
        _adapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


_adapters: dict[int, tuple[Any, TypeAdapter[Any]]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """One for each annotation; those made of parts that cannot be hashed are told apart by identity."""
    try:
        return _hashed(kind)
    except TypeError:
        found = _adapters.get(id(kind))
        if found is None:
            found = _adapters[id(kind)] = kind, TypeAdapter(kind)
        return found[1]


@cache
def _hashed(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
