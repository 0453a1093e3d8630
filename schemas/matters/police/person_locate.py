"""Police · people (docs/domain.md 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.times import PastMoment
from lianzhi.protocol.values import Line
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import PEOPLE_AND_VEHICLES, Linkage
from schemas.values.identifiers import Phone
from schemas.values.objects import Person
from schemas.values.people import person_objects

LocateReason = Vocabulary[
    Annotated[Literal["missing-after-summons"], "传唤未到"]
    | Annotated[Literal["detention-order"], "拘留决定"]
    | Annotated[Literal["compelled-appearance"], "拘传"]
    | Annotated[Literal["enforce-act"], "具体执行行为"]
]


class LocateRequest(Model):
    """The person must be identified by number: a name alone finds namesakes."""

    person: Annotated[Person, label("被查找人", "Whom to find")]
    reason: Annotated[LocateReason, label("协助事由", "Why")]
    hints: Annotated[list[Line], label("线索", "Where the person may be", max_length=20)] = []
    validity_days: Annotated[int, label("查找期限（天）", "For how many days, 1 to 30", ge=1, le=30)]
    contact_24h: Annotated[Phone, label("24 小时联系电话", "Telephone that answers day and night")]


class Sighting(Model):
    seen_at: Annotated[PastMoment, label("发现时间", "When")]
    precision: Annotated[
        Vocabulary[
            Annotated[Literal["city"], "城市"]
            | Annotated[Literal["street"], "街道"]
            | Annotated[Literal["address"], "门牌"]
        ],
        label("精度", "How exact the place is"),
    ]
    place: Annotated[Line, label("地点", "Place")]
    confidence: Annotated[
        Vocabulary[
            Annotated[Literal["low"], "低"] | Annotated[Literal["medium"], "中"] | Annotated[Literal["high"], "高"]
        ],
        label("可信度", "Confidence"),
    ]


class LocateItem(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    sightings: Annotated[
        list[Sighting], label("踪迹", "Sightings, newest first; none is an answer", max_length=50)
    ] = []


_PAPERS: Mapping[str, Mapping[str, int]] = {
    "missing-after-summons": {"summons-proof": 1},
    "compelled-appearance": {"summons-proof": 1, "compelled-appearance-writ": 1},
    "detention-order": {"detention-decision": 1},
    "enforce-act": {"enforcement-ruling": 1},
}


def _documents(payload: LocateRequest) -> Mapping[str, int]:
    """The evidence of the summons, or the decision that the search serves."""
    return _PAPERS[payload.reason]


def _approvals(payload: LocateRequest) -> ApprovalRule:
    """Two people; detention and compelled appearance are the president's to approve (docs/domain.md section 4)."""
    by_president = payload.reason in ("detention-order", "compelled-appearance")
    return ApprovalRule(people=2, roles=("president",) if by_president else ())


PERSON_LOCATE = ask(
    name="police.person-locate.request",
    zh="协助查找下落",
    en="Help to find a person",
    help_zh="被执行人经传唤未到、已决定拘留或拘传而下落不明时，请公安机关协助查找。必须填写证件号码并附传唤或决定文书，"
    "须两人审批。查找结果只发给承办法院系统，72 小时后销毁。",
    help_en="When a party did not come though summoned, or is to be detained or brought, and cannot be found. Needs "
    "the ID number, the proof of the summons or the decision, and two approvals. The place is sent to the asking "
    "court's system only and destroyed after 72 hours.",
    linkages=(
        Linkage(
            group=PEOPLE_AND_VEHICLES,
            row=2,
            zh="查找下落",
            en="Find a person",
            note=("结果最长保存 72 小时", "results are kept for 72 hours at most"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=LocateRequest,
    result_item=LocateItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.LOCATION,
    coercive=lambda _: True,
    approvals=_approvals,
    documents=_documents,
    subjects=lambda payload: person_objects(payload.person),
    break_glass=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    validity_days=30,
    example_request={
        "person": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "sex": "male",
            "birth_date": "1990-03-07",
            "role": "被执行人",
        },
        "reason": "missing-after-summons",
        "hints": ["常在演示区东街一带"],
        "validity_days": 15,
        "contact_24h": "13800138000",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T14:50:00+08:00",
        "ttl_hours": 72,
        "items": [
            {
                "ref": "k7m2q9xa",
                "sightings": [
                    {
                        "seen_at": "2026-03-25T14:20:00+08:00",
                        "precision": "street",
                        "place": "演示区东街",
                        "confidence": "high",
                    }
                ],
            }
        ],
    },
)
