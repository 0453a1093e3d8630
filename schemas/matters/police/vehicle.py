"""Police · vehicles (docs/domain.md 2.4): finding one, and registering a seal on it.

Registering a seal (车籍查封) and stopping a car on the road (实车布控, `vehicle_road`) are two different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastMoment
from lianzhi.protocol.values import Line
from schemas.answers import NUMBER
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask
from schemas.linkages import PEOPLE_AND_VEHICLES, REMINDED, Linkage
from schemas.parts.debts import DebtReason, check_debt_reason
from schemas.parts.endings import original
from schemas.parts.items import ControlledItem, distinct
from schemas.values.identifiers import DivisionCode
from schemas.values.objects import Measure, Money, Person, Vehicle
from schemas.values.plates import is_protected
from schemas.values.terms import check_days, check_renewal, check_years

SEAL_YEARS = 2  # INT-485: movables at most two years
WINDOW_DAYS = 90
DEBTOR = "被执行人"


class CoercedVehicle(Vehicle):
    """A vehicle against which something is done: 使馆, 领馆, 军队 and 武警 plates are refused."""

    @field_validator("plate")
    @classmethod
    def _open_to_coercion(cls, value: str) -> str:
        if is_protected(value):
            raise broken("protected-plate")
        return value

    @field_validator("plate_kind")
    @classmethod
    def _kind_open_to_coercion(cls, value: str) -> str:
        if is_protected("", value):
            raise broken("protected-plate")
        return value


def vehicle_objects(vehicle: Vehicle) -> tuple[tuple[str, str], ...]:
    """The VIN identifies: a car keeps it when its plate changes, so a new plate cannot hide a live seal."""
    return ((vehicle.ref, f"vin:{vehicle.vin}"),)


def check_owner(owner: Person) -> None:
    """A third party's car is not the debtor's (SFK 2): another owner is liable only by a document that says so.

    Raises `third-party-owner`.
    """
    if owner.role != DEBTOR and owner.obligor_evidence is None:
        raise broken("third-party-owner", at="/vehicle/owner/obligor_evidence")


def check_rests_on(seal: Measure, end_on: str) -> None:
    if (seal.rank or 1) > 1:
        raise broken("seal-not-live", at="/seal/rank")
    if end_on > seal.end_on:
        raise broken("beyond-seal", at="/end_on")


TWO_PEOPLE = ApprovalRule(people=2)
RULING = {"enforcement-ruling": 1, "assistance-notice": 1}
VEHICLE_EXAMPLE: Mapping[str, Any] = {
    "ref": "v5t9c2hb",
    "plate": "陕A90001",
    "plate_kind": "02",
    "vin": "LSVAM4187C2184847",
    "engine_no": "YS900001",
    "brand": "演示牌",
    "color": "白",
    "owner": {
        "ref": "k7m2q9xa",
        "name": "王演示",
        "id_kind": "resident-id",
        "id_no": "610199199003071237",
        "role": "被执行人",
    },
}
SEAL_EXAMPLE: Mapping[str, Any] = {
    "measure_no": "YC-CF-900001",  # the register's number does as well as ours
    "start_on": "2026-03-01",
    "end_on": "2028-02-29",
}


# --- find a vehicle ---------------------------------------------------------------------------------------------


class VehicleLocateRequest(Model):
    vehicle: Annotated[CoercedVehicle, label("被查找车辆", "Which vehicle")]
    seal: Annotated[Measure, label("在用的车籍查封", "The live seal that it rests on")]
    start_on: Annotated[AnyDay, label("查找开始", "First day")]
    end_on: Annotated[AnyDay, label("查找截止", "Last day, at most 90 days on")]
    area: Annotated[
        list[DivisionCode], label("查找区域", "Divisions", min_length=1, max_length=20), AfterValidator(distinct)
    ]

    @model_validator(mode="after")
    def _window(self) -> VehicleLocateRequest:
        check_days(self.start_on, self.end_on, WINDOW_DAYS)
        check_rests_on(self.seal, self.end_on)
        return self


class LastSeen(Model):
    at: Annotated[PastMoment, label("时间", "When")]
    place: Annotated[Line, label("大致地点", "Coarse place")]
    direction: Annotated[Line | None, label("方向", "Direction")] = None


class VehicleLocateItem(Model):
    ref: Annotated[Ref, label("对象编号", "The vehicle")]
    last_seen: Annotated[list[LastSeen], label("踪迹", "Newest first; none is an answer", max_length=50)] = []


def _locate_measure(payload: VehicleLocateRequest) -> MeasureRule:
    return MeasureRule(
        "locate", "require", vehicle_objects(payload.vehicle), needs_live="seal", rests_on=payload.seal.measure_no
    )


VEHICLE_LOCATE = ask(
    name="police.vehicle-locate.request",
    zh="车辆查找",
    en="Find a vehicle",
    help_zh="查找已查封车辆的踪迹。须有在用的车籍查封，填写号牌、号牌种类和车架号，期限不超过 90 天，须两人审批。"
    "结果只发给承办法院系统，72 小时后销毁。",
    help_en="Where a sealed vehicle was seen. Needs a live seal, plate, kind of plate and VIN, at most 90 days, two "
    "approvals. The places go to the asking court's system only and are destroyed after 72 hours.",
    linkages=(
        Linkage(
            group=PEOPLE_AND_VEHICLES,
            row=6,
            zh="车辆查找",
            en="Find a vehicle",
            note=("结果最长保存 72 小时", "results are kept for 72 hours at most"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=VehicleLocateRequest,
    result_item=VehicleLocateItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.LOCATION,
    coercive=lambda _: True,
    approvals=lambda _: TWO_PEOPLE,
    documents=lambda _: RULING,
    measure=_locate_measure,
    subjects=lambda payload: vehicle_objects(payload.vehicle),
    break_glass=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    validity_days=90,
    example_request={
        "vehicle": VEHICLE_EXAMPLE,
        "seal": SEAL_EXAMPLE,
        "start_on": "2026-03-24",
        "end_on": "2026-06-20",
        "area": ["610199"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T14:50:00+08:00",
        "ttl_hours": 72,
        "items": [
            {
                "ref": "v5t9c2hb",
                "last_seen": [
                    {"at": "2026-03-25T08:12:00+08:00", "place": "演示区西环路一带", "direction": "由南向北"}
                ],
            }
        ],
    },
)


# --- register a seal ----------------------------------------------------------------------------------------------


class VehicleSealRequest(Model):
    """seal and queue: a term and the debt. renew: a term that joins on to the original. release: no term."""

    vehicle: Annotated[CoercedVehicle, label("车辆", "Which vehicle")]
    action: Annotated[
        Vocabulary[
            Annotated[Literal["seal"], "查封"]
            | Annotated[Literal["renew"], "续封"]
            | Annotated[Literal["release"], "解封"]
            | Annotated[Literal["queue"], "轮候"]
        ],
        label("办理事项", "Action"),
    ]
    start_on: Annotated[AnyDay | None, label("查封起始", "First day")] = None
    end_on: Annotated[AnyDay | None, label("查封到期", "Last day, at most two years on")] = None
    original: Annotated[Measure | None, label("原措施", "Seal that is renewed, released or queued behind")] = None
    debt_amount: Annotated[Money | None, label("债务数额", "Debt, against over-seizure")] = None
    debt_reason: Annotated[DebtReason | None, label("债务变更原因", "Why the debt is not the case's figure")] = None
    value: Annotated[Money | None, label("车辆估值", "What the vehicle is worth, as far as it is known")] = None

    @model_validator(mode="after")
    def _by_action(self) -> VehicleSealRequest:
        if self.action == "seal" and self.original is not None:
            raise broken("original-not-needed", at="/original")
        if self.action != "seal" and self.original is None:
            raise broken("original-required", at="/original")
        self._check_term()
        if self.action in ("seal", "queue"):
            if self.debt_amount is None:
                raise broken("debt-required", at="/debt_amount")
            check_owner(self.vehicle.owner)
        check_debt_reason(self.debt_amount, self.debt_reason)
        return self

    def _check_term(self) -> None:
        if self.action == "release":
            if self.start_on or self.end_on:
                raise broken("term-not-needed", at="/start_on" if self.start_on else "/end_on")
            return
        if not (self.start_on and self.end_on):
            raise broken("term-required", at="/end_on" if self.start_on else "/start_on")
        check_years(self.start_on, self.end_on, SEAL_YEARS)
        if self.action == "renew" and self.original:
            check_renewal(self.original, self.start_on, self.end_on)


_SEAL_EFFECTS = {"seal": "open", "queue": "queue", "renew": "renew", "release": "end"}


def _seal_measure(payload: VehicleSealRequest) -> MeasureRule:
    effect = _SEAL_EFFECTS[payload.action]
    named = payload.original.measure_no if payload.original and effect in ("renew", "end") else None
    return MeasureRule(
        "seal",
        effect,
        vehicle_objects(payload.vehicle),
        measure_no=named,
        start_on=payload.start_on,
        end_on=payload.end_on,
        current_end_on=payload.original.end_on if payload.original and effect == "renew" else None,
        values=(payload.value,) if effect in ("open", "queue") else (),
        debt=payload.debt_amount,
        debt_reason=payload.debt_reason,
    )


def _papers(payload: VehicleSealRequest) -> Mapping[str, int]:
    """The ruling that sealed does not release (SFK 28)."""
    return {"assistance-notice": 1} if payload.action == "release" else RULING


def _done_states(payload: VehicleSealRequest) -> tuple[str, ...]:
    return () if payload.action == "release" else (NUMBER,)


def _released(payload: VehicleSealRequest, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return {"vehicle": payload.vehicle.canonical(), "action": "release", "original": original(measure)}


VEHICLE_SEAL = ask(
    name="police.vehicle-seal.request",
    zh="车籍查封",
    en="Seal a vehicle in the register",
    help_zh="在车辆登记中查封、续封、解封或轮候查封。附执行裁定书和协助执行通知书，解封附解除裁定书；查封不超过二年，"
    "续封须在到期前办理并写明原措施。办结须写明登记编号。查封不等于上路布控。",
    help_en="Registers, renews, releases or queues a seal. With the ruling and the notice, a release with the ruling "
    "that releases; at most two years; a renewal names the original and comes before it ends. What is done has its "
    "registry number. A seal does not stop the car on the road.",
    linkages=(
        Linkage(
            group=PEOPLE_AND_VEHICLES,
            row=7,
            zh="车籍查封、续封、解封、轮候",
            en="Seal a vehicle's registration",
            ledger="measure-ending",
            note=REMINDED,
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=VehicleSealRequest,
    result_item=ControlledItem,
    request_class=Classification.SENSITIVE,
    coercive=lambda _: True,
    documents=_papers,
    ends=lambda payload: "seal" if payload.action == "release" else None,
    measure=_seal_measure,
    done_states=_done_states,
    ending=_released,
    ended_by="police.vehicle-seal.request",
    objection_pauses=True,  # NET 6, 10
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "vehicle": VEHICLE_EXAMPLE,
        "action": "seal",
        "start_on": "2026-03-24",
        "end_on": "2028-03-23",
        "debt_amount": "128000.00",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T16:00:00+08:00",
        "items": [
            {
                "ref": "v5t9c2hb",
                "status": "done",
                "rank": 1,
                "start_on": "2026-03-24",
                "end_on": "2028-03-23",
                "registry_no": "YC-CF-900001",
            }
        ],
    },
)
