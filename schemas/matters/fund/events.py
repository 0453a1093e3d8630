"""Money of cases 案款 (docs/domain.md 2.10): the finance office reports receipts, payments and deposits.

No name and no account in full: a number of the finance office, a sum, a day, four characters.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.law.terms import PAYOUT
from schemas.ledgers import CLAIMED, OPENED, UNIDENTIFIED, LedgerEntry
from schemas.linkages import MONEY, Linkage
from schemas.matters.fund.money import AccountTail, FundNo, PayeeKind, Sum
from schemas.values.terms import check_order

RECORDS_YEARS = 30  # [H] vouchers of accounting are kept thirty years

OFFICES = frozenset({Kind.OFFICE})
COURTS = frozenset({Kind.COURT})
TO_READ = Deadline(DeadlineKind.WORKING_DAYS, 1)  # [D]

PAID_OUT = Linkage(group=MONEY, row=3, zh="发放、提存", en="Paid out, deposited", ledger="fund")


class FundReceipt(Model):
    """unidentified: nobody knows yet whose case it is for; the case number may be absent, and no term runs. claimed_on:
    money that was told as unidentified under this number belongs to this case."""

    receipt_no: Annotated[FundNo, label("到账编号", "Number of the receipt")]
    amount: Annotated[Sum, label("到账金额", "Amount, CNY")]
    received_on: Annotated[PastDay, label("到账日期", "Received on")]
    notified_on: Annotated[
        PastDay | None,
        label("到账通知日期", "When the bureau was told, where not on that day; the term runs from here"),
    ] = None
    unidentified: Annotated[bool, label("不明款", "Nobody knows yet for which case it is")] = False
    claimed_on: Annotated[PastDay | None, label("认领日期", "Day on which its case became known")] = None
    method: Annotated[
        Vocabulary[
            Annotated[Literal["deducted"], "扣划"]
            | Annotated[Literal["paid-in"], "当事人缴款"]
            | Annotated[Literal["auction"], "拍卖变卖款"]
            | Annotated[Literal["other-court"], "其他法院转来"]
            | Annotated[Literal["third-party"], "协助义务人交付"]
        ],
        label("来款方式", "How it came"),
    ]
    account_tail4: Annotated[AccountTail | None, label("付款账号后四位", "Last four of the payer's account")] = None

    @model_validator(mode="after")
    def _in_order(self) -> FundReceipt:
        if self.unidentified and self.claimed_on is not None:
            raise broken("unidentified-or-claimed", at="/claimed_on")
        for member in ("notified_on", "claimed_on"):
            if (day := getattr(self, member)) is not None:
                check_order(self.received_on, day, at=f"/{member}")
        return self


def _received(payload: FundReceipt) -> LedgerEntry:
    """The term begins with the notice (法发〔2017〕6号 article 10), of claimed money with a claim that is later."""
    kind, on, term = OPENED, payload.received_on, (PAYOUT, payload.notified_on or payload.received_on)
    if payload.claimed_on is not None:
        kind, on, term = CLAIMED, payload.claimed_on, (PAYOUT, max(term[1], payload.claimed_on))
    return LedgerEntry(
        "fund",
        UNIDENTIFIED if payload.unidentified else kind,
        item=payload.receipt_no,
        on=on,
        term=None if payload.unidentified else term,
        amount=payload.amount,
    )


FUND_RECEIPT = notice(
    name="fund.receipt.event",
    zh="案款到账",
    en="Money of a case came in",
    help_zh="财务部门通知执行局案款到账：到账编号、金额、日期、来款方式，账号只填后四位。自到账通知之日起 30 日内发放"
    "（法发〔2017〕6号第十条；本院可在 law/terms.toml 另定），台账从这一日起计。不知属于哪一案的，填不明款，不填案号；"
    "查明后以同一到账编号再发一次，填案号和认领日期，期限从认领起算。",
    help_en="The finance office tells the bureau that money came: its number, sum, day and way; of accounts only the "
    "last four. It is paid out within 30 days of this notice (FAFA-2017-6-10; a court changes it in law/terms.toml), "
    "from which the ledger counts. Where nobody knows the case: `unidentified`, without a case number; once it is "
    "known, the same number again with the case and `claimed_on`, from which the term then runs.",
    linkages=(
        Linkage(
            group=MONEY,
            row=1,
            zh="到账",
            en="Received",
            ledger="fund",
            note=("自到账通知起 30 日内发放；不明款待认领", "paid out within 30 days of the notice, or claim"),
        ),
    ),
    senders=OFFICES,
    receivers=COURTS,
    request=FundReceipt,
    request_class=Classification.INTERNAL,
    deadline=TO_READ,
    retention_years=RECORDS_YEARS,
    ledger=_received,
    caseless=lambda payload: payload.unidentified,
    example_request={
        "receipt_no": "DZ-900001",
        "amount": "128000.00",
        "received_on": "2026-03-24",
        "notified_on": "2026-03-24",
        "method": "deducted",
        "account_tail4": "0001",
    },
)


# --- paid out -----------------------------------------------------------------------------------------------------


class FundRelease(Model):
    release_no: Annotated[FundNo, label("发放编号", "Number of the payment")]
    receipt_no: Annotated[FundNo, label("到账编号", "Receipt that it was paid from")]
    approval_no: Annotated[RequestNo | None, label("发放审批编号", "Request that approved it")] = None
    amount: Annotated[Sum, label("发放金额", "Amount, CNY")]
    released_on: Annotated[PastDay, label("发放日期", "Paid on")]
    payee: Annotated[PayeeKind, label("收款人类别", "To whom, by kind")]
    account_tail4: Annotated[AccountTail, label("收款账号后四位", "Last four of the payee's account")]
    voucher_no: Annotated[Line | None, label("付款凭证号", "Number of the voucher")] = None


def _released(payload: FundRelease) -> LedgerEntry:
    return LedgerEntry(
        "fund", "released", settles=True, item=payload.receipt_no, on=payload.released_on, amount=payload.amount
    )


FUND_RELEASE = notice(
    name="fund.release.event",
    zh="案款发放",
    en="Money of a case was paid out",
    help_zh="财务部门通知执行局案款已发放：发放编号、对应的到账编号和审批、金额、日期、收款人类别，账号只填后四位。",
    help_en="The finance office tells the bureau that money was paid out: its number, the receipt and the approval "
    "that it rests on, sum, day, kind of payee; of accounts only the last four.",
    linkages=(PAID_OUT,),
    senders=OFFICES,
    receivers=COURTS,
    request=FundRelease,
    request_class=Classification.INTERNAL,
    deadline=TO_READ,
    retention_years=RECORDS_YEARS,
    ledger=_released,
    example_request={
        "release_no": "FK-900001",
        "receipt_no": "DZ-900001",
        "approval_no": "court-sn0199-20260401-000031",
        "amount": "128000.00",
        "released_on": "2026-04-03",
        "payee": "claimant",
        "account_tail4": "7788",
        "voucher_no": "PZ-900001",
    },
)


# --- deposited ----------------------------------------------------------------------------------------------------


class FundEscrow(Model):
    escrow_no: Annotated[FundNo, label("提存编号", "Number of the deposit")]
    receipt_no: Annotated[FundNo, label("到账编号", "Receipt that it came from")]
    amount: Annotated[Sum, label("提存金额", "Amount, CNY")]
    escrowed_on: Annotated[PastDay, label("提存日期", "Deposited on")]
    reason: Annotated[
        Vocabulary[
            Annotated[Literal["payee-refuses"], "收款人拒绝受领"]
            | Annotated[Literal["payee-missing"], "收款人下落不明"]
            | Annotated[Literal["unclaimed"], "经通知逾期未领取"]
            | Annotated[Literal["disputed"], "权属或分配有争议"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("提存原因", "Why it is not paid out"),
    ]
    place: Annotated[Line, label("提存机构", "Where it is deposited")]
    note: Annotated[Line | None, label("说明", "Explanation, without names")] = None

    @model_validator(mode="after")
    def _explained(self) -> FundEscrow:
        if self.reason == "other" and self.note is None:
            raise broken("reason-required", at="/note")
        return self


def _deposited(payload: FundEscrow) -> LedgerEntry:
    return LedgerEntry(
        "fund", "escrow", settles=True, item=payload.receipt_no, on=payload.escrowed_on, amount=payload.amount
    )


FUND_ESCROW = notice(
    name="fund.escrow.event",
    zh="案款提存",
    en="Money of a case was deposited",
    help_zh="财务部门通知执行局案款已提存：提存编号、对应的到账编号、金额、日期、原因和提存机构。提存的案款不再计入"
    "未发放。",
    help_en="The finance office tells the bureau that money was deposited: its number, the receipt, sum, day, "
    "reason and place. What is deposited no longer counts as not paid out.",
    linkages=(PAID_OUT,),
    senders=OFFICES,
    receivers=COURTS,
    request=FundEscrow,
    request_class=Classification.INTERNAL,
    deadline=TO_READ,
    retention_years=RECORDS_YEARS,
    ledger=_deposited,
    example_request={
        "escrow_no": "TC-900001",
        "receipt_no": "DZ-900002",
        "amount": "5600.00",
        "escrowed_on": "2026-04-20",
        "reason": "payee-missing",
        "place": "云川县公证处（演示）",
    },
)
