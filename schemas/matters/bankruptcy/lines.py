"""What a transfer for bankruptcy review lists (docs/domain.md 2.10; 法发〔2017〕2号 article 11 [S]).

Lists name each other's lines: what is seized names the property and the measure, by `asset` and `measure_no`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Name
from schemas.matters.fund.money import Sum
from schemas.values.identifiers import BANKRUPTCY_TYPES, Phone, QuotedCaseNo, case_type
from schemas.values.objects import MeasureNo, Money


class AssetLine(Model):
    """One thing that the enterprise has, as far as is known."""

    ref: Annotated[Ref, label("财产编号", "Reference of this property")]
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["cash"], "现金、存款"]
            | Annotated[Literal["realty"], "不动产"]
            | Annotated[Literal["vehicle"], "车辆"]
            | Annotated[Literal["machinery"], "机器设备"]
            | Annotated[Literal["stock"], "存货"]
            | Annotated[Literal["equity"], "股权"]
            | Annotated[Literal["receivable"], "应收债权"]
            | Annotated[Literal["intangible"], "知识产权等"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("财产种类", "Kind of property"),
    ]
    description: Annotated[Line, label("财产描述", "What it is")]
    value: Annotated[Money | None, label("估值", "Value, CNY")] = None
    location: Annotated[Line | None, label("所在", "Where it is")] = None


class SeizedLine(Model):
    """A property of the list that is under a measure of the list."""

    asset: Annotated[Ref, label("财产编号", "The property")]
    measure_no: Annotated[MeasureNo, label("措施编号", "The measure")]
    held_by: Annotated[Line | None, label("保管人", "Who keeps it")] = None


class DistributedLine(Model):
    """Money that was paid out before the decision."""

    to_whom: Annotated[Name, label("受偿人", "To whom")]
    amount: Annotated[Sum, label("分配金额", "Amount, CNY")]
    paid_on: Annotated[PastDay, label("分配日期", "Paid on")]


class DebtLine(Model):
    creditor: Annotated[Name, label("债权人", "To whom it is owed")]
    nature: Annotated[
        Vocabulary[
            Annotated[Literal["wages"], "职工债权"]
            | Annotated[Literal["social-security"], "社会保险费用"]
            | Annotated[Literal["tax"], "税款"]
            | Annotated[Literal["secured"], "有财产担保的债权"]
            | Annotated[Literal["ordinary"], "普通债权"]
        ],
        label("债权性质", "Nature of the claim"),
    ]
    amount: Annotated[Sum, label("债权金额", "Amount, CNY")]
    case_no: Annotated[QuotedCaseNo | None, label("执行案号", "Case in which it is enforced")] = None


class EnforcingCourt(Model):
    """Another court that enforces against the enterprise: it is told to stay."""

    court: Annotated[Line, label("执行法院", "The court")]
    case_no: Annotated[QuotedCaseNo, label("执行案号", "Its case")]
    phone: Annotated[Phone | None, label("联系电话", "Its telephone")] = None


def check_bankruptcy_case(case_no: str | None, *, at: str) -> None:
    """Raises `bankruptcy-case-required` at `at`: none, or not a case of bankruptcy."""
    if case_no is None or case_type(case_no) not in BANKRUPTCY_TYPES:
        raise broken("bankruptcy-case-required", at=at)
