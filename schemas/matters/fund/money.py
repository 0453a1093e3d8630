"""Money of cases 案款 (docs/domain.md 2.10): what the events and the approval have in common.

The gateway moves no money. A sum and the last four characters of an account are all that it is told.
The days in which it is paid out are terms of the law's table (`schemas.law.terms`).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from lianzhi.protocol.base import Vocabulary
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import upper
from schemas.values.objects import Money

HANDOVER_DAYS = 7  # [S] to the administrator, from the ruling that accepts the bankruptcy (法发〔2017〕2号 17)

_TAIL = re.compile(r"[0-9A-Z]{4}")


def _tail(text: str) -> str:
    value = upper(text)
    if not _TAIL.fullmatch(value):
        raise broken("account-tail-form")
    return value


def _positive(text: str) -> str:
    if text == "0.00":
        raise broken("amount-positive")
    return text


AccountTail = Annotated[str, StringConstraints(max_length=40), AfterValidator(_tail)]
"""The last four characters of an account; the whole number is refused."""
Sum = Annotated[Money, AfterValidator(_positive)]
"""An amount of money that really moved: more than nothing."""
FundNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{4,40}$")]
"""The finance office's own number of a receipt, a payment or a deposit."""

PayeeKind = Vocabulary[
    Annotated[Literal["claimant"], "申请执行人"]
    | Annotated[Literal["administrator"], "破产管理人（移交）"]
    | Annotated[Literal["debtor-refund"], "退还被执行人"]
    | Annotated[Literal["court-fee"], "执行费等费用"]
    | Annotated[Literal["other-court"], "其他法院"]
    | Annotated[Literal["third-party"], "其他权利人"]
]
