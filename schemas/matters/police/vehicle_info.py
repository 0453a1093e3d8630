"""Police · what the register says about a vehicle, or about somebody's vehicles (docs/domain.md 2.4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastDay
from lianzhi.protocol.values import Line
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import PEOPLE_AND_VEHICLES, Linkage
from schemas.parts.items import Found
from schemas.values.identifiers import Plate, QuotedCaseNo, Vin
from schemas.values.objects import Need, Person, PlateKind
from schemas.values.people import person_objects
from schemas.values.plates import fits_kind
from schemas.values.terms import check_order


class NamedVehicle(Model):
    """Its plate will do: the VIN and the owner are what is asked for."""

    ref: Annotated[Ref, label("对象编号", "Reference of this vehicle within the request")]
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7")]
    vin: Annotated[Vin | None, label("车架号", "Vehicle identification number")] = None

    @field_validator("plate_kind")
    @classmethod
    def _kind(cls, value: str, info: ValidationInfo) -> str:
        plate = info.data.get("plate")
        if plate and not fits_kind(plate, value):
            raise broken("plate-kind-mismatch")
        return value


class VehicleInfoQuery(Model):
    """Either a vehicle or an owner."""

    vehicle: Annotated[NamedVehicle | None, label("被查询车辆", "Which vehicle")] = None
    owner: Annotated[Person | None, label("被查询人", "Whose vehicles")] = None
    need: Annotated[Need, label("查询必要性", "Why this is needed, 10 to 500 characters")]

    @model_validator(mode="after")
    def _one_subject(self) -> VehicleInfoQuery:
        if (self.vehicle is None) == (self.owner is None):
            raise broken("vehicle-or-owner", at="/vehicle" if self.vehicle is None else "/owner")
        return self


# --- what the register says ---------------------------------------------------------------------------------------


class RegisteredSeal(Model):
    """One seal in the register, whoever's it is: the first is rank 1, the rest wait."""

    court: Annotated[Line, label("查封法院", "Court")]
    case_no: Annotated[QuotedCaseNo, label("查封案号", "Case number")]
    rank: Annotated[int, label("顺位", "1 = 首封, n = 轮候", ge=1, le=999)]
    start_on: Annotated[AnyDay, label("起始日期", "First day")]
    end_on: Annotated[AnyDay, label("到期日期", "Last day")]

    @model_validator(mode="after")
    def _order(self) -> RegisteredSeal:
        check_order(self.start_on, self.end_on)
        return self


State = Vocabulary[
    Annotated[Literal["normal"], "正常"]
    | Annotated[Literal["sealed"], "查封"]
    | Annotated[Literal["mortgaged"], "抵押"]
    | Annotated[Literal["overdue-inspection"], "逾期未检验"]
    | Annotated[Literal["scrapped"], "达到报废标准"]
    | Annotated[Literal["cancelled"], "已注销"]
    | Annotated[Literal["stolen"], "被盗抢"]
    | Annotated[Literal["other"], "其他"]
]


class RegisteredVehicle(Model):
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7")]
    vin: Annotated[Vin, label("车架号", "Vehicle identification number")]
    engine_no: Annotated[Line | None, label("发动机号", "Engine number")] = None
    brand: Annotated[Line | None, label("品牌型号", "Brand and model")] = None
    color: Annotated[Line | None, label("车身颜色", "Colour")] = None
    owner_name: Annotated[Line, label("登记所有人", "Registered owner")]
    owner_id_no: Annotated[Line | None, label("所有人证件号码", "The owner's ID number")] = None
    registered_on: Annotated[PastDay, label("登记日期", "Registered on")]
    states: Annotated[list[State], label("机动车状态", "State", min_length=1, max_length=8)]
    mortgagee: Annotated[Line | None, label("抵押权人", "To whom it is mortgaged")] = None
    seals: Annotated[list[RegisteredSeal], label("查封情况", "Seals by rank", max_length=50)] = []


class VehicleInfoItem(Model):
    """ref: the vehicle, or the owner whose vehicles these are. None found is an answer."""

    ref: Annotated[Ref, label("对象编号", "The vehicle or the owner")]
    status: Annotated[Found, label("查询结果", "What was found")]
    denied_reason: Annotated[Line | None, label("不予提供原因", "Why it is denied")] = None
    vehicles: Annotated[list[RegisteredVehicle], label("车辆", "Vehicles", max_length=100)] = []

    @model_validator(mode="after")
    def _consistent(self) -> VehicleInfoItem:
        if self.status == "found" and not self.vehicles:
            raise broken("records-missing", at="/vehicles")
        if self.status != "found" and self.vehicles:
            raise broken("records-not-needed", at="/vehicles")
        if self.status == "denied" and self.denied_reason is None:
            raise broken("denied-reason-required", at="/denied_reason")
        return self


def _subjects(payload: VehicleInfoQuery) -> tuple[tuple[str, str], ...]:
    if payload.vehicle is not None:
        return ((payload.vehicle.ref, f"plate:{payload.vehicle.plate_kind}:{payload.vehicle.plate}"),)
    return person_objects(payload.owner) if payload.owner is not None else ()


VEHICLE_INFO = ask(
    name="police.vehicle-info.query",
    zh="车辆信息查询",
    en="Look up a vehicle",
    help_zh="按号牌查一辆车，或按被执行人查其名下车辆，两者选一，写明必要性，附协助查询通知书。"
    "答复列明登记人、状态、抵押和各顺位查封；查封前先查，以免查封案外人车辆。",
    help_en="One vehicle by its plate, or the vehicles of a party: give either, say why, attach the notice of inquiry. "
    "The answer has owner, state, mortgage and every seal by rank. Look before sealing, to spare a third party's car.",
    linkages=(Linkage(group=PEOPLE_AND_VEHICLES, row=5, zh="车辆信息查询", en="Information on a vehicle"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=VehicleInfoQuery,
    result_item=VehicleInfoItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda _: {"inquiry-notice": 1},
    subjects=_subjects,
    objection_pauses=True,  # NET 6, 10
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "vehicle": {"ref": "v5t9c2hb", "plate": "陕A90001", "plate_kind": "02"},
        "need": "被执行人名下车辆拟查封，须核实登记人和已有查封",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-24T10:10:00+08:00",
        "items": [
            {
                "ref": "v5t9c2hb",
                "status": "found",
                "vehicles": [
                    {
                        "plate": "陕A90001",
                        "plate_kind": "02",
                        "vin": "LSVAM4187C2184847",
                        "brand": "演示牌",
                        "color": "白",
                        "owner_name": "王演示",
                        "owner_id_no": "610199199003071237",
                        "registered_on": "2021-05-18",
                        "states": ["sealed"],
                        "seals": [
                            {
                                "court": "云川县人民法院（演示）",
                                "case_no": "（2026）陕0199执900001号",
                                "rank": 1,
                                "start_on": "2026-03-01",
                                "end_on": "2028-02-29",
                            }
                        ],
                    }
                ],
            }
        ],
    },
)
