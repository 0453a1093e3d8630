"""Limits on consumption 限制消费 (docs/domain.md 2.9): publishing, lifting, and letting one journey pass.

法释〔2015〕17号; the exemption: 法发〔2019〕35号 [H]. Recipients get the public copy, as in `sanction_dishonest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationInfo, model_validator

from lianzhi.protocol.base import Model, Vocabulary, accepted_before, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.times import AnyDay, ComingDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, FixedBy, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask, ending_of
from schemas.law.circles import LIMITED, check_circle, circle
from schemas.law.signatures import signed_by
from schemas.linkages import SANCTIONS, WHOLE_GROUP, Linkage
from schemas.matters.sanction.dishonest import DEBTOR_EXAMPLE, RECIPIENTS
from schemas.matters.sanction.listing import (
    PublishedItem,
    RecipientItem,
    check_public_number,
    check_representative,
    listed,
)
from schemas.parts.endings import LIFTED, delisted
from schemas.parts.items import distinct
from schemas.values.objects import MeasureNo, Person
from schemas.values.people import NaturalPerson, check_adult
from schemas.values.terms import check_months

EXEMPT_MONTHS = 1  # [H] 法发〔2019〕35号
LIFT_DAYS = 3  # [H] working days
ACTION = "consumption-limit"

Ground = Vocabulary[
    Annotated[Literal["not-performed"], "未按执行通知书指定的期间履行"]
    | Annotated[Literal["dishonest"], "已纳入失信被执行人名单"]
    | Annotated[Literal["false-property-report"], "违反财产报告制度"]
    | Annotated[Literal["other"], "其他"]
]
CONSUMPTION_LIMIT = Linkage(
    group=SANCTIONS, row=4, zh="限制消费", en="Limits on consumption", ledger="measure-ending", note=WHOLE_GROUP
)


class ConsumptionLimitPublish(Model):
    """One debtor each: an organisation and its representative (role 法定代表人) are two requests."""

    debtor: Annotated[Person, label("被限制消费人", "Whose consumption is limited")]
    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public list shows it")]
    business_entity: Annotated[Name | None, label("法定代表人或负责人", "Legal representative")] = None
    ground: Annotated[Ground, label("限制事由", "Why")]
    order_no: Annotated[Line, label("限制消费令文号", "Number of the order")]
    filed_on: Annotated[PastDay, label("立案日期", "Filed on")]
    publish_on: Annotated[AnyDay, label("发布日期", "Published on")]

    @model_validator(mode="after")
    def _public_copy(self, info: ValidationInfo) -> ConsumptionLimitPublish:
        if not accepted_before(info):
            self._may_be_limited()
        check_public_number(self.debtor, self.card_no)
        check_representative(self.debtor, self.business_entity)
        return self

    def _may_be_limited(self) -> None:
        check_circle(self.debtor, LIMITED, self.publish_on, at="/debtor")
        if not circle(LIMITED, self.publish_on).minors:
            check_adult(self.debtor, self.publish_on, at="/debtor", rule="minor-limited")


def _publish_measure(payload: ConsumptionLimitPublish) -> MeasureRule:
    return listed(ACTION, "open", payload.debtor, start_on=payload.publish_on, blocked_by="grace")


def _lifted(payload: ConsumptionLimitPublish, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return delisted(payload.debtor, payload.card_no, measure, reason, LIFTED)


CONSUMPTION_PUBLISH = ask(
    name="sanction.consumption-limit.publish",
    zh="限制消费发布",
    en="Publish a limit on consumption",
    help_zh="向各单位发布限制消费令，一单位一件，逐家回执。单位及其法定代表人分别发布；公布件身份证号隐去中间部分；"
    "对象为被执行人、单位的法定代表人、主要负责人、影响债务履行的直接责任人员和实际控制人，未成年人除外（本产品的理解）。"
    "宽限期内不得发布。附限制消费令，由院长签发。",
    help_en="Publishes the order to each recipient, one request each. An organisation and its representative are "
    "published apart, as are those in charge, the controller and who is directly responsible; nobody under 18 (our "
    "reading); the public copy masks the ID; not during a grace. With the order, which the president approves.",
    linkages=(CONSUMPTION_LIMIT,),
    senders=frozenset({Kind.COURT}),
    receivers=RECIPIENTS,
    request=ConsumptionLimitPublish,
    result_item=PublishedItem,
    request_class=Classification.PUBLIC,
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda payload: signed_by("sanction.consumption-limit.publish", payload.publish_on),
    documents=lambda _: {"consumption-order": 1},
    measure=_publish_measure,
    ending=_lifted,
    ended_by="sanction.consumption-limit.lift",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "card_no": "6101991985****1232",
        "ground": "not-performed",
        "order_no": "（2026）陕0199执900003号",
        "filed_on": "2026-01-12",
        "publish_on": "2026-05-12",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-12T16:00:00+08:00",
        "items": [
            {
                "ref": "q4w8n3zt",
                "status": "done",
                "done_at": "2026-05-12T15:30:00+08:00",
                "registry_no": "XX-900001",
            }
        ],
    },
)


# --- no longer ----------------------------------------------------------------------------------------------------

LiftReason = Vocabulary[
    Annotated[Literal["performed"], "已履行完毕"]
    | Annotated[Literal["guaranteed"], "已提供充分有效担保"]
    | Annotated[Literal["applicant-agrees"], "申请执行人同意解除"]
    | Annotated[Literal["replaced"], "已不再是法定代表人或负责人"]
    | Annotated[Literal["ended"], "裁定终结执行"]
    | Annotated[Literal["wrong"], "不应限制"]
    | Annotated[Literal["other"], "其他"]
]


class ConsumptionLimitLift(Model):
    """With the order that lifts it; wants no approval: who has paid must not stay limited."""

    debtor: Annotated[Person, label("被限制消费人", "Whose consumption is limited")]
    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public list shows it")]
    published_no: Annotated[MeasureNo, label("原发布编号", "Group or request number of the publication")]
    reason: Annotated[LiftReason, label("解除原因", "Why it is lifted")]
    decided_on: Annotated[PastDay, label("决定日期", "Decided on")]
    note: Annotated[Line | None, label("说明", "Explanation")] = None

    @model_validator(mode="after")
    def _same_debtor(self) -> ConsumptionLimitLift:
        check_public_number(self.debtor, self.card_no)
        return self


CONSUMPTION_LIFT = ending_of(
    CONSUMPTION_PUBLISH,
    zh="限制消费解除",
    en="Lift a limit on consumption",
    help_zh=f"解除限制消费，附解除限制消费令，{LIFT_DAYS} 个工作日内办结。"
    "须发给当初发布的每一家单位，全部回执后方告完成。",
    help_en=f"Lifts the limit within {LIFT_DAYS} working days, with the order that lifts it. It goes to every "
    "recipient of the publication and is complete only when each has answered.",
    request=ConsumptionLimitLift,
    result_item=RecipientItem,
    request_class=Classification.INTERNAL,
    measure=lambda payload: listed(ACTION, "end", payload.debtor, payload.published_no),
    deadline=Deadline(DeadlineKind.WORKING_DAYS, LIFT_DAYS),
    fixed_by=FixedBy("FAFA-2019-35", reading=True),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "card_no": "6101991985****1232",
        "published_no": "court-sn0199-20260512-000041",
        "reason": "performed",
        "decided_on": "2026-06-01",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-06-02T10:00:00+08:00",
        "items": [{"ref": "q4w8n3zt", "status": "done", "done_at": "2026-06-02T09:40:00+08:00"}],
    },
)


# --- for a while --------------------------------------------------------------------------------------------------

ExemptReason = Vocabulary[
    Annotated[Literal["medical"], "本人或近亲属重大疾病就医"]
    | Annotated[Literal["funeral"], "近亲属丧葬"]
    | Annotated[Literal["official-duty"], "执行或配合执行公务"]
    | Annotated[Literal["foreign-affairs"], "参加外事活动"]
    | Annotated[Literal["examination"], "参加重要考试"]
]


class ConsumptionLimitExempt(Model):
    """Only by aeroplane or fast train, only for a named need; the limit itself stays."""

    debtor: Annotated[NaturalPerson, label("被限制消费人", "Who may travel")]
    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public list shows it")]
    published_no: Annotated[MeasureNo, label("原发布编号", "Group or request number of the publication")]
    reason: Annotated[ExemptReason, label("暂时解除事由", "Why")]
    transport: Annotated[
        list[Vocabulary[Annotated[Literal["flight"], "飞机"] | Annotated[Literal["high-speed-rail"], "高铁动车"]]],
        label("交通工具", "By what", min_length=1, max_length=2),
        AfterValidator(distinct),
    ]
    start_on: Annotated[AnyDay, label("起始日期", "First day")]
    end_on: Annotated[ComingDay, label("截止日期", "Last day, at most one month on")]
    note: Annotated[Prose | None, label("说明", "Explanation")] = None

    @model_validator(mode="after")
    def _short(self) -> ConsumptionLimitExempt:
        check_public_number(self.debtor, self.card_no)
        check_months(self.start_on, self.end_on, EXEMPT_MONTHS)
        return self


CONSUMPTION_EXEMPT = ask(
    name="sanction.consumption-limit.exempt",
    zh="限制消费暂时解除",
    en="Exempt from a limit on consumption",
    help_zh="因就医、奔丧、公务、外事或重要考试急需出行的，暂时解除乘坐飞机、高铁的限制，最长一个月，期满自动恢复。"
    "附决定书，须院长批准。",
    help_en="For medical care, a funeral, official duty, foreign affairs or an examination: aeroplane and fast train "
    "are allowed for at most one month, then the limit is back. With the decision and the president's approval.",
    linkages=(CONSUMPTION_LIMIT,),
    senders=frozenset({Kind.COURT}),
    receivers=RECIPIENTS,
    request=ConsumptionLimitExempt,
    result_item=RecipientItem,
    request_class=Classification.SENSITIVE,  # the reason may be an illness
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda _: ApprovalRule(people=1, roles=("president",)),
    documents=lambda _: {"exemption-decision": 1},
    measure=lambda payload: listed(ACTION, "require", payload.debtor, needs_live=ACTION),
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 1),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "card_no": "6101991985****1232",
        "published_no": "court-sn0199-20260512-000041",
        "reason": "medical",
        "transport": ["high-speed-rail"],
        "start_on": "2026-05-20",
        "end_on": "2026-06-05",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-19T17:00:00+08:00",
        "items": [{"ref": "q4w8n3zt", "status": "done", "done_at": "2026-05-19T16:40:00+08:00"}],
    },
)
