"""The models that are built once for each matter type: its `open`, `result` and `correct`."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, cast

from pydantic import AfterValidator, ConfigDict, create_model, model_validator

from lianzhi.protocol.base import Model, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.verbs import CorrectMixin, ResultBase
from schemas.catalogue import MatterType
from schemas.opening import Opening
from schemas.steps import StepItem

MAX_ITEMS = 1000


def _one_each(items: list[Any]) -> list[Any]:
    """One line for each object."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.ref in seen:
            raise broken("duplicate-ref", at=f"/{index}/ref")
        seen.add(item.ref)
    return items


class _Result(ResultBase):
    """`done` and `partial` say of what, and a step is not `done`: success is never reported without its object, nor
    before its time (docs/domain.md section 7)."""

    model_config = ConfigDict(
        defer_build=True,
        json_schema_extra={
            "if": {"properties": {"outcome": {"enum": ["done", "partial"]}}},
            "then": {"properties": {"items": {"minItems": 1}}},
        },
    )

    items: Annotated[list[Any], label("各对象结果", "Result for each object")]

    @model_validator(mode="after")
    def _of_something(self) -> _Result:
        if self.outcome in ("done", "partial") and not self.items:
            raise broken("items-missing", at="/items")
        if self.outcome == "done" and any(isinstance(item, StepItem) and item.unfinished for item in self.items):
            raise broken("more-to-follow", at="/outcome")
        return self


class _Opened(Opening):
    model_config = ConfigDict(defer_build=True)


@cache
def opening_model(matter: str, request: type[Model]) -> type[Opening]:
    """`Opening` whose payload is the matter's own."""
    payload: Any = (Annotated[request, label("内容", "Payload of the matter type")], ...)
    return create_model(f"Opening of {matter}", __base__=_Opened, payload=payload)


@cache
def result_model(matter: str, item: type[Model], location: bool) -> type[Model]:
    """A location result must say for how long it may be kept (docs/domain.md section 4)."""
    lines: Any = (
        Annotated[
            list[item],  # type: ignore[valid-type]
            label("各对象结果", "Result for each object", max_length=MAX_ITEMS),
            AfterValidator(_one_each),
        ],
        ...,
    )
    members: dict[str, Any] = {"items": lines}
    if location:
        members["ttl_hours"] = (Annotated[int, label("保存时限（小时）", "Hours, at most 72", ge=1, le=72)], ...)
    return create_model(f"Result of {matter}", __base__=_Result, **members)


@cache
def correct_model(matter: str, item: type[Model], location: bool) -> type[Model]:
    """A result that replaces an earlier one."""
    base: Any = (CorrectMixin, result_model(matter, item, location))
    return cast("type[Model]", create_model(f"Correction of {matter}", __base__=base))


def content_model(matter: MatterType, verb: str) -> type[Model] | None:
    """The model of `open`, `result` or `correct` of this type; None when it has none."""
    if verb == "open":
        return opening_model(matter.name, matter.request)
    if matter.result_item is None:
        return None
    build = result_model if verb == "result" else correct_model
    return build(matter.name, matter.result_item, matter.result_class is Classification.LOCATION)
