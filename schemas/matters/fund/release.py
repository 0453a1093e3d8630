"""Money of cases 案款 (docs/domain.md 2.10): the bureau approves a payment, the finance office makes it.

Thirty days from the finance office's notice that the money came, unless a delay is approved; ten days once its reason
has ended (法发〔2017〕6号 article 10 [S]): rows of the law's table of terms, which a court with its own rules changes.
To the administrator of a bankruptcy, seven days from the ruling (法发〔2017〕2号 article 17 [S]).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LastDay
from schemas.declare import ask
from schemas.law.terms import PAYOUT, PAYOUT_AFTER_DELAY
from schemas.ledgers import LedgerEntry
from schemas.linkages import MONEY, Linkage
from schemas.matters.fund.events import RECORDS_YEARS
from schemas.matters.fund.money import HANDOVER_DAYS, AccountTail, FundNo, PayeeKind, Sum
from schemas.values.terms import check_days, check_order, days_between


class Payee(Model):
    """Whom to pay. The finance office has the account; four characters tell whether it is the same."""

    ref: Annotated[Ref, label("收款人编号", "Reference of this payee within the request")]
    name: Annotated[Name, label("收款人", "Name")]
    kind: Annotated[PayeeKind, label("收款人类别", "Kind of payee")]
    account_tail4: Annotated[AccountTail, label("收款账号后四位", "Last four of the account")]


class ApprovedDelay(Model):
    """Why the money is not paid within its term, and who agreed. ended_on: from then on another term runs."""

    reason: Annotated[
        Vocabulary[
            Annotated[Literal["distribution"], "需要进行案款分配"]
            | Annotated[Literal["attached"], "案款因另案被保全或冻结"]
            | Annotated[Literal["not-collected"], "申请执行人经通知未领取"]
            | Annotated[Literal["stayed"], "案件中止或暂缓执行"]
            | Annotated[Literal["other"], "其他正当理由"]
        ],
        label("延缓事由", "Why it waits"),
    ]
    approved_by: Annotated[Name, label("批准人", "Chief of the bureau or leader of the court")]
    approved_on: Annotated[PastDay, label("批准日期", "Approved on")]
    ended_on: Annotated[PastDay | None, label("事由消失日期", "When the reason ended")] = None
    note: Annotated[Prose | None, label("说明", "Explanation")] = None


class ReleaseApproval(Model):
    """day_count: the days from the receipt to this approval, as the form states them. notified_on: begins the term;
    absent, the day of the receipt does."""

    payee: Annotated[Payee, label("收款人", "To whom")]
    receipt_no: Annotated[FundNo, label("到账编号", "Receipt that it is paid from")]
    amount: Annotated[Sum, label("发放金额", "Amount, CNY")]
    received_on: Annotated[PastDay, label("到账日期", "When the money came")]
    notified_on: Annotated[
        PastDay | None, label("到账通知日期", "When the finance office told the bureau; the term runs from here")
    ] = None
    approved_on: Annotated[PastDay, label("审批日期", "Approved on")]
    day_count: Annotated[int, label("在账天数", "Days from the receipt to the approval", ge=0, le=36_500)]
    pay_by: Annotated[AnyDay, label("最迟发放日期", "Last day to pay")]
    served_on: Annotated[PastDay | None, label("受理裁定送达日期", "When the ruling of acceptance was served")] = None
    delay: Annotated[ApprovedDelay | None, label("延缓发放", "An approved delay")] = None

    @model_validator(mode="after")
    def _in_time(self) -> ReleaseApproval:
        if self.notified_on is not None:
            check_order(self.received_on, self.notified_on, at="/notified_on")
        check_order(self.notified_on or self.received_on, self.approved_on, at="/approved_on")
        if self.day_count != days_between(self.received_on, self.approved_on):
            raise broken("day-count-mismatch", at="/day_count")
        check_order(self.approved_on, self.pay_by, at="/pay_by")
        if self.delay and self.delay.reason == "other" and self.delay.note is None:
            raise broken("reason-required", at="/delay/note")
        if self.delay and self.delay.ended_on is not None:
            check_order(self.delay.approved_on, self.delay.ended_on, at="/delay/ended_on")
        if self.payee.kind == "administrator":
            if self.served_on is None:
                raise broken("served-required", at="/served_on")
            check_days(self.served_on, self.pay_by, HANDOVER_DAYS, at="/pay_by")
        return self


class Payment(Model):
    ref: Annotated[Ref, label("收款人编号", "The payee")]
    status: Annotated[
        Vocabulary[Annotated[Literal["paid"], "已发放"] | Annotated[Literal["failed"], "未成功"]],
        label("办理结果", "What became of it"),
    ]
    paid_on: Annotated[PastDay | None, label("付款日期", "Paid on")] = None
    amount: Annotated[Sum | None, label("付款金额", "Amount, CNY")] = None
    voucher_no: Annotated[Line | None, label("付款凭证号", "Number of the voucher")] = None
    fail_reason: Annotated[Line | None, label("未成功原因", "Why it failed")] = None

    @model_validator(mode="after")
    def _whole(self) -> Payment:
        if self.status == "failed":
            if self.fail_reason is None:
                raise broken("fail-reason-required", at="/fail_reason")
            return self
        for member in ("paid_on", "amount", "voucher_no"):
            if getattr(self, member) is None:
                raise broken("payment-details", at=f"/{member}")
        return self


def _documents(payload: ReleaseApproval) -> Mapping[str, int]:
    return {"release-approval": 1, **({"delay-approval": 1} if payload.delay else {})}


def _last_days(payload: ReleaseApproval) -> tuple[LastDay, ...]:
    """While the reason for a delay lasts, nothing runs out; what belongs to a bankruptcy has a term of its own."""
    paid_out, delay = (PAYOUT, payload.notified_on or payload.received_on), payload.delay
    if payload.payee.kind == "administrator":
        return ()
    if delay is None:
        return (LastDay("/pay_by", payload.pay_by, "payout-late", (paid_out,)),)
    if delay.ended_on is None:
        return ()
    after = (paid_out, (PAYOUT_AFTER_DELAY, delay.ended_on))
    return (LastDay("/pay_by", payload.pay_by, "payout-late-after-delay", after),)


def _promised(payload: ReleaseApproval) -> LedgerEntry:
    """Until when this receipt is now to be paid out; a delay moves the day."""
    kind, on = ("delay", payload.delay.approved_on) if payload.delay else ("approved", payload.approved_on)
    return LedgerEntry("fund", kind, item=payload.receipt_no, on=on, due_on=payload.pay_by)


FUND_RELEASE_APPROVAL = ask(
    name="fund.release.approve",
    zh="案款发放审批",
    en="Approve a payment of a case's money",
    help_zh="执行局审批发放案款，由财务部门付款。写明到账编号、金额、收款人和账号后四位、到账通知日期、到账至审批的天数；"
    "最迟发放日期自到账通知之日起算（法发〔2017〕6号第十条为 30 日，本院可在 law/terms.toml 另定），超过的须有经批准的"
    f"延缓，事由消失后 10 日内发放。移交破产管理人的，自受理裁定送达之日起 {HANDOVER_DAYS} 日（法发〔2017〕2号第十七"
    "条）。须两人审批，其中一人为执行局局长。网关不付款，也不传完整账号。",
    help_en="The bureau approves, the finance office pays. Receipt, sum, payee, last four of the account, day of the "
    "notice, days since the receipt; the last day to pay is counted from the notice (FAFA-2017-6-10: 30 days; a court "
    "changes it in law/terms.toml), or a delay is approved, and 10 days once its reason has ended. To an "
    f"administrator: {HANDOVER_DAYS} days from the service of the ruling (FAFA-2017-2-17). Two approvals, one the "
    "bureau chief's. The gateway pays nothing and carries no account in full.",
    linkages=(
        Linkage(
            group=MONEY,
            row=2,
            zh="发放审批",
            en="Approved",
            ledger="fund",
            note=("超过 30 日须有经批准的延缓", "beyond 30 days, an approved delay"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE}),
    request=ReleaseApproval,
    result_item=Payment,
    request_class=Classification.SENSITIVE,
    coercive=lambda _: True,  # money leaves the court: signed, and only in a case of 执, 执恢 or 执保
    approvals=lambda _: ApprovalRule(people=2, roles=("bureau-chief",)),
    documents=_documents,
    ledger=_promised,
    last_days=_last_days,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),  # [D] the finance office's; the term is in the payload
    retention_years=RECORDS_YEARS,
    example_request={
        "payee": {"ref": "g2h6k8mn", "name": "赵样例", "kind": "claimant", "account_tail4": "7788"},
        "receipt_no": "DZ-900001",
        "amount": "128000.00",
        "received_on": "2026-03-24",
        "notified_on": "2026-03-24",
        "approved_on": "2026-04-01",
        "day_count": 8,
        "pay_by": "2026-04-23",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-03T15:00:00+08:00",
        "items": [
            {
                "ref": "g2h6k8mn",
                "status": "paid",
                "paid_on": "2026-04-03",
                "amount": "128000.00",
                "voucher_no": "PZ-900001",
            }
        ],
    },
)
