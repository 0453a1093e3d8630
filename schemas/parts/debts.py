"""The debt of a case: one figure, and by which reasons another takes its place (查封扣押冻结规定 19)."""

from __future__ import annotations

from typing import Annotated, Literal

from lianzhi.protocol.base import Vocabulary
from lianzhi.protocol.rules import broken

DebtReason = Vocabulary[
    Annotated[Literal["interest"], "利息、迟延履行利息增加"]
    | Annotated[Literal["performed"], "已部分履行"]
    | Annotated[Literal["costs"], "执行费等费用计入"]
    | Annotated[Literal["decided"], "执行依据变更或申请人增减请求"]
    | Annotated[Literal["corrected"], "原数额有误"]
]


def check_debt_reason(debt: str | None, reason: str | None) -> None:
    """Raises `debt-reason-not-needed`: a reason for a figure that is not there."""
    if reason is not None and debt is None:
        raise broken("debt-reason-not-needed", at="/debt_reason")
