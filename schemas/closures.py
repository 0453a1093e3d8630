"""Terminated cases 终本 (docs/domain.md 2.10): events that the court records, not messages.

A case is terminated for want of property, looked at again every six months for five years [H], and resumed (执恢) when
something is found.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line
from lianzhi.protocol.verbs import StaffNo
from schemas.values.identifiers import CaseNo, case_type

_MEMBERS = {
    "closed": {"team", "preconditions"},
    "recheck": {"found"},
    "resumed": {"resumed_as"},
    "preconditions": {"preconditions"},
}
PRECONDITIONS = {
    "1": "已发出执行通知、责令报告财产",
    "2": "已发出限制消费令，符合条件的已纳入失信名单",
    "3": "已穷尽财产调查措施，无可供执行的财产或不能处置",
    "4": "自执行立案之日起已超过三个月",
    "5": "被执行人下落不明的已依法查找；妨害执行的已依法处罚或启动刑事追究",
}
"""法〔2016〕373号 article 1, items (一)–(五) [S]: all five before a case is terminated in this way."""


class Precondition(Model):
    """One of the five that is met. on: since when."""

    item: Annotated[
        Vocabulary[
            Annotated[Literal["1"], "已发出执行通知、责令报告财产"]
            | Annotated[Literal["2"], "已发出限制消费令，符合条件的已纳入失信名单"]
            | Annotated[Literal["3"], "已穷尽财产调查措施，无可供执行的财产或不能处置"]
            | Annotated[Literal["4"], "自执行立案之日起已超过三个月"]
            | Annotated[Literal["5"], "被执行人下落不明的已依法查找；妨害执行的已依法处罚或启动刑事追究"]
        ],
        label("条件（第一条第几项）", "Item of article 1"),
    ]
    on: Annotated[PastDay, label("满足日期", "Met since")]


class ClosureEvent(Model):
    """One thing that happened to a terminated case. found: of a recheck; resumed_as: the number of the 执恢 case;
    preconditions: those of the five that are met, with the closing or entered later. None is asked for."""

    event: Annotated[
        Vocabulary[
            Annotated[Literal["closed"], "终本"]
            | Annotated[Literal["recheck"], "核查"]
            | Annotated[Literal["resumed"], "恢复执行"]
            | Annotated[Literal["preconditions"], "补登终本条件"]
        ],
        label("事件", "What happened"),
    ]
    case_no: Annotated[CaseNo, label("案号", "Case number")]
    on: Annotated[PastDay, label("日期", "When")]
    by: Annotated[StaffNo, label("经办人", "Staff number of who records it")]
    team: Annotated[Line | None, label("办案团队", "Team, of `closed`")] = None
    found: Annotated[bool | None, label("是否发现财产", "Whether property was found, of `recheck`")] = None
    resumed_as: Annotated[CaseNo | None, label("执恢案号", "The resumed case, of `resumed`")] = None
    preconditions: Annotated[
        list[Precondition] | None, label("终本条件", "The five of article 1 that are met", min_length=1, max_length=5)
    ] = None

    @model_validator(mode="after")
    def _fits(self) -> ClosureEvent:
        if case_type(self.case_no) not in ("执", "执恢"):
            raise broken("closure-case-type", at="/case_no")
        for name in ("team", "found", "resumed_as", "preconditions"):
            if getattr(self, name) is not None and name not in _MEMBERS[self.event]:
                raise broken("closure-member", at=f"/{name}")
        if self.event == "recheck" and self.found is None:
            raise broken("recheck-result-required", at="/found")
        if self.event == "preconditions" and self.preconditions is None:
            raise broken("preconditions-required", at="/preconditions")
        met = self.preconditions or []
        if len({one.item for one in met}) < len(met):
            raise broken("duplicate-value", at="/preconditions")
        if self.event == "resumed" and (self.resumed_as is None or case_type(self.resumed_as) != "执恢"):
            raise broken("resumed-case-required", at="/resumed_as")
        return self
