# ruff: noqa: E501 (a table)
"""The departments that keep registers of people and property (docs/domain.md 2.8): what each can tell and control.

One row is the only place that says what a department is asked for; the payloads, the participants' files and the dialect
read it. Terms: INT-485 (movables two years, other property three).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from lianzhi.protocol.base import Vocabulary, words_of
from lianzhi.protocol.rules import broken

Dept = Literal[
    "realty", "market", "social-security", "housing-fund", "tax", "civil-affairs", "agri-machine", "water-transport"
]
Field = Vocabulary[
    Annotated[Literal["rights"], "权属登记"]
    | Annotated[Literal["mortgage"], "抵押登记"]
    | Annotated[Literal["seals"], "查封登记"]
    | Annotated[Literal["registration"], "登记信息"]
    | Annotated[Literal["investment"], "对外投资"]
    | Annotated[Literal["insurance"], "参保情况"]
    | Annotated[Literal["employer"], "用人单位"]
    | Annotated[Literal["benefit"], "待遇发放"]
    | Annotated[Literal["account"], "缴存账户"]
    | Annotated[Literal["loan"], "公积金贷款"]
    | Annotated[Literal["refund"], "应退税款"]
    | Annotated[Literal["marriage"], "婚姻登记"]
]
Held = Vocabulary[
    Annotated[Literal["realty"], "不动产"]
    | Annotated[Literal["equity"], "股权"]
    | Annotated[Literal["benefit"], "社保待遇"]
    | Annotated[Literal["fund"], "住房公积金"]
    | Annotated[Literal["refund"], "应退税款"]
    | Annotated[Literal["machine"], "农业机械"]
    | Annotated[Literal["ship"], "船舶"]
]

FIELD_LABELS, HELD_LABELS = words_of(Field), words_of(Held)


@dataclass(frozen=True, slots=True)
class Department:
    """One kind of department.

    fields: what it can tell. human: it keeps records of human beings only. holds: what it can seal, freeze or transfer.
    """

    code: str
    zh: str
    en: str
    fields: tuple[str, ...]
    human: bool = False
    holds: tuple[str, ...] = ()


DEPARTMENTS: Mapping[str, Department] = {
    d.code: d
    for d in (
        Department("realty", "不动产登记机构", "realty register", ("rights", "mortgage", "seals"), holds=("realty",)),
        Department("market", "市场监管部门", "market regulator", ("registration", "investment", "seals"), holds=("equity",)),
        Department("social-security", "社会保险经办机构", "social security", ("insurance", "employer", "benefit"), human=True, holds=("benefit",)),
        Department("housing-fund", "住房公积金管理中心", "housing fund", ("account", "employer", "loan"), human=True, holds=("fund",)),
        Department("tax", "税务机关", "tax office", ("registration", "refund"), holds=("refund",)),
        Department("civil-affairs", "民政部门", "civil affairs", ("marriage",), human=True),
        Department("agri-machine", "农机监理机构", "agricultural machinery register", ("rights", "mortgage", "seals"), holds=("machine",)),
        Department("water-transport", "船舶登记机构", "ship register", ("rights", "mortgage", "seals"), holds=("ship",)),
    )
}  # fmt: skip
DEPT_LABELS = {code: row.zh for code, row in DEPARTMENTS.items()}

HELD_ACTIONS: Mapping[str, str] = {
    "realty": "seal",
    "machine": "seal",
    "ship": "seal",
    "equity": "freeze",
    "benefit": "freeze",
    "fund": "freeze",
    "refund": "freeze",
}
"""What a measure on such property is called: as in a commission, so that both meet at the same object."""
HELD_YEARS: Mapping[str, int] = {
    "machine": 2,
    "ship": 2,
    "realty": 3,
    "equity": 3,
    "benefit": 3,
    "fund": 3,
    "refund": 3,
}
"""The longest term of a measure, in years (INT-485); a ship is a movable in law."""
IN_MONEY = frozenset({"benefit", "fund", "refund"})
"""Property that is a sum: a measure on it, and its transfer, state the amount."""


def check_fields(dept: str, fields: list[str]) -> None:
    """Raises `field-of-other-dept` at the first field that this department does not tell."""
    for index, name in enumerate(fields):
        if name not in DEPARTMENTS[dept].fields:
            told = "、".join(FIELD_LABELS[f] for f in DEPARTMENTS[dept].fields)
            raise broken("field-of-other-dept", at=f"/fields/{index}", expected=told)
