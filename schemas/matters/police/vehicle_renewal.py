"""Police · prolonging the control of a vehicle on the road (docs/domain.md 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ValidationInfo, model_validator

from lianzhi.protocol.base import Model, label, today_of
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.times import AnyDay, AnyMoment
from lianzhi.protocol.values import Prose
from schemas.catalogue import LiveMeasure, MeasureRule
from schemas.declare import renewal_of
from schemas.matters.police.vehicle import (
    SEAL_EXAMPLE,
    VEHICLE_EXAMPLE,
    WINDOW_DAYS,
    CoercedVehicle,
    check_rests_on,
    vehicle_objects,
)
from schemas.matters.police.vehicle_road import VEHICLE_CONTROL
from schemas.parts.endings import cancelled, prolongs
from schemas.values.objects import Measure, MeasureNo
from schemas.values.terms import check_days, check_prolonging


class VehicleControlRenew(Model):
    vehicle: Annotated[CoercedVehicle, label("布控车辆", "Which vehicle")]
    seal: Annotated[Measure, label("在用的车籍查封", "The live seal that it rests on")]
    control_no: Annotated[MeasureNo, label("布控编号", "Number of the control")]
    current_end_on: Annotated[AnyDay, label("现到期日", "Last day as it stands; not past")]
    end_on: Annotated[AnyDay, label("续至", "New last day: at most 90 days later, not after the seal")]
    reason: Annotated[Prose, label("续控理由", "Why it must go on")]

    @model_validator(mode="after")
    def _term(self, info: ValidationInfo) -> VehicleControlRenew:
        check_prolonging(self.current_end_on, self.end_on, today=today_of(info))
        check_days(self.current_end_on, self.end_on, WINDOW_DAYS)
        check_rests_on(self.seal, self.end_on)
        return self


class VehicleControlProlonged(Model):
    ref: Annotated[Ref, label("对象编号", "The vehicle")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when it is prolonged")]
    end_on: Annotated[AnyDay, label("续至", "Last day as now registered")]


def _renew(payload: VehicleControlRenew) -> MeasureRule:
    objects = vehicle_objects(payload.vehicle)
    return prolongs("control", objects, payload, needs_live="seal", rests_on=payload.seal.measure_no)


def _cancelled(payload: VehicleControlRenew, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    """Of a control that this renewal opened anew."""
    return cancelled("vehicle", payload.vehicle.canonical(), measure, reason)


VEHICLE_CONTROL_RENEW = renewal_of(
    VEHICLE_CONTROL,
    name="police.vehicle-control.renew",
    zh="续期实车布控",
    en="Prolong a road control",
    help_zh="布控到期前续期，每次不超过 90 天，也不晚于车籍查封到期日，须两人审批。"
    "已经到期的不能续期；查封将到期的，先续封。",
    help_en="Prolongs a road control before it ends: at most 90 days and not after the seal, two approvals. One that "
    "has ended cannot be prolonged; when the seal is about to end, renew the seal first.",
    request=VehicleControlRenew,
    result_item=VehicleControlProlonged,
    measure=_renew,
    ending=_cancelled,
    example_request={
        "vehicle": VEHICLE_EXAMPLE,
        "seal": SEAL_EXAMPLE,
        "control_no": "BK6101990000001",
        "current_end_on": "2026-06-20",
        "end_on": "2026-09-18",
        "reason": "车辆仍未查获，近期曾在演示区出现",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-06-18T10:20:00+08:00",
        "items": [{"ref": "v5t9c2hb", "effective_at": "2026-06-18T10:00:00+08:00", "end_on": "2026-09-18"}],
    },
)
