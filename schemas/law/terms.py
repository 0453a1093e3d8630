"""Terms that a court's superior or its own rules may shorten or count in another way.

`days` counts from the day after the one that begins the term. `legal`: a last day that is a rest day moves on to the
next working day (CPL-85); `working`: only working days count (docs/domain.md section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.law.force import Entry, Table, law

PAYOUT, PAYOUT_AFTER_DELAY = "fund-payout", "fund-payout-after-delay"
BEGINS: Mapping[str, tuple[str, str]] = {
    PAYOUT: ("收到财务部门到账通知", "the finance office's notice that the money came"),
    PAYOUT_AFTER_DELAY: ("延缓发放的事由消失", "the end of the reason for which it was delayed"),
}
"""What begins each term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Entry):
    """name: one of `BEGINS`, which says what begins it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    days: Annotated[int, Field(ge=1, le=3650)]
    kind: Literal["legal", "working"]


def _known(rows: Mapping[str, Term]) -> Iterable[str]:
    known = ", ".join(BEGINS)
    for name in sorted(rows.keys() - BEGINS.keys()):
        yield f"{name}：没有这个期限，可用：{known}。 No such term; there are: {known}."


TERMS = Table(
    name="terms",
    zh="期限",
    en="Terms",
    entry=Term,
    key=("name",),
    default=(
        Term(
            name=PAYOUT,
            days=30,
            kind="legal",
            source="法发〔2017〕6号第十条 (FAFA-2017-6-10)",
            since=date(2017, 5, 1),
        ),
        Term(
            name=PAYOUT_AFTER_DELAY,
            days=10,
            kind="legal",
            source="法发〔2017〕6号第十条 (FAFA-2017-6-10)",
            since=date(2017, 5, 1),
        ),
    ),
    faults=_known,
)


def term(name: str, begins: date) -> Term:
    """What counts for a term that begins on `begins`: a term is as long as the rule of its first day says, whatever the
    rule becomes while it runs. Raises KeyError: not one of the product's."""
    return law().on(TERMS, begins)[name]
