"""Enforcement to bankruptcy 执转破 (docs/domain.md 2.10): the bureau proposes an enterprise to the bankruptcy division.

Conditions: 法发〔2017〕2号 article 2 [S]; an enterprise with legal personality that cannot pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnswerDay, PastDay
from lianzhi.protocol.values import Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.ledgers import LedgerEntry
from schemas.linkages import BANKRUPTCY, Linkage
from schemas.parts.items import distinct
from schemas.parts.steps import StepItem
from schemas.values.objects import Money, Org

Insolvency = Vocabulary[
    Annotated[Literal["cannot-pay-due"], "不能清偿到期债务"]
    | Annotated[Literal["assets-insufficient"], "资产不足以清偿全部债务"]
    | Annotated[Literal["clearly-insolvent"], "明显缺乏清偿能力"]
    | Annotated[Literal["nothing-found"], "穷尽调查措施未发现可供执行财产"]
]
Consent = Vocabulary[
    Annotated[Literal["creditor-agrees"], "申请执行人同意"]
    | Annotated[Literal["debtor-agrees"], "被执行人同意"]
    | Annotated[Literal["refused"], "均不同意"]
    | Annotated[Literal["not-asked"], "尚未征询"]
]


class Candidate(Model):
    """An enterprise against which cases are pending and whose property does not suffice."""

    enterprise: Annotated[Org, label("被执行企业", "The enterprise")]
    grounds: Annotated[
        list[Insolvency],
        label("破产原因", "What shows that it cannot pay", min_length=1, max_length=4),
        AfterValidator(distinct),
    ]
    pending_cases: Annotated[int, label("在执案件数", "Cases of enforcement against it", ge=1, le=100_000)]
    total_debt: Annotated[Money, label("执行债务总额", "Debts under enforcement, CNY")]
    known_assets: Annotated[Money, label("已知资产估值", "Value of the property that is known, CNY")]
    employees: Annotated[int | None, label("在册职工人数", "Employees", ge=0, le=1_000_000)] = None
    consent: Annotated[Consent, label("同意情况", "Who agrees to a transfer")]
    proposed_on: Annotated[PastDay, label("提出日期", "Proposed on")]
    facts: Annotated[Prose, label("基本情况", "Business, property, employees, petitions")]

    @model_validator(mode="after")
    def _insolvent(self) -> Candidate:
        if "assets-insufficient" in self.grounds and Decimal(self.known_assets) >= Decimal(self.total_debt):
            raise broken("assets-cover-debt", at="/known_assets")
        return self


class CandidateAnswer(StepItem):
    steps: ClassVar[frozenset[str]] = frozenset({"look-further"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["suitable"], "符合移送条件"]
            | Annotated[Literal["not-suitable"], "不符合移送条件"]
            | Annotated[Literal["look-further"], "继续调查后再议"]
        ],
        label(
            "筛选意见",
            "Whether a transfer fits",
        ),
    ]
    assessed_on: Annotated[AnswerDay, label("评估日期", "Assessed on")]
    next_step: Annotated[Prose | None, label("下一步建议", "What should be done next")] = None
    reason: Annotated[Prose | None, label("理由", "Why not, or what is missing")] = None

    @model_validator(mode="after")
    def _reasoned(self) -> CandidateAnswer:
        if self.answer != "suitable" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


def _assessed(verb: str, data: Mapping[str, Any]) -> LedgerEntry | None:
    if verb not in ("result", "correct"):
        return None
    for item in data["items"]:
        answer = item["answer"]
        return LedgerEntry("bankruptcy", answer, settles=answer not in CandidateAnswer.steps, on=item["assessed_on"])
    return LedgerEntry("bankruptcy", data["outcome"], settles=True)


BANKRUPTCY_CANDIDATE = ask(
    name="bankruptcy.candidate.propose",
    zh="执转破筛选",
    en="Propose an enterprise for bankruptcy",
    help_zh="把不能清偿债务的被执行企业提交破产审判庭筛选：写明破产原因、在执案件、债务和已知资产、是否已有人同意移送。"
    "破产审判庭答复是否符合移送条件；符合的再正式移送。个人和个体户不适用。",
    help_en="Puts an enterprise that cannot pay before the bankruptcy division: what shows it, the pending cases, "
    "debts and known property, and who agrees. The division says whether a transfer fits; only then is it "
    "transferred.",
    linkages=(Linkage(group=BANKRUPTCY, row=1, zh="筛选", en="Candidates", ledger="bankruptcy"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE}),
    request=Candidate,
    result_item=CandidateAnswer,
    ledger=lambda _: LedgerEntry("bankruptcy"),
    ledger_answer=_assessed,
    request_class=Classification.SENSITIVE,  # word of an insolvency ruins what is left of the business
    asked_on=lambda payload: payload.proposed_on,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 10),  # [D]
    example_request={
        "enterprise": {
            "ref": "n5r9t4sy",
            "name": "云川演示机械有限公司",
            "uscc": "93610528MA6Y00001Y",
            "legal_representative": "王演示",
        },
        "grounds": ["cannot-pay-due", "assets-insufficient"],
        "pending_cases": 12,
        "total_debt": "8600000.00",
        "known_assets": "1250000.00",
        "employees": 34,
        "consent": "creditor-agrees",
        "proposed_on": "2026-03-24",
        "facts": "停产一年，厂房已被首封，职工工资欠付六个月",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-02T10:00:00+08:00",
        "items": [
            {
                "ref": "n5r9t4sy",
                "answer": "suitable",
                "assessed_on": "2026-04-02",
                "next_step": "征得书面同意后作出移送决定",
            }
        ],
    },
)
