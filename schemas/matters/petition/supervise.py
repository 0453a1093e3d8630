"""Petitions about enforcement 涉执信访 (docs/domain.md 2.10, 法〔2021〕227号 [S]): to a named person, supervised.

Comes to the bureau from the petition office of its own court, or from a superior court.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import same_name
from lianzhi.protocol.times import AnswerDay, ComingDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask
from schemas.ledgers import LedgerEntry
from schemas.linkages import SUPERVISION, Linkage
from schemas.parts.steps import Extension, StepItem, check_extension
from schemas.values.identifiers import Phone
from schemas.values.terms import check_days, check_order

ASSIGN_WORKING_DAYS = 5  # [S] from the petition to the assignment; the ledger counts them on its calendar
HANDLE_DAYS = 30  # [S] from the assignment
EXTENSION_DAYS = 30  # [D] more, with an approver


class PetitionAssignment(Model):
    """owner handles it 专人负责, backup stands in; level says whether its course is followed 跟踪督办."""

    ref: Annotated[Ref, label("交办编号", "Reference of this petition within the request")]
    petition_no: Annotated[Line, label("信访编号", "Number in the petition register")]
    channel: Annotated[
        Vocabulary[
            Annotated[Literal["visit"], "来访"]
            | Annotated[Literal["letter"], "来信"]
            | Annotated[Literal["online"], "网上信访"]
            | Annotated[Literal["hotline"], "热线"]
            | Annotated[Literal["superior"], "上级交办"]
        ],
        label("信访渠道", "How it came"),
    ]
    petitioner: Annotated[Name, label("信访人", "Who petitions")]
    phone: Annotated[Phone | None, label("信访人电话", "The petitioner's telephone")] = None
    issue: Annotated[
        Vocabulary[
            Annotated[Literal["inaction"], "消极执行、久拖不决"]
            | Annotated[Literal["wrong-act"], "执行行为不当"]
            | Annotated[Literal["wrong-object"], "错误执行案外人财产"]
            | Annotated[Literal["money-not-paid"], "案款未及时发放"]
            | Annotated[Literal["ended"], "不服终本或终结"]
            | Annotated[Literal["not-listed"], "要求采取或解除惩戒"]
            | Annotated[Literal["conduct"], "干警作风纪律"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("诉求类别", "What it is about"),
    ]
    claim: Annotated[Prose, label("诉求内容", "What the petitioner asks for")]
    received_on: Annotated[PastDay, label("收到日期", "Received on")]
    assigned_on: Annotated[PastDay, label("交办日期", "Assigned on, within 5 working days")]
    due_on: Annotated[ComingDay, label("办结期限", "Last day, at most 30 days on")]
    owner: Annotated[Name, label("责任人", "The one who handles it")]
    backup: Annotated[Name, label("协办人", "Who stands in")]
    level: Annotated[
        Vocabulary[Annotated[Literal["assigned"], "一般交办"] | Annotated[Literal["followed"], "跟踪督办"]],
        label("督办方式", "Whether its course is followed"),
    ]

    @model_validator(mode="after")
    def _in_time(self) -> PetitionAssignment:
        check_order(self.received_on, self.assigned_on, at="/assigned_on")
        check_days(self.assigned_on, self.due_on, HANDLE_DAYS, at="/due_on")
        if same_name(self.owner, self.backup):
            raise broken("owner-is-backup", at="/backup")
        return self


class PetitionAnswer(StepItem):
    """What was done, or that more time was granted."""

    steps: ClassVar[frozenset[str]] = frozenset({"extended"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["resolved"], "诉求合理，已解决"]
            | Annotated[Literal["explained"], "已释明"]
            | Annotated[Literal["not-resolved"], "未能解决"]
            | Annotated[Literal["extended"], "延期办理"]
        ],
        label(
            "办理结果",
            "What came of it",
        ),
    ]
    action_taken: Annotated[Prose, label("办理情况", "What was done")]
    answered_on: Annotated[AnswerDay | None, label("答复信访人日期", "When the petitioner was told")] = None
    view: Annotated[
        Vocabulary[
            Annotated[Literal["content"], "息诉罢访"]
            | Annotated[Literal["not-content"], "不接受"]
            | Annotated[Literal["not-reached"], "联系不上"]
        ]
        | None,
        label(
            "信访人意见",
            "What the petitioner thinks",
        ),
    ] = None
    reason: Annotated[Prose | None, label("未解决的原因", "Why not")] = None
    extension: Annotated[Extension | None, label("延期", "More time, with its approver")] = None

    @model_validator(mode="after")
    def _whole(self) -> PetitionAnswer:
        check_extension(self.answer, self.extension, days=EXTENSION_DAYS)
        if self.answer == "not-resolved" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


def _answered(verb: str, data: Mapping[str, Any]) -> LedgerEntry | None:
    if verb not in ("result", "correct"):
        return None
    for item in data["items"]:
        if (extension := item.get("extension")) is not None:
            more = extension["extended_to"]
            return LedgerEntry("petition", "extended", on=extension["approved_on"], due_on=more)
        return LedgerEntry("petition", item["answer"], settles=True, on=item.get("answered_on"))
    return LedgerEntry("petition", data["outcome"], settles=True)


PETITION = ask(
    name="petition.supervise.assign",
    zh="涉执信访交办",
    en="Assign a petition about enforcement",
    help_zh=f"信访办或上级法院把涉执信访交给执行局：指定责任人和协办人，写明诉求和期限。收到后 {ASSIGN_WORKING_DAYS} "
    f"个工作日内交办，交办后 {HANDLE_DAYS} 日内办结并答复信访人；须延期的，在期限内经批准后以“部分办结”答复新期限。",
    help_en=f"The petition office, or a superior court, gives a petition to the bureau: one who handles it, one who "
    f"stands in, the claim, the term. Assigned within {ASSIGN_WORKING_DAYS} working days, done and answered in "
    f"{HANDLE_DAYS} days; more time is a partial result, approved before the term is over.",
    linkages=(
        Linkage(
            group=SUPERVISION,
            row=1,
            zh="涉执信访（专人负责、跟踪督办）",
            en="Petitions about enforcement",
            ledger="petition",
            note=("收到后 5 个工作日内交办；延期须经批准", "assigned in 5 working days; more time is approved"),
        ),
    ),
    senders=frozenset({Kind.OFFICE, Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=PetitionAssignment,
    result_item=PetitionAnswer,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    ledger=lambda payload: LedgerEntry("petition", on=payload.assigned_on, due_on=payload.due_on),
    ledger_answer=_answered,
    case_required=False,  # some complain that there is no case
    asked_on=lambda payload: payload.assigned_on,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, HANDLE_DAYS),
    fixed_by=FixedBy("FA-2021-227"),
    example_request={
        "ref": "p4v8x2za",
        "petition_no": "信访〔2026〕900012号",
        "channel": "visit",
        "petitioner": "陈样例",
        "phone": "13800138002",
        "issue": "money-not-paid",
        "claim": "称案款到账两个月未发放，要求尽快发放",
        "received_on": "2026-03-23",
        "assigned_on": "2026-03-25",
        "due_on": "2026-04-24",
        "owner": "李演示",
        "backup": "备演示",
        "level": "followed",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T16:00:00+08:00",
        "items": [
            {
                "ref": "p4v8x2za",
                "answer": "resolved",
                "action_taken": "核实案款已到账，于4月9日发放，当面向信访人说明",
                "answered_on": "2026-04-10",
                "view": "content",
            }
        ],
    },
)
