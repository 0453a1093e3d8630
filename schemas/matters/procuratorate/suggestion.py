"""Supervision of enforcement 检察建议 (docs/domain.md 2.10): the procuratorate suggests, the court replies.

法发〔2016〕30号 article 13 [S]: three months; one more, once, with the president's approval; what is not taken up is
answered with reasons.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask
from schemas.linkages import SUPERVISION, Linkage
from schemas.parts.steps import Extension, StepItem, check_extension
from schemas.values.terms import check_order

REPLY_MONTHS = 3
EXTENSION_MONTHS = 1


class SuggestedPoint(Model):
    """One thing that is suggested; the court answers each."""

    ref: Annotated[Ref, label("建议编号", "Reference of this point")]
    text: Annotated[Prose, label("建议内容", "What is suggested")]


class Suggestion(Model):
    suggestion_no: Annotated[Line, label("检察建议书文号", "Number of the suggestion")]
    cause: Annotated[
        Vocabulary[
            Annotated[Literal["unlawful-act"], "执行行为违法"]
            | Annotated[Literal["inaction"], "怠于履行执行职责"]
            | Annotated[Literal["wrong-object"], "执行标的错误"]
            | Annotated[Literal["money"], "案款管理、发放问题"]
            | Annotated[Literal["service"], "送达、告知问题"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("监督事由", "What it is about"),
    ]
    origin: Annotated[
        Vocabulary[Annotated[Literal["application"], "当事人申请"] | Annotated[Literal["ex-officio"], "依职权"]],
        label("监督来源", "Who brought it"),
    ]
    facts: Annotated[Prose, label("认定事实", "What was found")]
    points: Annotated[list[SuggestedPoint], label("建议事项", "What is suggested", min_length=1, max_length=30)]
    found_on: Annotated[PastDay, label("审查认定日期", "Found on")]
    issued_on: Annotated[PastDay, label("制发日期", "Issued on")]
    contact: Annotated[Name, label("承办检察官", "Prosecutor who handles it")]

    @model_validator(mode="after")
    def _in_order(self) -> Suggestion:
        check_order(self.found_on, self.issued_on, at="/issued_on")
        return self


class SuggestionReply(StepItem):
    steps: ClassVar[frozenset[str]] = frozenset({"extended"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["adopted"], "采纳"]
            | Annotated[Literal["partly-adopted"], "部分采纳"]
            | Annotated[Literal["not-adopted"], "不采纳"]
            | Annotated[Literal["extended"], "经院长批准延期回复"]
        ],
        label(
            "回复意见",
            "Taken up or not",
        ),
    ]
    reply_no: Annotated[Line | None, label("回复意见函文号", "Number of the letter of reply")] = None
    found: Annotated[Prose | None, label("查明事实", "What the court found")] = None
    mended: Annotated[Prose | None, label("整改情况", "What was done")] = None
    reason: Annotated[Prose | None, label("不采纳的理由", "Why not")] = None
    extension: Annotated[Extension | None, label("延期", "One more month, with the president's approval")] = None

    @model_validator(mode="after")
    def _whole(self) -> SuggestionReply:
        check_extension(self.answer, self.extension, months=EXTENSION_MONTHS)
        if self.answer == "extended":
            return self
        if self.reply_no is None:
            raise broken("document-no-required", at="/reply_no")
        if self.answer != "adopted" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


SUGGESTION = ask(
    name="procuratorate.suggestion.issue",
    zh="检察建议",
    en="Procuratorate's suggestion",
    help_zh=f"检察院就执行活动向法院提出检察建议，逐项列明。法院自收到之日起 {REPLY_MONTHS} 个月内逐项回复，附回复意"
    f"见函；不采纳的说明理由。有特殊情况的，经院长批准延长 {EXTENSION_MONTHS} 个月，一次，以“部分办结”在期限内告知。",
    help_en=f"The procuratorate suggests, point by point. The court replies to each within {REPLY_MONTHS} months of "
    f"receiving it, with its letter; what is not taken up, with reasons. {EXTENSION_MONTHS} more month, once, with the "
    "president's approval, is told in a partial result before the term is over.",
    linkages=(
        Linkage(
            group=SUPERVISION,
            row=2,
            zh="检察建议",
            en="Procuratorate's suggestions",
            note=("3 个月；经院长批准延长 1 个月，一次", "3 months; 1 more, once, with the president's approval"),
        ),
    ),
    senders=frozenset({Kind.PROCURATORATE}),
    receivers=frozenset({Kind.COURT}),
    request=Suggestion,
    result_item=SuggestionReply,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    case_required=False,  # some are about many cases
    documents=lambda _: {"procuratorate-suggestion": 1},
    deadline=Deadline(DeadlineKind.LEGAL_MONTHS, REPLY_MONTHS),
    fixed_by=FixedBy("FAFA-2016-30-13"),
    example_request={
        "suggestion_no": "云检执监〔2026〕900001号",
        "cause": "money",
        "origin": "application",
        "facts": "案款于2025年12月1日到账，至审查时未发放",
        "points": [
            {"ref": "r6c2d8fg", "text": "依法及时发放案款"},
            {"ref": "r7d3e9gh", "text": "完善案款提醒和督办"},
        ],
        "found_on": "2026-03-16",
        "issued_on": "2026-03-20",
        "contact": "郑检察官（演示）",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-20T10:00:00+08:00",
        "items": [
            {
                "ref": "r6c2d8fg",
                "answer": "adopted",
                "reply_no": "（2026）陕0199执监900001号",
                "found": "案款已到账，因分配争议未发放",
                "mended": "已于4月9日发放",
            },
            {
                "ref": "r7d3e9gh",
                "answer": "adopted",
                "reply_no": "（2026）陕0199执监900001号",
                "mended": "已建立案款台账，到账满二十日提醒",
            },
        ],
    },
)
