"""What several matter types have in common: the line of a result about one controlled object, and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastDay, PastMoment
from lianzhi.protocol.values import Line
from schemas.values.identifiers import Phone
from schemas.values.objects import Money
from schemas.values.terms import check_order

T = TypeVar("T", bound=Sequence[str])


def distinct(values: T) -> T:
    """Raises PydanticCustomError `duplicate-value` at the second of two equal values."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise broken("duplicate-value", at=f"/{index}")
    return values


DutyPhones = Annotated[list[Phone], Field(min_length=2, max_length=10), AfterValidator(distinct)]
"""Two different telephones at least: one person may be asleep (docs/domain.md 2.3, 2.4)."""

Found = Vocabulary[
    Annotated[Literal["found"], "有"] | Annotated[Literal["none"], "无"] | Annotated[Literal["denied"], "不予提供"]
]
"""What a register answers: nothing on file is an answer, and so is a denial."""


class ControlledItem(Model):
    """What became of one object: done, queued behind others (轮候), or failed and why."""

    ref: Annotated[Ref, label("对象编号", "The object")]
    status: Annotated[
        Vocabulary[
            Annotated[Literal["done"], "已办"]
            | Annotated[Literal["queued"], "轮候"]
            | Annotated[Literal["failed"], "未办成"]
        ],
        label("办理结果", "What became of it"),
    ]
    rank: Annotated[int | None, label("顺位", "1 = 首封, n = 轮候", ge=1, le=999)] = None
    start_on: Annotated[AnyDay | None, label("起始日期", "First day")] = None
    end_on: Annotated[AnyDay | None, label("到期日期", "Last day")] = None
    registered_on: Annotated[
        PastDay | None, label("登记日期", "Day on which the register entered it, where it is not the first day")
    ] = None
    registry_no: Annotated[Line | None, label("登记编号", "Number in the registry")] = None
    fail_reason: Annotated[Line | None, label("未办成原因", "Why it failed")] = None

    @model_validator(mode="after")
    def _consistent(self) -> ControlledItem:
        if self.status == "failed" and self.fail_reason is None:
            raise broken("fail-reason-required", at="/fail_reason")
        if self.status == "queued" and (self.rank is None or self.rank < 2):
            raise broken("rank-required", at="/rank")
        if self.start_on and self.end_on:
            check_order(self.start_on, self.end_on)
        return self


class PropertyItem(ControlledItem):
    """What became of property that courts and departments seal or freeze: what the register really holds.

    published_at, company_told_on: of a share in a company, which is frozen from its publication in the enterprise
    credit system; the first that was published is the first, and the company is told (法释〔2021〕20号 6).
    """

    receipt_no: Annotated[Line | None, label("回执编号", "Number of the assisting unit's receipt")] = None
    amount: Annotated[Money | None, label("金额", "Amount in fact frozen, deducted or handed over, CNY")] = None
    appraised: Annotated[Money | None, label("评估价", "Appraised value, where there is one, CNY")] = None
    published_at: Annotated[PastMoment | None, label("公示时间", "When the freeze of the share was published")] = None
    company_told_on: Annotated[PastDay | None, label("通知公司日期", "Day on which the company was told")] = None
