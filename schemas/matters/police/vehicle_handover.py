"""Police · a stopped car changes hands (docs/domain.md 2.4): the police list it, the court signs and keeps it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastMoment
from lianzhi.protocol.values import Document, Line, Name, Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import PEOPLE_AND_VEHICLES, Linkage
from schemas.parts.items import distinct
from schemas.values.objects import MeasureNo

LEAST_PHOTOS = 4  # [D] docs/domain.md 2.4

Thing = Vocabulary[
    Annotated[Literal["car"], "车辆"] | Annotated[Literal["licence"], "行驶证"] | Annotated[Literal["keys"], "钥匙"]
]


class Signature(Model):
    """Who signed the list for one side."""

    name: Annotated[Name, label("签字人", "Who signed")]
    unit: Annotated[Line, label("单位", "For which unit")]
    badge: Annotated[Line | None, label("证件编号", "Badge or work permit")] = None
    signed_at: Annotated[PastMoment, label("签字时间", "When")]


class VehicleHandover(Model):
    """ref: that of the vehicle in the control. signed_list: the paper with both signatures."""

    ref: Annotated[Ref, label("对象编号", "The vehicle, as in the control")]
    alert_no: Annotated[MeasureNo, label("预警编号", "Number of the alert")]
    control_no: Annotated[MeasureNo, label("布控编号", "Number of the control")]
    handed: Annotated[
        list[Thing],
        label("移交物品", "What is handed over", min_length=1, max_length=3),
        AfterValidator(distinct),
    ]
    odometer_km: Annotated[int, label("里程表读数（公里）", "Odometer, km", ge=0, le=9_999_999)]
    damage: Annotated[Prose | None, label("车损情况", "Damage that was seen; absent: none")] = None
    contents: Annotated[Prose | None, label("车内物品", "What was found in the car; absent: nothing")] = None
    photos: Annotated[list[Sha256], label("照片", "Pictures by digest, four or more", max_length=50)]
    place: Annotated[Line, label("移交地点", "Where")]
    handed_by: Annotated[Signature, label("移交人签字", "Signature of who hands over")]
    received_by: Annotated[Signature, label("接收人签字", "Signature of who takes over")]
    signed_list: Annotated[Document, label("移交清单", "The list with both signatures")]

    @field_validator("handed")
    @classmethod
    def _the_car(cls, value: list[str]) -> list[str]:
        if "car" not in value:
            raise broken("not-handed-over")
        return value

    @field_validator("photos")
    @classmethod
    def _enough(cls, value: list[str]) -> list[str]:
        if len(distinct(value)) < LEAST_PHOTOS:
            raise broken("photos-too-few", least=LEAST_PHOTOS)
        return value


class VehicleTaken(Model):
    """From here on the car is seized: who keeps it, and where."""

    ref: Annotated[Ref, label("对象编号", "The vehicle")]
    status: Annotated[
        Vocabulary[Annotated[Literal["taken"], "已接收"] | Annotated[Literal["not-taken"], "未接收"]],
        label("接收情况", "Taken over or not"),
    ]
    custodian: Annotated[Name | None, label("保管人", "Who keeps it")] = None
    place: Annotated[Line | None, label("存放地点", "Where it is kept")] = None
    differences: Annotated[Prose | None, label("与清单不符之处", "What differs from the list")] = None
    fail_reason: Annotated[Line | None, label("未接收原因", "Why it was not taken")] = None

    @model_validator(mode="after")
    def _somewhere(self) -> VehicleTaken:
        if self.status == "not-taken" and self.fail_reason is None:
            raise broken("fail-reason-required", at="/fail_reason")
        if self.status == "taken" and not (self.custodian and self.place):
            raise broken("custodian-required", at="/place" if self.custodian else "/custodian")
        return self


def _control_no(payload: VehicleHandover) -> str:
    return payload.control_no


VEHICLE_HANDOVER = ask(
    name="police.vehicle-handover.record",
    zh="车辆移交",
    en="Hand a stopped vehicle over",
    help_zh="公安机关把拦下的车辆移交法院时发出：清单、里程、车损、四张以上照片和双方签字。"
    "法院核对后答复保管人和存放地点，车辆自此由法院扣押保管。",
    help_en="The police hand a stopped vehicle over: list, odometer, damage, four photographs, both signatures. "
    "The court compares and answers who keeps it and where; from then on the vehicle is in the court's custody.",
    linkages=(Linkage(group=PEOPLE_AND_VEHICLES, row=10, zh="车辆移交", en="A vehicle is handed over"),),
    senders=frozenset({Kind.POLICE}),
    receivers=frozenset({Kind.COURT}),
    request=VehicleHandover,
    result_item=VehicleTaken,
    request_class=Classification.SENSITIVE,
    case_required=False,  # the control that it names knows its case
    alert_control_no=_control_no,
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "ref": "v5t9c2hb",
        "alert_no": "YJ6101990000001",
        "control_no": "BK6101990000001",
        "handed": ["car", "keys"],
        "odometer_km": 86420,
        "damage": "左前保险杠擦伤",
        "photos": ["1" * 64, "2" * 64, "3" * 64, "4" * 64],
        "place": "云川县公安局交警大队停车场（演示）",
        "handed_by": {
            "name": "赵演示",
            "unit": "云川县公安局交警大队（演示）",
            "badge": "061234",
            "signed_at": "2026-04-03T00:40:00+08:00",
        },
        "received_by": {
            "name": "李演示",
            "unit": "云川县人民法院（演示）",
            "badge": "陕0199-0007",
            "signed_at": "2026-04-03T00:42:00+08:00",
        },
        "signed_list": {
            "kind": "handover-list",
            "issued_on": "2026-04-03",
            "sha256": "5" * 64,
            "pages": 1,
            "media_type": "image/jpeg",
        },
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-03T01:30:00+08:00",
        "items": [
            {
                "ref": "v5t9c2hb",
                "status": "taken",
                "custodian": "云川县人民法院（演示）",
                "place": "云川县法院涉案车辆停放点（演示）",
            }
        ],
    },
)
