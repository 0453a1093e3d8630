"""Refusal to execute 拒执 (docs/domain.md 2.5): the procuratorate supervises the filing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref, RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnswerDay, AnyDay, PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import REFUSAL, Linkage
from schemas.matters.refusal.lead import FILING_DAYS
from schemas.values.objects import Person
from schemas.values.terms import check_days, days_between

EXPLAIN_DAYS = 7  # [S] the police explain why they did not file
FILE_DAYS = 15  # [S] the police file after the notice

Cause = Vocabulary[
    Annotated[Literal["not-filed"], "不予立案"]
    | Annotated[Literal["no-decision"], "逾期未作决定"]
    | Annotated[Literal["not-investigated"], "立案后不侦查"]
]
_PAPERS: Mapping[str, Mapping[str, int]] = {
    "not-filed": {"supervision-letter": 1, "no-filing-notice": 1},
    "no-decision": {"supervision-letter": 1},
    "not-investigated": {"supervision-letter": 1},
}


class SupervisionRequest(Model):
    suspect: Annotated[Person, label("涉嫌拒执人", "Suspect")]
    lead_no: Annotated[RequestNo, label("线索移送编号", "Request that transferred the lead")]
    police_unit: Annotated[Line, label("公安机关", "Police unit")]
    transferred_on: Annotated[PastDay, label("移送日期", "Transferred on")]
    cause: Annotated[Cause, label("提请事由", "Why supervision is asked for")]
    decision_no: Annotated[Line | None, label("不予立案文号", "Number of the refusal to file")] = None
    asked_on: Annotated[PastDay, label("提请日期", "Asked on")]
    reasons: Annotated[Prose, label("提请理由", "Why the police should have acted")]

    @model_validator(mode="after")
    def _due(self) -> SupervisionRequest:
        if self.cause == "not-filed" and self.decision_no is None:
            raise broken("decision-no-required", at="/decision_no")
        if self.asked_on < self.transferred_on:
            raise broken("end-before-start", at="/asked_on")
        if self.cause == "no-decision" and days_between(self.transferred_on, self.asked_on) <= FILING_DAYS:
            raise broken("decision-not-due", at="/asked_on", days=FILING_DAYS)
        return self


_TERMS: Mapping[str, int] = {"explanation-asked": EXPLAIN_DAYS, "filing-notified": FILE_DAYS}


class SupervisionStep(Model):
    """due_on: until when the police answer or file."""

    ref: Annotated[Ref, label("对象编号", "The suspect")]
    step: Annotated[
        Vocabulary[
            Annotated[Literal["explanation-asked"], "要求说明不立案理由"]
            | Annotated[Literal["filing-notified"], "通知立案"]
            | Annotated[Literal["rejected"], "不支持监督申请"]
        ],
        label(
            "监督结果",
            "What the procuratorate did",
        ),
    ]
    decided_on: Annotated[AnswerDay, label("决定日期", "Decided on")]
    due_on: Annotated[AnyDay | None, label("答复或立案期限", "Until when the police answer or file")] = None
    document_no: Annotated[Line | None, label("文书文号", "Number of the paper")] = None
    reason: Annotated[Prose | None, label("理由", "Reason")] = None

    @model_validator(mode="after")
    def _grounded(self) -> SupervisionStep:
        if self.step == "rejected":
            if self.reason is None:
                raise broken("reason-required", at="/reason")
        elif self.due_on is None:
            raise broken("due-required", at="/due_on")
        else:
            check_days(self.decided_on, self.due_on, _TERMS[self.step], at="/due_on")
        return self


SUPERVISION = ask(
    name="refusal.supervision.request",
    zh="提请检察监督",
    en="Ask the procuratorate to supervise",
    help_zh=f"公安机关不予立案、逾期未决定或立案后不侦查时，提请检察院监督。附提请函；不予立案的附不予立案通知书。"
    f"检察院要求公安机关 {EXPLAIN_DAYS} 日内说明理由，理由不成立的通知 {FILE_DAYS} 日内立案，或不支持并说明理由。",
    help_en=f"When the police refuse to file, do not decide in time, or do not investigate. With the letter, and the "
    f"notice where they refused. The procuratorate asks the police to explain in {EXPLAIN_DAYS} days, or has them "
    f"file in {FILE_DAYS}, or declines and says why.",
    linkages=(
        Linkage(
            group=REFUSAL,
            row=3,
            zh="提请检察监督",
            en="Supervision by the procuratorate",
            ledger="refusal",
            note=("公安说明理由 7 日，立案 15 日", "the police explain in 7 days, file in 15"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.PROCURATORATE}),
    request=SupervisionRequest,
    result_item=SupervisionStep,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda payload: _PAPERS[payload.cause],
    asked_on=lambda payload: payload.asked_on,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, 7),  # [D] the procuratorate's own first step
    example_request={
        "suspect": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "lead_no": "court-sn0199-20260324-000021",
        "police_unit": "云川县公安局（演示）",
        "transferred_on": "2026-03-24",
        "cause": "no-decision",
        "asked_on": "2026-04-08",
        "reasons": "移送已逾七日，未见立案或不予立案决定",
    },
    example_result={
        "outcome": "partial",
        "as_of": "2026-04-10T16:00:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "step": "explanation-asked",
                "decided_on": "2026-04-10",
                "due_on": "2026-04-17",
                "document_no": "云检立监〔2026〕900001号",
            }
        ],
    },
)
