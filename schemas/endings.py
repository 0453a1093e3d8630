"""What `MatterType.ending` has in common: why a measure ends, in each form's own words (docs/domain.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.catalogue import LiveMeasure
from schemas.values import Person

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


def numbered(measure: LiveMeasure) -> str:
    """The partner's own number of the measure. Raises ValueError `number-missing`: it never gave one."""
    if measure.number is None:
        raise ValueError("number-missing")
    return measure.number


def original(measure: LiveMeasure) -> dict[str, Any]:
    """`schemas.values.Measure` of the measure that ends. Raises ValueError `term-missing`."""
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
