"""Grid centres (docs/domain.md 2.7): the least data that will do, never the debt or the judgment."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from schemas.base import Model, label
from schemas.catalogue import Classification, Deadline, DeadlineKind, Kind, MatterType, Shape
from schemas.envelope import Ref
from schemas.items import distinct
from schemas.normal import upper
from schemas.rules import broken
from schemas.values import Address, Line, Moment, Month

_TAIL = re.compile(r"[0-9]{3}[0-9X]")


def _tail(text: str) -> str:
    value = upper(text)
    if not _TAIL.fullmatch(value):
        raise broken("id-tail-form")
    return value


IdTail = Annotated[str, StringConstraints(max_length=8), AfterValidator(_tail)]
Question = Literal["lives-here", "last-seen-month", "contactable", "premises-state"]
QUESTION_LABELS = {
    "lives-here": "是否在此居住",
    "last-seen-month": "最后见到的月份",
    "contactable": "能否联系",
    "premises-state": "经营状态",
}


class Resident(Model):
    """Name and the last four characters of the ID: enough to tell namesakes apart at one address."""

    ref: Annotated[Ref, label("对象编号", "Reference of this person within the request")]
    name: Annotated[Line, label("姓名或字号", "Name of the person or the shop")]
    id_tail4: Annotated[IdTail, label("证件后四位", "Last four characters of the ID")]


class VerifyRequest(Model):
    person: Annotated[Resident, label("核实对象", "Whom to ask about")]
    address: Annotated[Address, label("地址", "Where")]
    questions: Annotated[
        list[Question],
        label("核实内容", "Fixed questions", QUESTION_LABELS, min_length=1, max_length=4),
        AfterValidator(distinct),
    ]


YesNo = Literal["yes", "no", "unknown"]
YES_NO_LABELS = {"yes": "是", "no": "否", "unknown": "不详"}


class VerifyItem(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    lives_here: Annotated[YesNo | None, label("是否在此居住", "Lives here", YES_NO_LABELS)] = None
    last_seen_month: Annotated[Month | None, label("最后见到的月份", "Month last seen")] = None
    contactable: Annotated[YesNo | None, label("能否联系", "Can be reached", YES_NO_LABELS)] = None
    premises_state: Annotated[
        Literal["open", "closed", "vacant", "unknown"] | None,
        label(
            "经营状态",
            "State of the premises",
            {"open": "营业", "closed": "停业", "vacant": "空置", "unknown": "不详"},
        ),
    ] = None
    worker_no: Annotated[Line, label("网格员编号", "Number of the grid worker")]
    worker_name: Annotated[Line, label("网格员", "Grid worker")]
    visited_at: Annotated[Moment, label("走访时间", "When visited")]
    remark: Annotated[Line | None, label("备注", "Remark, without names or numbers")] = None


GRID_VERIFY = MatterType(
    name="grid.verify.request",
    zh="居住/经营核实",
    en="Verify residence or business",
    help_zh="请网格员上门核实是否在此居住或经营。只给姓名、证件后四位和地址，不告知案号、债务和判决；"
    "网格员只核实、见证，不控制、不进入、不搜查。",
    help_en="A grid worker looks whether somebody lives or trades at an address. Only the name, four characters of the "
    "ID and the address are told, never case, debt or judgment; the worker neither controls, enters nor searches.",
    shape=Shape.ASK,
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID}),
    request=VerifyRequest,
    result_item=VerifyItem,
    # Name, address and part of the ID together identify somebody as a party before a court (PIPL 28): sealed.
    # The answer names only a `ref` and chosen words, which say nothing without the request: not sealed.
    request_class=Classification.SENSITIVE,
    result_class=Classification.INTERNAL,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "person": {"ref": "m3x8d2va", "name": "李示例", "id_tail4": "462X"},
        "address": {"division_code": "610199", "street": "东街", "detail": "1号"},
        "questions": ["lives-here", "contactable"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T10:30:00+08:00",
        "items": [
            {
                "ref": "m3x8d2va",
                "lives_here": "yes",
                "last_seen_month": "2026-03",
                "contactable": "yes",
                "worker_no": "yc-0003",
                "worker_name": "孙示例",
                "visited_at": "2026-03-26T10:05:00+08:00",
            }
        ],
    },
)
