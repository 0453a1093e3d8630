"""Between courts · 交叉执行 (docs/domain.md 2.6): a case goes on under another number, at another court.

The notice tells each partner which of its requests and measures belong to the new case; reading it acknowledges that.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay
from lianzhi.protocol.values import Line, Name
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.linkages import BETWEEN_COURTS, Linkage
from schemas.values.identifiers import CaseNo, CourtCode
from schemas.values.objects import MeasureNo

Mode = Vocabulary[
    Annotated[Literal["supervise"], "督促执行"]
    | Annotated[Literal["order"], "指令执行"]
    | Annotated[Literal["raise"], "提级执行"]
    | Annotated[Literal["concentrate"], "集中执行"]
    | Annotated[Literal["cooperate"], "协同执行"]
    | Annotated[Literal["in-court-team"], "院内团队调整"]
]
MOVES = frozenset({"order", "raise", "concentrate"})
"""Modes in which another court goes on with the case under a number of its own."""


class ReassignNotice(Model):
    mode: Annotated[Mode, label("交叉执行方式", "How")]
    from_court: Annotated[CourtCode, label("原执行法院", "Court that had the case")]
    to_court: Annotated[CourtCode, label("现执行法院", "Court that goes on with it")]
    old_case_no: Annotated[CaseNo, label("原案号", "Case number until now")]
    new_case_no: Annotated[CaseNo, label("现案号", "Case number from now on")]
    effective_on: Annotated[AnyDay, label("生效日期", "Since when")]
    handler: Annotated[Name | None, label("现承办人", "Who handles it now")] = None
    team: Annotated[Line | None, label("现办案团队", "Team that handles it now")] = None
    requests: Annotated[
        list[RequestNo], label("变更的请求", "Requests of the receiver that belong to the new case", max_length=1000)
    ] = []
    measures: Annotated[
        list[MeasureNo], label("变更的措施", "Measures of the receiver that belong to the new case", max_length=1000)
    ] = []

    @model_validator(mode="after")
    def _moves(self) -> ReassignNotice:
        if self.mode in MOVES:
            if self.to_court == self.from_court:
                raise broken("reassign-same-court", at="/to_court")
            if self.new_case_no == self.old_case_no:
                raise broken("reassign-same-case", at="/new_case_no")
        elif self.new_case_no != self.old_case_no:
            raise broken("reassign-stays", at="/new_case_no")
        return self


REASSIGN = notice(
    name="cross.reassign.notice",
    zh="交叉执行通知",
    en="A case is reassigned",
    help_zh="案件交叉执行后，通知持有本案请求和措施的各单位：自生效日起，所列请求和措施归入现案号、由现承办人办理。"
    "各单位阅读即为确认；原案号的在途答复仍然有效。",
    help_en="After a case was reassigned, each unit that holds requests or measures of it is told that they belong to "
    "the new case and handler from that day on. Reading it acknowledges; answers under way with the old number stand.",
    linkages=(Linkage(group=BETWEEN_COURTS, row=4, zh="交叉执行", en="Reassignment"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset(
        {
            Kind.COURT,
            Kind.POLICE,
            Kind.GRID,
            Kind.DEPARTMENT,
            Kind.ASSOCIATION,
            Kind.OFFICE,
            Kind.PUBLICATION,
        }
    ),
    request=ReassignNotice,
    request_class=Classification.INTERNAL,
    fan_out=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "mode": "order",
        "from_court": "陕0199",
        "to_court": "陕0528",
        "old_case_no": "（2026）陕0199执900001号",
        "new_case_no": "（2026）陕0528执900008号",
        "effective_on": "2026-05-06",
        "handler": "郑演示",
        "team": "执行二团队",
        "requests": ["court-sn0199-20260324-000001"],
        "measures": ["court-sn0199-20260301-000007-1"],
    },
)
