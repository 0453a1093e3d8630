"""Police · what is on file about a person (docs/domain.md 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay, PastMoment
from lianzhi.protocol.values import Line
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import PEOPLE_AND_VEHICLES, Linkage
from schemas.parts.items import Found, distinct
from schemas.values.identifiers import Plate, Vin
from schemas.values.objects import Need, PlateKind
from schemas.values.people import NaturalPerson, person_objects
from schemas.values.terms import check_months

WINDOW_MONTHS = 12  # [D] docs/domain.md 2.3

Scope = Vocabulary[
    Annotated[Literal["identity"], "户籍身份"]
    | Annotated[Literal["exit-entry"], "出入境"]
    | Annotated[Literal["hotel"], "旅馆住宿"]
    | Annotated[Literal["vehicle"], "名下车辆"]
]


class PersonInfoQuery(Model):
    """Only the scopes that the act at hand needs, for only so long, and why."""

    person: Annotated[NaturalPerson, label("被查询人", "About whom")]
    scopes: Annotated[
        list[Scope],
        label("查询范围", "What to look up", min_length=1, max_length=4),
        AfterValidator(distinct),
    ]
    start_on: Annotated[PastDay, label("查询起始", "First day of the records")]
    end_on: Annotated[PastDay, label("查询截止", "Last day of the records, at most 12 months on")]
    need: Annotated[Need, label("查询必要性", "Why this is needed, 10 to 500 characters")]

    @model_validator(mode="after")
    def _window(self) -> PersonInfoQuery:
        check_months(self.start_on, self.end_on, WINDOW_MONTHS)
        return self


# --- answers, one for each scope ----------------------------------------------------------------------------------


class IdentityRecord(Model):
    name: Annotated[Line, label("姓名", "Name")]
    former_name: Annotated[Line | None, label("曾用名", "Former name")] = None
    registered_at: Annotated[Line | None, label("户籍地址", "Registered address")] = None
    lives_at: Annotated[Line | None, label("居住地址", "Address of residence")] = None
    state: Annotated[
        Vocabulary[
            Annotated[Literal["registered"], "正常"]
            | Annotated[Literal["moved"], "已迁出"]
            | Annotated[Literal["cancelled"], "已注销"]
            | Annotated[Literal["deceased"], "已死亡"]
        ],
        label(
            "户籍状态",
            "State of the registration",
        ),
    ]


class CrossingRecord(Model):
    crossed_at: Annotated[PastMoment, label("出入境时间", "When")]
    way: Annotated[
        Vocabulary[Annotated[Literal["out"], "出境"] | Annotated[Literal["in"], "入境"]], label("方向", "Out or in")
    ]
    port: Annotated[Line, label("口岸", "Port")]
    towards: Annotated[Line | None, label("前往或来自", "Where to, or from")] = None


class StayRecord(Model):
    hotel: Annotated[Line, label("旅馆", "Hotel")]
    address: Annotated[Line, label("旅馆地址", "Address of the hotel")]
    checked_in_at: Annotated[PastMoment, label("入住时间", "Checked in")]
    checked_out_at: Annotated[PastMoment | None, label("退房时间", "Checked out; absent: still there")] = None


class OwnedVehicle(Model):
    plate: Annotated[Plate, label("号牌号码", "Licence plate")]
    plate_kind: Annotated[PlateKind, label("号牌种类", "Kind of plate, GA/T 16.7")]
    vin: Annotated[Vin | None, label("车架号", "Vehicle identification number")] = None
    brand: Annotated[Line | None, label("品牌型号", "Brand and model")] = None


class _Answer(Model):
    """Nothing on file is an answer, and so is a denial with its reason."""

    scope: Scope
    status: Annotated[Found, label("查询结果", "What was found")]
    as_of: Annotated[PastMoment, label("数据时间", "State of the records")]
    denied_reason: Annotated[Line | None, label("不予提供原因", "Why it is denied")] = None
    records: Sequence[Any]

    @model_validator(mode="after")
    def _consistent(self) -> _Answer:
        if self.status == "found" and not self.records:
            raise broken("records-missing", at="/records")
        if self.status != "found" and self.records:
            raise broken("records-not-needed", at="/records")
        if self.status == "denied" and self.denied_reason is None:
            raise broken("denied-reason-required", at="/denied_reason")
        return self


class IdentityAnswer(_Answer):
    scope: Annotated[Vocabulary[Annotated[Literal["identity"], "户籍身份"]], label("查询范围", "Registration")]
    records: Annotated[list[IdentityRecord], label("记录", "Records", max_length=20)] = []


class CrossingAnswer(_Answer):
    scope: Annotated[Vocabulary[Annotated[Literal["exit-entry"], "出入境"]], label("查询范围", "Border crossings")]
    records: Annotated[list[CrossingRecord], label("记录", "Records, newest first", max_length=500)] = []


class StayAnswer(_Answer):
    scope: Annotated[Vocabulary[Annotated[Literal["hotel"], "旅馆住宿"]], label("查询范围", "Stays in hotels")]
    records: Annotated[list[StayRecord], label("记录", "Records, newest first", max_length=500)] = []


class VehicleAnswer(_Answer):
    scope: Annotated[Vocabulary[Annotated[Literal["vehicle"], "名下车辆"]], label("查询范围", "Vehicles")]
    records: Annotated[list[OwnedVehicle], label("记录", "Records", max_length=100)] = []


Answer = Annotated[
    IdentityAnswer | CrossingAnswer | StayAnswer | VehicleAnswer,
    Field(discriminator="scope"),
]


def _one_each(answers: list[Any]) -> list[Any]:
    scopes = [answer.scope for answer in answers]
    for index, scope in enumerate(scopes):
        if scope in scopes[:index]:
            raise broken("duplicate-value", at=f"/{index}/scope")
    return answers


class PersonInfoItem(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    answers: Annotated[
        list[Answer],
        label("各项结果", "One answer for each scope asked", min_length=1, max_length=4),
        AfterValidator(_one_each),
    ]


def _documents(_: PersonInfoQuery) -> Mapping[str, int]:
    return {"inquiry-notice": 1}


PERSON_INFO = ask(
    name="police.person-info.query",
    zh="人员信息查询",
    en="Look up a person",
    help_zh="查询被执行人的户籍、出入境、旅馆住宿和名下车辆。只勾选办案需要的范围，期间不超过 12 个月，写明必要性，"
    "附协助查询通知书，由起草人以外一人审批。结果含行踪，只发给承办法院系统，72 小时后销毁；查无记录也是答复。",
    help_en="Registration, border crossings, hotel stays and vehicles of a party. Tick only what is needed, at most 12 "
    "months, say why; with the notice of inquiry and the approval of somebody other than the drafter. The answer tells "
    "movements: it goes to the asking court's system only and is destroyed after 72 hours. Nothing found is an answer.",
    linkages=(Linkage(group=PEOPLE_AND_VEHICLES, row=1, zh="人员信息查询", en="Information on a person"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=PersonInfoQuery,
    result_item=PersonInfoItem,
    # Hotels and borders tell where somebody is or was (PIPL 28 行踪轨迹): protected as a sighting is.
    request_class=Classification.SENSITIVE,
    result_class=Classification.LOCATION,
    coercive=lambda _: True,  # intrudes on privacy: signed, and in an enforcement case only
    approvals=lambda _: ApprovalRule(people=1),
    documents=_documents,
    subjects=lambda payload: person_objects(payload.person),
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "person": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "scopes": ["identity", "hotel"],
        "start_on": "2025-09-24",
        "end_on": "2026-03-24",
        "need": "被执行人两次传唤未到，须核实户籍地址和近期住宿以便送达和传唤",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T09:30:00+08:00",
        "ttl_hours": 72,
        "items": [
            {
                "ref": "k7m2q9xa",
                "answers": [
                    {
                        "scope": "identity",
                        "status": "found",
                        "as_of": "2026-03-25T09:00:00+08:00",
                        "records": [
                            {"name": "王演示", "registered_at": "云川县演示区东街1号（演示）", "state": "registered"}
                        ],
                    },
                    {"scope": "hotel", "status": "none", "as_of": "2026-03-25T09:00:00+08:00"},
                ],
            }
        ],
    },
)
