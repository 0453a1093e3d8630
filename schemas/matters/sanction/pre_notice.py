"""Before a sanction (docs/domain.md 2.9): the debtor is warned. It is not public."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingDay, PastDay, PastMoment
from lianzhi.protocol.values import Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import SANCTIONS, Linkage
from schemas.matters.assoc.member_notice import Disruption
from schemas.parts.items import distinct
from schemas.values.identifiers import Phone
from schemas.values.objects import Address, Person
from schemas.values.terms import days_between

REPLY_DAYS = 3  # [D] between the notice and the last day to reply

Intended = Vocabulary[
    Annotated[Literal["dishonest"], "纳入失信名单"]
    | Annotated[Literal["consumption-limit"], "限制消费"]
    | Annotated[Literal["exit-restrict"], "限制出境"]
]


class PreNotice(Model):
    debtor: Annotated[Person, label("被告知人", "Who is warned")]
    intended: Annotated[
        list[Intended],
        label("拟采取的惩戒", "What will follow", min_length=1, max_length=3),
        AfterValidator(distinct),
    ]
    grounds: Annotated[
        list[Disruption],
        label("事由", "What the debtor did", min_length=1, max_length=6),
        AfterValidator(distinct),
    ]
    obligation: Annotated[Prose, label("应履行的义务", "What is still owed")]
    issued_on: Annotated[PastDay, label("告知日期", "Issued on")]
    reply_by: Annotated[ComingDay, label("答复期限", "Last day to perform or reply")]
    address: Annotated[Address | None, label("送达地址", "Where to serve it")] = None
    phone: Annotated[Phone | None, label("联系电话", "The debtor's telephone")] = None

    @model_validator(mode="after")
    def _time_to_reply(self) -> PreNotice:
        if days_between(self.issued_on, self.reply_by) < REPLY_DAYS:
            raise broken("reply-too-soon", at="/reply_by", least=REPLY_DAYS)
        return self


Method = Vocabulary[
    Annotated[Literal["direct"], "直接送达"]
    | Annotated[Literal["retained"], "留置送达"]
    | Annotated[Literal["post"], "邮寄送达"]
    | Annotated[Literal["electronic"], "电子送达"]
    | Annotated[Literal["failed"], "未送达"]
]
Reply = Vocabulary[
    Annotated[Literal["performed"], "已履行"]
    | Annotated[Literal["promised"], "承诺履行"]
    | Annotated[Literal["objects"], "提出异议"]
    | Annotated[Literal["none"], "未答复"]
]


class PreNoticeItem(Model):
    """Proof of service, and what the debtor said to it."""

    ref: Annotated[Ref, label("对象编号", "The debtor")]
    method: Annotated[Method, label("送达方式", "How it was served")]
    served_at: Annotated[PastMoment | None, label("送达时间", "When")] = None
    proof: Annotated[Sha256 | None, label("送达凭证", "Picture of the proof, by digest")] = None
    reply: Annotated[Reply | None, label("答复", "What the debtor answered")] = None
    statement: Annotated[Prose | None, label("答复内容", "In the debtor's words")] = None

    @model_validator(mode="after")
    def _proved(self) -> PreNoticeItem:
        if self.method != "failed":
            for member in ("served_at", "proof"):
                if getattr(self, member) is None:
                    raise broken("service-proof-required", at=f"/{member}")
        return self


PRE_NOTICE = ask(
    name="sanction.pre-notice.issue",
    zh="预惩戒告知",
    en="Warn before a sanction",
    help_zh=f"惩戒前书面告知被执行人拟采取的措施和事由，留至少 {REPLY_DAYS} 天履行或答复，由送达部门送达并交回凭证。"
    "告知不公开，不得发给发布单位。",
    help_en=f"Tells the debtor in writing what will follow and why, with at least {REPLY_DAYS} days to perform or "
    "reply; the serving office returns the proof. It is not public and never goes to a publisher.",
    linkages=(Linkage(group=SANCTIONS, row=1, zh="预惩戒告知", en="Warning"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE}),
    request=PreNotice,
    result_item=PreNoticeItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda _: {"pre-notice": 1},
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "debtor": {
            "ref": "q4w8n3zt",
            "name": "周样例",
            "id_kind": "resident-id",
            "id_no": "610199198503121232",
            "role": "被执行人",
        },
        "intended": ["dishonest", "consumption-limit"],
        "grounds": ["false-property-report"],
        "obligation": "偿还借款及利息",
        "issued_on": "2026-03-02",
        "reply_by": "2026-03-09",
        "address": {"division_code": "610199", "street": "东街", "detail": "1号"},
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-10T09:00:00+08:00",
        "items": [
            {
                "ref": "q4w8n3zt",
                "method": "direct",
                "served_at": "2026-03-03T10:20:00+08:00",
                "proof": "b1" * 32,
                "reply": "none",
            }
        ],
    },
)
