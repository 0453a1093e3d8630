"""Police · vehicles on the road (docs/domain.md 2.4): controlling one, ending the control, and the hit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, AnyMoment, ComingDay, PastMoment
from lianzhi.protocol.values import Line, Name, Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import alert, ask, ending_of
from schemas.linkages import PAGED, PEOPLE_AND_VEHICLES, REMINDED, Linkage
from schemas.matters.police.vehicle import (
    RULING,
    SEAL_EXAMPLE,
    TWO_PEOPLE,
    VEHICLE_EXAMPLE,
    WINDOW_DAYS,
    CoercedVehicle,
    check_rests_on,
    vehicle_objects,
)
from schemas.parts.endings import CancelReason, cancelled, ends
from schemas.parts.items import DutyPhones
from schemas.values.identifiers import Phone, Plate
from schemas.values.objects import Measure, MeasureNo, PlateKind, Vehicle
from schemas.values.terms import check_days

ROAD_CONTROL = Linkage(
    group=PEOPLE_AND_VEHICLES,
    row=8,
    zh="实车布控",
    en="Stop a vehicle on the road",
    ledger="measure-ending",
    note=REMINDED,
)

# --- stop it on the road ------------------------------------------------------------------------------------------


class VehicleControlRequest(Model):
    vehicle: Annotated[CoercedVehicle, label("布控车辆", "Which vehicle")]
    seal: Annotated[Measure, label("在用的车籍查封", "The live seal that it rests on")]
    start_on: Annotated[AnyDay, label("布控开始", "First day")]
    end_on: Annotated[ComingDay, label("布控截止", "Last day: at most 90 days on, not after the seal")]
    range: Annotated[
        Vocabulary[Annotated[Literal["local"], "本地"] | Annotated[Literal["linked"], "联动"]],
        label("布控范围", "Here, or linked with other places"),
    ]
    intercept: Annotated[bool, label("是否拦截", "Stop the car, or only report it")]
    receive_commitment: Annotated[bool, label("承诺接车", "The court takes the car over when it is stopped")]
    parking: Annotated[Line, label("停放方案", "Where the car will be parked")]
    duty_phones: Annotated[DutyPhones, label("值班电话", "Two or more telephones that answer day and night")]
    summary: Annotated[Prose | None, label("简要案情", "The case in short")] = None

    @field_validator("receive_commitment")
    @classmethod
    def _committed(cls, value: bool) -> bool:
        if not value:
            raise broken("receive-commitment")
        return value

    @model_validator(mode="after")
    def _window(self) -> VehicleControlRequest:
        check_days(self.start_on, self.end_on, WINDOW_DAYS)
        check_rests_on(self.seal, self.end_on)
        return self


class VehicleControlItem(Model):
    ref: Annotated[Ref, label("对象编号", "The vehicle")]
    control_no: Annotated[MeasureNo, label("布控编号", "Number of the control")]
    approved_by: Annotated[Name, label("批准人", "Who approved it")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when")]


def _control_measure(payload: VehicleControlRequest) -> MeasureRule:
    return MeasureRule(
        "control",
        "open",
        vehicle_objects(payload.vehicle),
        needs_live="seal",
        rests_on=payload.seal.measure_no,
        start_on=payload.start_on,
        end_on=payload.end_on,
    )


def _cancelled(payload: VehicleControlRequest, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return cancelled("vehicle", payload.vehicle.canonical(), measure, reason)


VEHICLE_CONTROL = ask(
    name="police.vehicle-control.request",
    zh="实车布控",
    en="Stop a vehicle on the road",
    help_zh="对已查封车辆上路布控。须有在用的车籍查封、承诺接车、停放方案和两个以上值班电话；"
    "期限不超过 90 天，也不晚于查封到期日；须两人审批。",
    help_en="Has a sealed vehicle reported or stopped on the road. Needs a live seal, the commitment to take the car "
    "over, where to park it, two duty telephones and two approvals; at most 90 days and not after the seal.",
    linkages=(ROAD_CONTROL,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=VehicleControlRequest,
    result_item=VehicleControlItem,
    request_class=Classification.SENSITIVE,
    coercive=lambda _: True,
    approvals=lambda _: TWO_PEOPLE,
    documents=lambda _: RULING,
    measure=_control_measure,
    ending=_cancelled,
    break_glass=True,
    ended_by="police.vehicle-control.cancel",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 2),
    example_request={
        "vehicle": VEHICLE_EXAMPLE,
        "seal": SEAL_EXAMPLE,
        "start_on": "2026-03-24",
        "end_on": "2026-06-20",
        "range": "local",
        "intercept": True,
        "receive_commitment": True,
        "parking": "云川县法院涉案车辆停放点（演示）",
        "duty_phones": ["13800138000", "13800138001"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-24T17:20:00+08:00",
        "items": [
            {
                "ref": "v5t9c2hb",
                "control_no": "BK6101990000001",
                "approved_by": "吴演示",
                "effective_at": "2026-03-24T17:00:00+08:00",
            }
        ],
    },
)


# --- no longer ----------------------------------------------------------------------------------------------------


class VehicleControlCancel(Model):
    """Ends a control. Never refused for the plate: a car that should not be stopped must be freed."""

    vehicle: Annotated[Vehicle, label("布控车辆", "Which vehicle")]
    control_no: Annotated[MeasureNo, label("布控编号", "Number of the control")]
    reason: Annotated[CancelReason, label("撤控原因", "Why it ends")]
    note: Annotated[Line | None, label("撤控说明", "Explanation")] = None


class VehicleControlEnd(Model):
    ref: Annotated[Ref, label("对象编号", "The vehicle")]
    effective_at: Annotated[AnyMoment, label("撤控时间", "Since when it is no longer controlled")]


VEHICLE_CONTROL_CANCEL = ending_of(
    VEHICLE_CONTROL,
    zh="撤销实车布控",
    en="End a road control",
    help_zh="撤销已生效的实车布控，如被执行人已履行。撤控须由公安机关确认后方告完成，请选紧急程度“立即”。",
    help_en="Ends an active road control, as when the debtor has paid. It is done when the police confirm it; choose "
    "the urgency `immediate`.",
    request=VehicleControlCancel,
    result_item=VehicleControlEnd,
    measure=lambda payload: ends("control", vehicle_objects(payload.vehicle), payload.control_no),
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "vehicle": VEHICLE_EXAMPLE,
        "control_no": "BK6101990000001",
        "reason": "performed",
        "note": "被执行人已全部履行",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T09:00:00+08:00",
        "items": [{"ref": "v5t9c2hb", "effective_at": "2026-04-10T08:52:00+08:00"}],
    },
)


# --- it was seen --------------------------------------------------------------------------------------------------


class VehicleHitAlert(Model):
    """ref: that of the vehicle in the control that was hit."""

    ref: Annotated[Ref, label("对象编号", "The vehicle, as in the control")]
    alert_no: Annotated[MeasureNo, label("预警编号", "Number of the alert")]
    control_no: Annotated[MeasureNo, label("布控编号", "Number of the control")]
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7")]
    passed_at: Annotated[PastMoment, label("过车时间", "When it passed")]
    checkpoint: Annotated[Line, label("卡口名称", "Checkpoint")]
    checkpoint_no: Annotated[Line | None, label("卡口编号", "Number of the checkpoint")] = None
    direction: Annotated[Line | None, label("方向", "Direction")] = None
    images: Annotated[list[Sha256], label("图片", "Pictures by digest, at most three", max_length=3)] = []
    observed_plate_differs: Annotated[bool, label("现场号牌不符", "The plate seen is another: cloned or changed")]
    intercepted: Annotated[bool, label("是否已拦截", "Stopped already")]
    holding_unit: Annotated[Line | None, label("扣押单位", "Who holds the car")] = None
    phone: Annotated[Phone, label("值班电话", "Telephone of the unit on duty")]

    @model_validator(mode="after")
    def _held_somewhere(self) -> VehicleHitAlert:
        if self.intercepted and self.holding_unit is None:
            raise broken("holding-unit-required", at="/holding_unit")
        return self


def _control_no(payload: VehicleHitAlert) -> str:
    return payload.control_no


VEHICLE_HIT = alert(
    name="police.vehicle-hit.alert",
    zh="车辆命中",
    en="A controlled vehicle was seen",
    help_zh="公安机关发现布控车辆时向法院发出。法院须立即确认、派人，扣押前先核对号牌、车架号和照片；不是本案车辆的，按误报处理。",
    help_en="The police saw or stopped a controlled vehicle. The court acknowledges at once, sends a team, and "
    "compares plate, VIN and photograph before it seizes; another car is a false hit.",
    linkages=(Linkage(group=PEOPLE_AND_VEHICLES, row=9, zh="命中（车）", en="A vehicle is seen", note=PAGED),),
    senders=frozenset({Kind.POLICE}),
    receivers=frozenset({Kind.COURT}),
    request=VehicleHitAlert,
    request_class=Classification.SENSITIVE,
    case_required=False,  # the control that it names knows its case
    alert_control_no=_control_no,
    checks=("plate_ok", "vin_ok"),
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "ref": "v5t9c2hb",
        "alert_no": "YJ6101990000001",
        "control_no": "BK6101990000001",
        "plate": "陕A90001",
        "plate_kind": "02",
        "passed_at": "2026-04-02T22:58:41+08:00",
        "checkpoint": "演示区西环路卡口",
        "checkpoint_no": "610199000001",
        "direction": "由南向北",
        "observed_plate_differs": False,
        "intercepted": True,
        "holding_unit": "云川县公安局交警大队（演示）",
        "phone": "13800138002",
    },
)
