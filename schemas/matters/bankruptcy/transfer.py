"""Enforcement to bankruptcy 执转破 (docs/domain.md 2.10): the case is handed over for bankruptcy review.

法发〔2017〕2号 [S]: written consent, the president signs the decision, thirty days to decide on the bankruptcy, seven
days to hand over what the enforcing court holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnswerDay, AnyDay, PastDay
from lianzhi.protocol.values import Document, Line, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask
from schemas.ledgers import LedgerEntry
from schemas.linkages import BANKRUPTCY, Linkage
from schemas.matters.bankruptcy.candidate import Insolvency
from schemas.matters.bankruptcy.lines import (
    AssetLine,
    DebtLine,
    DistributedLine,
    EnforcingCourt,
    SeizedLine,
    check_bankruptcy_case,
)
from schemas.matters.fund.money import HANDOVER_DAYS
from schemas.parts.items import distinct
from schemas.parts.steps import StepItem
from schemas.values.identifiers import CaseNo
from schemas.values.objects import Address, Measure, Money, Org
from schemas.values.terms import check_days

DECISION_DAYS = 30  # [S] the receiving court decides whether it accepts


class GivenConsent(Model):
    """A creditor under enforcement or the enterprise itself agrees in writing; one is enough."""

    by: Annotated[
        Vocabulary[Annotated[Literal["creditor"], "申请执行人"] | Annotated[Literal["debtor"], "被执行人"]],
        label("同意人", "Who agrees"),
    ]
    party: Annotated[Line, label("姓名或名称", "Name")]
    given_on: Annotated[PastDay, label("同意日期", "Given on")]


def _some(evidence: list[Document]) -> list[Document]:
    if not evidence:
        raise broken("insolvency-evidence")
    return evidence


class BankruptcyTransfer(Model):
    """property is what is known of it; seized, what of that is held; distributed, what was paid out before."""

    enterprise: Annotated[Org, label("被执行企业", "The enterprise")]
    domicile: Annotated[Address, label("住所地", "Its domicile, which decides the court")]
    consent: Annotated[GivenConsent, label("同意情况", "Who agrees")]
    grounds: Annotated[
        list[Insolvency],
        label("破产原因", "What shows that it cannot pay", min_length=1, max_length=4),
        AfterValidator(distinct),
    ]
    insolvency: Annotated[
        list[Document], label("不能清偿的证据", "Evidence of the insolvency", max_length=50), AfterValidator(_some)
    ]
    decision_no: Annotated[Line, label("移送决定书文号", "Number of the decision to transfer")]
    decided_on: Annotated[PastDay, label("移送决定日期", "Decided on")]
    transferred_on: Annotated[PastDay, label("移送日期", "Transferred on")]
    property: Annotated[list[AssetLine], label("财产清单", "List of property", max_length=500)]
    seized: Annotated[list[SeizedLine], label("查封财产清单", "Property under a measure", max_length=500)]
    distributed: Annotated[list[DistributedLine], label("已分配清单", "What was distributed", max_length=500)]
    debts: Annotated[list[DebtLine], label("债务清单", "List of debts", min_length=1, max_length=1000)]
    measures: Annotated[list[Measure], label("查封措施清单", "Live measures", max_length=500)]
    other_courts: Annotated[list[EnforcingCourt], label("其他执行法院", "Other enforcing courts", max_length=200)]
    funds_in_hand: Annotated[Money, label("未分配案款", "Money in hand that is not distributed, CNY")]
    employees: Annotated[int | None, label("在册职工人数", "Employees", ge=0, le=1_000_000)] = None
    note: Annotated[Prose | None, label("其他说明", "What else matters")] = None

    @model_validator(mode="after")
    def _in_order(self) -> BankruptcyTransfer:
        if self.consent.given_on > self.decided_on:
            raise broken("consent-after-decision", at="/consent/given_on")
        if self.decided_on > self.transferred_on:
            raise broken("decision-after-transfer", at="/decided_on")
        for index, line in enumerate(self.distributed):
            if line.paid_on > self.decided_on:
                raise broken("distributed-after-decision", at=f"/distributed/{index}/paid_on")
        self._check_seized()
        return self

    def _check_seized(self) -> None:
        assets = {line.ref for line in self.property}
        measures = {measure.measure_no for measure in self.measures}
        for index, line in enumerate(self.seized):
            if line.asset not in assets:
                raise broken("asset-unlisted", at=f"/seized/{index}/asset")
            if line.measure_no not in measures:
                raise broken("measure-unlisted", at=f"/seized/{index}/measure_no")


class TransferDecision(StepItem):
    """ref: the enterprise. `under-review` tells that a case of review was filed; the ruling follows."""

    steps: ClassVar[frozenset[str]] = frozenset({"under-review"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["under-review"], "已立破产审查案"]
            | Annotated[Literal["accepted"], "裁定受理"]
            | Annotated[Literal["rejected"], "裁定不予受理或驳回"]
        ],
        label(
            "审查结果",
            "What was decided",
        ),
    ]
    case_no: Annotated[CaseNo | None, label("破产案号", "Number of the bankruptcy case")] = None
    decided_on: Annotated[AnswerDay, label("决定日期", "Decided on")]
    administrator: Annotated[Line | None, label("管理人", "Administrator")] = None
    served_on: Annotated[PastDay | None, label("裁定送达日期", "When the ruling was served on the court")] = None
    handover_due_on: Annotated[
        AnyDay | None, label("财产移交期限", "Until when money and property are handed over; seven days from service")
    ] = None
    reason: Annotated[Prose | None, label("理由", "Why it was rejected")] = None

    @model_validator(mode="after")
    def _whole(self) -> TransferDecision:
        check_bankruptcy_case(self.case_no, at="/case_no")
        if self.answer == "accepted":
            self._check_handover()
        if self.answer == "rejected" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self

    def _check_handover(self) -> None:
        if self.served_on is None or self.handover_due_on is None:
            raise broken("handover-due-required", at="/handover_due_on" if self.served_on else "/served_on")
        if self.served_on < self.decided_on:
            raise broken("end-before-start", at="/served_on")
        check_days(self.served_on, self.handover_due_on, HANDOVER_DAYS, at="/handover_due_on")


_LEDGER_KINDS = {"under-review": "under-review", "accepted": "accepted", "rejected": "not-accepted"}


def _ruled(verb: str, data: Mapping[str, Any]) -> LedgerEntry | None:
    """After an acceptance the handover is owed, and it is over when the court confirms that it was made."""
    if verb == "confirm":
        return LedgerEntry("bankruptcy", "done", settles=True)
    if verb not in ("result", "correct"):
        return None
    for item in data["items"]:
        return LedgerEntry(
            "bankruptcy",
            _LEDGER_KINDS[item["answer"]],
            settles=item["answer"] == "rejected",
            on=item["decided_on"],
            due_on=item.get("handover_due_on"),
        )
    return LedgerEntry("bankruptcy", data["outcome"], settles=True)


BANKRUPTCY_TRANSFER = ask(
    name="bankruptcy.transfer.submit",
    zh="执转破移送",
    en="Transfer an enterprise to bankruptcy review",
    help_zh="作出移送决定后，把被执行企业移送破产审查。附移送决定书、同意书和不能清偿的证据，列明财产、查封、已分配、"
    f"债务、措施和其他执行法院，院长签署。材料不齐的会要求补正或退回；{DECISION_DAYS} 日内裁定是否受理，受理的 "
    f"{HANDOVER_DAYS} 日内移交案款和财产。移交后请确认办结；移送后请另发中止通知。",
    help_en="After the decision: hands the enterprise over for review. With decision, consent and evidence; lists "
    "of property, what is seized, what was distributed, debts, measures and other courts; signed by the president. "
    f"What is short is asked for or returned; ruled on in {DECISION_DAYS} days, and on acceptance the money and "
    f"property are handed over in {HANDOVER_DAYS}. Confirm when that was done. Notify the stay as well.",
    linkages=(
        Linkage(
            group=BANKRUPTCY,
            row=2,
            zh="移送",
            en="Transfer",
            ledger="bankruptcy",
            note=("受理后 7 日内移交案款和财产", "money and property handed over in 7 days of acceptance"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE, Kind.COURT}),  # a division of ours, or the court of the domicile
    request=BankruptcyTransfer,
    result_item=TransferDecision,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    coercive=lambda _: True,  # it stays every enforcement against the enterprise: signed, and only from a case of 执
    approvals=lambda _: ApprovalRule(people=2, roles=("president",)),
    ledger=lambda payload: LedgerEntry("bankruptcy", on=payload.transferred_on),
    ledger_answer=_ruled,
    documents=lambda _: {"bankruptcy-transfer-decision": 1, "bankruptcy-consent": 1},
    asked_on=lambda payload: payload.transferred_on,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, DECISION_DAYS),
    fixed_by=FixedBy("FAFA-2017-2-13"),
    example_request={
        "enterprise": {
            "ref": "n5r9t4sy",
            "name": "云川演示机械有限公司",
            "uscc": "93610528MA6Y00001Y",
            "legal_representative": "王演示",
        },
        "domicile": {"division_code": "610199", "street": "工业路", "detail": "9号"},
        "consent": {"by": "creditor", "party": "演示农商银行", "given_on": "2026-04-08"},
        "grounds": ["cannot-pay-due", "assets-insufficient"],
        "insolvency": [
            {
                "kind": "evidence",
                "issued_on": "2026-04-01",
                "sha256": "c1" * 32,
                "pages": 12,
                "media_type": "application/pdf",
            }
        ],
        "decision_no": "（2026）陕0199执900001号之一",
        "decided_on": "2026-04-10",
        "transferred_on": "2026-04-13",
        "property": [
            {
                "ref": "w2d6f8gh",
                "kind": "realty",
                "description": "工业路9号厂房",
                "value": "1000000.00",
                "location": "云川县工业路9号",
            },
            {"ref": "x3e7g9hj", "kind": "cash", "description": "已扣划的银行存款", "value": "250000.00"},
        ],
        "seized": [
            {"asset": "w2d6f8gh", "measure_no": "court-sn0199-20260110-900003-1", "held_by": "演示资产保管公司"}
        ],
        "distributed": [{"to_whom": "欠薪职工", "amount": "180000.00", "paid_on": "2026-02-06"}],
        "debts": [
            {
                "creditor": "演示农商银行",
                "nature": "secured",
                "amount": "5200000.00",
                "case_no": "（2026）陕0199执900001号",
            },
            {"creditor": "职工三十四人", "nature": "wages", "amount": "960000.00"},
        ],
        "measures": [
            {
                "measure_no": "court-sn0199-20260110-900003-1",
                "start_on": "2026-01-12",
                "end_on": "2029-01-11",
                "rank": 1,
            }
        ],
        "other_courts": [{"court": "富平县人民法院（演示）", "case_no": "（2026）陕0591执900007号"}],
        "funds_in_hand": "250000.00",
        "employees": 34,
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-08T15:00:00+08:00",
        "items": [
            {
                "ref": "n5r9t4sy",
                "answer": "accepted",
                "case_no": "（2026）陕0199破900001号",
                "decided_on": "2026-05-07",
                "administrator": "演示律师事务所",
                "served_on": "2026-05-08",
                "handover_due_on": "2026-05-15",
            }
        ],
    },
)
