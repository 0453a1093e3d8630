"""Trade associations tell the court what their members did about a listed debtor 信用反馈 (docs/domain.md 2.8)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.matters.assoc.member_notice import ASSOCIATIONS, ListedDebtor
from schemas.parts.items import distinct

Step = Vocabulary[
    Annotated[Literal["contract-refused"], "拒绝签约"]
    | Annotated[Literal["deposit-asked"], "要求预付或担保"]
    | Annotated[Literal["credit-cut"], "压减授信、账期"]
    | Annotated[Literal["delisted"], "取消评优或会员资格"]
    | Annotated[Literal["reported"], "提供财产线索"]
    | Annotated[Literal["none"], "未采取措施"]
]


class CreditFeedback(Model):
    """About one entry of the list, named as the notice named it: never a number in full."""

    debtor: Annotated[ListedDebtor, label("失信被执行人", "The debtor, as in the notice")]
    notice_no: Annotated[RequestNo | None, label("会员通报编号", "Notice that it answers")] = None
    reported_on: Annotated[PastDay, label("反馈日期", "Reported on")]
    members: Annotated[int, label("采取措施的会员数", "Members that did something", ge=0, le=100_000)]
    steps: Annotated[
        list[Step],
        label("会员措施", "What they did", min_length=1, max_length=6),
        AfterValidator(distinct),
    ]
    reaction: Annotated[
        Vocabulary[
            Annotated[Literal["wants-to-perform"], "表示愿意履行"]
            | Annotated[Literal["contacted-court"], "已联系法院"]
            | Annotated[Literal["objects"], "提出异议"]
            | Annotated[Literal["none"], "无反应"]
        ],
        label("当事人反应", "What the debtor did then"),
    ]
    note: Annotated[Line | None, label("说明", "Note, without numbers of people")] = None

    @model_validator(mode="after")
    def _consistent(self) -> CreditFeedback:
        if "none" in self.steps and (len(self.steps) > 1 or self.members > 0):
            raise broken("nothing-done", at="/steps")
        if "none" not in self.steps and self.members == 0:
            raise broken("nobody-acted", at="/members")
        return self


CREDIT_FEEDBACK = notice(
    name="assoc.credit-feedback.report",
    zh="会员信用反馈",
    en="What members did about a listed debtor",
    help_zh="行业协会收到会员通报后，把会员采取的措施和当事人的反应告知法院：如拒绝签约、要求担保，当事人愿意履行或有异议。"
    "只用通报中的名称和隐去部分的证件号码。",
    help_en="After a notice to members an association tells the court what they did, as refusing a contract or asking "
    "for security, and whether the debtor now wants to perform or objects. Names and masked numbers only, as in the "
    "notice.",
    linkages=(ASSOCIATIONS,),
    senders=frozenset({Kind.ASSOCIATION}),
    receivers=frozenset({Kind.COURT}),
    request=CreditFeedback,
    request_class=Classification.SENSITIVE,  # how somebody's business partners treat them is nobody else's business
    case_required=False,  # an association is not told the case
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "debtor": {"ref": "q4w8n3zt", "name": "周样例", "card_no": "6101991985****1234"},
        "notice_no": "court-sn0199-20260302-900001",
        "reported_on": "2026-03-24",
        "members": 3,
        "steps": ["contract-refused", "deposit-asked"],
        "reaction": "wants-to-perform",
    },
)
