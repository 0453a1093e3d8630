"""The list of dishonest debtors 失信被执行人名单 (docs/domain.md 2.9): taking an entry off, and putting one right.

Both go to every recipient of the publication, in 法释〔2017〕7号's three working days [H].
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask, ending_of
from schemas.matters.sanction.dishonest import (
    ACTION,
    DEBTOR_EXAMPLE,
    DISHONEST_LIST,
    DISHONEST_PUBLISH,
    ENTRY_EXAMPLE,
    RECIPIENTS,
    TWO_PEOPLE,
    DishonestEntry,
    check_entry,
)
from schemas.matters.sanction.listing import RecipientItem, check_public_number, listed
from schemas.parts.items import distinct
from schemas.values.objects import MeasureNo, Person

CHANGE_DAYS = 3  # [H] working days, 法释〔2017〕7号 articles 10 to 12

WithdrawReason = Vocabulary[
    Annotated[Literal["performed"], "已履行完毕"]
    | Annotated[Literal["settled"], "和解协议已履行完毕"]
    | Annotated[Literal["applicant-agrees"], "申请执行人书面申请删除"]
    | Annotated[Literal["no-property"], "终本后两次以上查询未发现财产"]
    | Annotated[Literal["suspended"], "因审判监督或破产中止执行"]
    | Annotated[Literal["not-enforceable"], "裁定不予执行"]
    | Annotated[Literal["ended"], "裁定终结执行"]
    | Annotated[Literal["expired"], "纳入期限届满"]
    | Annotated[Literal["wrong"], "不应纳入"]
]


class DishonestWithdraw(Model):
    """Wants no approval: who has paid must not stay listed."""

    debtor: Annotated[Person, label("被执行人", "The debtor")]
    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public list shows it")]
    published_no: Annotated[MeasureNo, label("原发布编号", "Group or request number of the publication")]
    reason: Annotated[WithdrawReason, label("撤销原因", "Why it is withdrawn")]
    decided_on: Annotated[PastDay, label("决定日期", "Decided on")]
    note: Annotated[Line | None, label("说明", "Explanation")] = None

    @model_validator(mode="after")
    def _same_debtor(self) -> DishonestWithdraw:
        check_public_number(self.debtor, self.card_no)
        return self


DISHONEST_WITHDRAW = ending_of(
    DISHONEST_PUBLISH,
    zh="失信撤销",
    en="Withdraw a dishonest debtor",
    help_zh=f"删除失信信息，应在三个工作日内（{CHANGE_DAYS} 日）办结。须发给当初发布的每一家单位，全部回执后方告完成。",
    help_en=f"Takes an entry off the list within {CHANGE_DAYS} working days. It goes to every recipient of the "
    "publication and is complete only when each has answered.",
    request=DishonestWithdraw,
    result_item=RecipientItem,
    request_class=Classification.INTERNAL,
    measure=lambda payload: listed(ACTION, "end", payload.debtor, payload.published_no),
    deadline=Deadline(DeadlineKind.WORKING_DAYS, CHANGE_DAYS),
    fixed_by=FixedBy("FASHI-2017-7-10"),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "card_no": "6101991985****1232",
        "published_no": "court-sn0199-20260512-000031",
        "reason": "performed",
        "decided_on": "2026-06-01",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-06-02T10:00:00+08:00",
        "items": [{"ref": "q4w8n3zt", "status": "done", "done_at": "2026-06-02T09:40:00+08:00"}],
    },
)


# --- put right ----------------------------------------------------------------------------------------------------

EntryMember = Vocabulary[
    Annotated[Literal["card_no"], "证件号码"]
    | Annotated[Literal["business_entity"], "法定代表人或负责人"]
    | Annotated[Literal["basis_no"], "执行依据文号"]
    | Annotated[Literal["basis_court"], "作出执行依据单位"]
    | Annotated[Literal["obligation"], "确定的义务"]
    | Annotated[Literal["performance"], "履行情况"]
    | Annotated[Literal["disruption"], "失信行为"]
    | Annotated[Literal["filed_on"], "立案日期"]
]


class DishonestCorrect(Model):
    """The whole entry as it must read. The wrong person is not corrected but withdrawn, and the right one published."""

    debtor: Annotated[Person, label("失信被执行人", "The debtor")]
    published_no: Annotated[MeasureNo, label("原发布编号", "Group or request number of the publication")]
    entry: Annotated[DishonestEntry, label("更正后的内容", "The entry as it must read")]
    changed: Annotated[
        list[EntryMember],
        label("更正事项", "What was wrong", min_length=1, max_length=8),
        AfterValidator(distinct),
    ]
    reason: Annotated[Prose, label("更正原因", "Why")]

    @model_validator(mode="after")
    def _same_debtor(self) -> DishonestCorrect:
        check_entry(self.debtor, self.entry)
        return self


DISHONEST_CORRECT = ask(
    name="sanction.dishonest.correct",
    zh="失信更正",
    en="Correct a dishonest debtor's entry",
    help_zh=f"公布内容有误的，{CHANGE_DAYS} 个工作日内更正，须发给当初发布的每一家单位，须两人审批。"
    "写出更正后的全部内容并勾选改动项；人错了的，不能更正，须撤销后另行发布。",
    help_en=f"Puts a wrong entry right within {CHANGE_DAYS} working days, with every recipient; two approvals. Give "
    "the whole entry and tick what changed. A wrong person is withdrawn, not corrected.",
    linkages=(DISHONEST_LIST,),
    senders=frozenset({Kind.COURT}),
    receivers=RECIPIENTS,
    request=DishonestCorrect,
    result_item=RecipientItem,
    request_class=Classification.PUBLIC,
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda _: TWO_PEOPLE,
    measure=lambda payload: listed(ACTION, "require", payload.debtor, needs_live=ACTION),
    deadline=Deadline(DeadlineKind.WORKING_DAYS, CHANGE_DAYS),
    fixed_by=FixedBy("FASHI-2017-7-12"),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "published_no": "court-sn0199-20260512-000031",
        "entry": {**ENTRY_EXAMPLE, "performance": "partial"},
        "changed": ["performance"],
        "reason": "被执行人已部分履行",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-20T10:00:00+08:00",
        "items": [{"ref": "q4w8n3zt", "status": "done", "done_at": "2026-05-20T09:40:00+08:00"}],
    },
)
