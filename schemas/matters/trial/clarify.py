"""Trial and enforcement together 执审联动 (docs/domain.md 2.10): the bureau asks what an order means.

法发〔2018〕9号 article 15 [H]: the division that made it answers in writing, or corrects it, within fifteen days; for
another court's judgment its own enforcement bureau is asked.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask
from schemas.linkages import SUPERVISION, Linkage
from schemas.values.identifiers import QuotedCaseNo
from schemas.values.terms import check_order

ANSWER_DAYS = 15  # [H]


class ClarifiedJudgment(Model):
    case_no: Annotated[QuotedCaseNo, label("生效文书案号", "Its case number")]
    court: Annotated[Line, label("作出法院", "Court that made it")]
    division: Annotated[Line | None, label("审判部门", "Division that made it")] = None
    made_on: Annotated[PastDay, label("作出日期", "Made on")]


class Doubt(Model):
    """One order of the judgment that cannot be enforced as it stands."""

    ref: Annotated[Ref, label("问题编号", "Reference of this question")]
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["subject"], "权利义务主体不明"]
            | Annotated[Literal["amount"], "金额或计算方法不明"]
            | Annotated[Literal["object"], "交付的物或范围不明"]
            | Annotated[Literal["conduct"], "行为的内容或方式不明"]
            | Annotated[Literal["term"], "履行期限或条件不明"]
            | Annotated[Literal["conflict"], "判项之间或与他案矛盾"]
        ],
        label("不明之处", "What is unclear"),
    ]
    order: Annotated[Prose, label("判项原文", "The order, as it is worded")]
    question: Annotated[Prose, label("征询问题", "What is asked")]
    reading: Annotated[Prose | None, label("执行部门意见", "How the bureau would read it")] = None


class Clarification(Model):
    judgment: Annotated[ClarifiedJudgment, label("生效法律文书", "The judgment")]
    doubts: Annotated[list[Doubt], label("征询事项", "What is unclear", min_length=1, max_length=20)]
    asked_on: Annotated[PastDay, label("征询日期", "Asked on")]

    @model_validator(mode="after")
    def _in_order(self) -> Clarification:
        check_order(self.judgment.made_on, self.asked_on, at="/asked_on")
        return self


class ClarifiedItem(Model):
    """`corrected`: a ruling mends the slip. `cannot`: it takes another suit or a retrial."""

    ref: Annotated[Ref, label("问题编号", "The question")]
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["clarified"], "书面答复"]
            | Annotated[Literal["corrected"], "裁定补正"]
            | Annotated[Literal["cannot"], "无法明确，应另行解决"]
        ],
        label(
            "答复方式",
            "How it is answered",
        ),
    ]
    meaning: Annotated[Prose | None, label("判项含义", "What the order means")] = None
    ruling_no: Annotated[Line | None, label("补正裁定文号", "Number of the ruling")] = None
    answered_by: Annotated[Line, label("答复人", "Who answers for the division")]
    reason: Annotated[Prose | None, label("理由", "Why it cannot be made clear")] = None

    @model_validator(mode="after")
    def _whole(self) -> ClarifiedItem:
        if self.answer == "cannot":
            if self.reason is None:
                raise broken("reason-required", at="/reason")
        elif self.meaning is None:
            raise broken("meaning-required", at="/meaning")
        if self.answer == "corrected" and self.ruling_no is None:
            raise broken("document-no-required", at="/ruling_no")
        return self


TRIAL_CLARIFICATION = ask(
    name="trial.clarify.request",
    zh="判项不明征询",
    en="Ask what an order means",
    help_zh="判项不明、无法执行时，书面征询作出判决的审判部门；其他法院作出的，征询该院。逐项写明原文、问题和执行部"
    f"门的理解，附生效文书。{ANSWER_DAYS} 日内书面答复或裁定补正；无法明确的说明理由。",
    help_en="Where an order is too unclear to enforce: asks the division that made it, or the court, if another's. "
    "The wording, the question, and how the bureau would read it, with the judgment. Answered or corrected within "
    f"{ANSWER_DAYS} days; where it cannot be made clear, with reasons.",
    linkages=(Linkage(group=SUPERVISION, row=4, zh="执审联动：判项不明征询", en="Trial: what an order means"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE, Kind.COURT}),
    request=Clarification,
    result_item=ClarifiedItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda _: {"judgment-copy": 1},
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, ANSWER_DAYS),
    fixed_by=FixedBy("FAFA-2018-9-15", reading=True),
    example_request={
        "judgment": {
            "case_no": "（2025）陕0199民初900021号",
            "court": "云川县人民法院（演示）",
            "division": "民事审判一庭",
            "made_on": "2025-11-18",
        },
        "doubts": [
            {
                "ref": "s9f5g3hj",
                "kind": "object",
                "order": "被告于判决生效后十日内腾退所占房屋",
                "question": "腾退范围是否包括院内自建库房",
                "reading": "判决查明部分记载占用范围含库房，拟一并腾退",
            }
        ],
        "asked_on": "2026-03-24",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-02T11:00:00+08:00",
        "items": [
            {
                "ref": "s9f5g3hj",
                "answer": "clarified",
                "meaning": "腾退范围包括院内自建库房",
                "answered_by": "何演示",
            }
        ],
    },
)
