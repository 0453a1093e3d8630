"""督办: the lowest common superior is asked to see that an overdue matter between two courts is done (domain.md 1, 3).

The gateway opens it when a deadline has been over for three working days; a court may open one itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref, RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingDay, PastDay
from lianzhi.protocol.values import Line, Prose, Slug
from schemas.bodies import MatterName
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import BETWEEN_COURTS, Linkage
from schemas.values.identifiers import CourtCode
from schemas.values.terms import check_order


class OverdueMatter(Model):
    """By its numbers and dates; what it is about, the superior reads in its own file."""

    ref: Annotated[Ref, label("对象编号", "Reference of the overdue matter")]
    request_no: Annotated[RequestNo, label("逾期请求编号", "The request that is overdue")]
    type: Annotated[MatterName, label("事项", "Its matter type")]
    entrusting: Annotated[CourtCode, label("委托法院", "Court that asked")]
    entrusted: Annotated[CourtCode, label("受托法院", "Court that was asked")]
    opened_on: Annotated[PastDay, label("发起日期", "Asked on")]
    due_on: Annotated[PastDay, label("办理期限", "Was due on")]
    state: Annotated[Slug, label("当前状态", "Its state now")]

    @model_validator(mode="after")
    def _dates(self) -> OverdueMatter:
        if self.entrusting == self.entrusted:
            raise broken("same-court", at="/entrusted")
        check_order(self.opened_on, self.due_on)
        return self


class EntrustSupervision(Model):
    overdue: Annotated[OverdueMatter, label("逾期事项", "What is overdue")]
    reason: Annotated[Prose, label("提请理由", "Why supervision is asked for")]


class SupervisionDecision(Model):
    """due_on: until when the entrusted court has now to act, or has been given."""

    ref: Annotated[Ref, label("对象编号", "The overdue matter")]
    decision: Annotated[
        Vocabulary[
            Annotated[Literal["instructed"], "责令限期办理"]
            | Annotated[Literal["extended"], "准予延期"]
            | Annotated[Literal["reassigned"], "改派"]
            | Annotated[Literal["unfounded"], "督办理由不成立"]
        ],
        label(
            "督办决定",
            "What the superior decided",
        ),
    ]
    due_on: Annotated[ComingDay | None, label("新的期限", "New last day")] = None
    document_no: Annotated[Line | None, label("督办文号", "Number of the paper")] = None
    note: Annotated[Prose | None, label("说明", "Note")] = None

    @model_validator(mode="after")
    def _dated(self) -> SupervisionDecision:
        if self.decision in ("instructed", "extended") and self.due_on is None:
            raise broken("due-required", at="/due_on")
        return self


SUPERVISION = ask(
    name="entrust.supervision.request",
    zh="提请督办",
    en="Ask the superior to supervise",
    help_zh="委托事项逾期三个工作日、两次催办无果时，由网关自动提请两院共同的最低上级法院督办，也可由法院自行提请。"
    "上级法院责令限期办理、准予延期、改派，或认为不成立。不另立案件。",
    help_en="When a commissioned matter is three working days overdue and two urges brought nothing, the gateway asks "
    "the lowest superior of both courts; a court may ask by itself. The superior sets a day, extends, reassigns or "
    "declines.",
    linkages=(
        Linkage(group=BETWEEN_COURTS, row=3, zh="报共同上级法院督办", en="Supervision by the lowest common superior"),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=EntrustSupervision,
    result_item=SupervisionDecision,
    request_class=Classification.INTERNAL,
    case_required=False,  # the overdue matter's, where it has one
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),  # [D]
    example_request={
        "overdue": {
            "ref": "d2f6h8jk",
            "request_no": "court-sn0199-20260324-000031",
            "type": "entrust.matter.request",
            "entrusting": "陕0199",
            "entrusted": "陕0528",
            "opened_on": "2026-03-24",
            "due_on": "2026-04-08",
            "state": "accepted",
        },
        "reason": "受托法院逾期未办，经两次催办仍未回复",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-15T10:00:00+08:00",
        "items": [
            {
                "ref": "d2f6h8jk",
                "decision": "instructed",
                "due_on": "2026-04-22",
                "document_no": "（2026）陕执督900001号",
            }
        ],
    },
)
