"""What the types that renew or end a measure share: members, and the code of the reason in each form of ending.

Source: docs/domain.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from lianzhi.protocol.base import Vocabulary
from schemas.catalogue import LiveMeasure, MeasureRule
from schemas.values.objects import Person

CancelReason = Vocabulary[
    Annotated[Literal["expired"], "过期"]
    | Annotated[Literal["done"], "已处理"]
    | Annotated[Literal["invalid"], "无效"]
    | Annotated[Literal["wrong"], "错误"]
    | Annotated[Literal["performed"], "已履行"]
    | Annotated[Literal["other"], "其他"]
]
# Why a case is let go → the code of the form that ends the measure.
CANCELLED: Mapping[str, str] = {"paid": "performed", "settled": "other", "ended": "other", "revoked": "invalid"}
DELISTED: Mapping[str, str] = {
    "paid": "performed",
    "settled": "settled",
    "ended": "ended",
    "revoked": "not-enforceable",
}
LIFTED: Mapping[str, str] = {"paid": "performed", "settled": "applicant-agrees", "ended": "ended", "revoked": "wrong"}
NOTES: Mapping[str, str] = {
    "paid": "被执行人已全部履行",
    "settled": "双方和解",
    "ended": "裁定终结执行",
    "revoked": "原决定已撤销",
}

Objects = tuple[tuple[str, str], ...]
"""(ref, identifying words) of each, as in `MeasureRule`."""


class Prolonging(Protocol):
    """The payload of a renewal: the partner's number of the control, the last day that it has, the one that it gets."""

    @property
    def control_no(self) -> str: ...
    @property
    def current_end_on(self) -> str: ...
    @property
    def end_on(self) -> str: ...


def prolongs(
    action: str, objects: Objects, payload: Prolonging, *, needs_live: str | None = None, rests_on: str | None = None
) -> MeasureRule:
    """Of a control that the partner knows by its own number."""
    return MeasureRule(
        action,
        "renew",
        objects,
        measure_no=payload.control_no,
        named_at="/payload/control_no",
        end_on=payload.end_on,
        current_end_on=payload.current_end_on,
        needs_live=needs_live,
        rests_on=rests_on,
    )


def ends(action: str, objects: Objects, control_no: str) -> MeasureRule:
    """Of a control that the partner knows by its own number."""
    return MeasureRule(action, "end", objects, measure_no=control_no, named_at="/payload/control_no")


def numbered(measure: LiveMeasure) -> str:
    """The partner's own number of the measure. Raises ValueError `number-missing`: it never gave one."""
    if measure.number is None:
        raise ValueError("number-missing")
    return measure.number


def original(measure: LiveMeasure) -> dict[str, Any]:
    """`schemas.values.objects.Measure` of the measure that ends. Raises ValueError `term-missing`."""
    if measure.start_on is None or measure.end_on is None:
        raise ValueError("term-missing")
    return {
        "measure_no": measure.measure_no,
        "original_request_no": measure.request_no,
        "original_case_no": measure.case_no,
        "start_on": measure.start_on,
        "end_on": measure.end_on,
    }


def cancelled(person_or_vehicle: str, value: Mapping[str, Any], measure: LiveMeasure, reason: str) -> dict[str, Any]:
    """The form that ends a control: by the control's number."""
    return {
        person_or_vehicle: dict(value),
        "control_no": numbered(measure),
        "reason": CANCELLED[reason],
        "note": NOTES[reason],
    }


def delisted(
    debtor: Person, card_no: str, measure: LiveMeasure, reason: str, reasons: Mapping[str, str]
) -> dict[str, Any]:
    """The form that takes a published entry off."""
    return {
        "debtor": debtor.canonical(),
        "card_no": card_no,
        "published_no": measure.published_no,
        "reason": reasons[reason],
        "decided_on": measure.on,
        "note": NOTES[reason],
    }
