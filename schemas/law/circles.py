"""On whom a sanction may be put: in which role in the case, and whether on somebody under 18."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from lianzhi.protocol.rules import broken
from schemas.law.force import Entry, Table, law
from schemas.values.objects import Person, PersonRole

Sanction = Literal["dishonest", "consumption-limit", "exit-restrict"]
LISTED: Sanction = "dishonest"
LIMITED: Sanction = "consumption-limit"
KEPT: Sanction = "exit-restrict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle(Entry):
    """roles: in which somebody may be hit. minors: whether somebody under 18 may."""

    sanction: Sanction
    roles: tuple[PersonRole, ...]
    minors: bool
    note: str = ""


def _somebody(rows: Mapping[str, Circle]) -> Iterable[str]:
    for name, row in rows.items():
        if not row.roles:
            yield f"{name}：roles 不能为空。 roles must not be empty."


CIRCLES = Table(
    name="circles",
    zh="惩戒对象范围",
    en="Whom a sanction may hit",
    entry=Circle,
    key=("sanction",),
    default=(
        Circle(
            sanction=LISTED,
            roles=("被执行人",),
            minors=False,
            source="法发〔2019〕35号第十六条；法释〔2017〕7号第四条 (FAFA-2019-35-16, FASHI-2017-7-4)",
            since=date(2019, 12, 16),
        ),
        Circle(
            sanction=LIMITED,
            roles=("被执行人", "法定代表人", "负责人", "影响债务履行的直接责任人员", "实际控制人"),
            minors=False,
            source="法释〔2015〕17号第三条 (FASHI-2015-17-3)",
            since=date(2015, 7, 22),
            reading=True,
            note="未成年人不限制消费为本产品的理解（法发〔2019〕35号）that minors are not limited is our reading",
        ),
        Circle(
            sanction=KEPT,
            roles=(
                "被执行人", "法定代表人", "负责人", "影响债务履行的直接责任人员", "直接责任人员",
                "法定代理人", "实际控制人",
            ),
            minors=True,
            source="法释〔2008〕13号第二十四条 (FASHI-2008-13-24)",
            since=date(2009, 1, 1),
            reading=True,
            note="列入直接责任人员、实际控制人为本产品的理解 that these two belong here is our reading",
        ),
    ),
    faults=_somebody,
)  # fmt: skip


def circle(sanction: str, on: str) -> Circle:
    """What counts for a sanction that begins on `on` (YYYY-MM-DD), its publication or its first day: from then on it
    weighs on somebody, and it is that day's rule that must allow it. Raises KeyError: no sanction of ours."""
    return law().on(CIRCLES, date.fromisoformat(on))[sanction]


def check_circle(person: Person, sanction: str, on: str, *, at: str) -> None:
    """on: as of `circle`. at: pointer of the person. Raises `role-outside` at its role: nobody in that role is hit by
    this sanction."""
    row = circle(sanction, on)
    if person.role not in row.roles:
        raise broken("role-outside", at=f"{at}/role", roles="、".join(row.roles), source=row.source)
