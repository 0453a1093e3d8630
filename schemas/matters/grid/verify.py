"""Grid centres check whether somebody lives or trades at an address 居住/经营核实 (docs/domain.md 2.7)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.times import PastMonth
from schemas.catalogue import Kind
from schemas.declare import ask
from schemas.matters.grid.visits import (
    ADDRESS_EXAMPLE,
    GRID_HELP,
    IN_THREE_DAYS,
    RESIDENT_EXAMPLE,
    VISITED_EXAMPLE,
    Resident,
    Visited,
    YesNo,
)
from schemas.parts.items import distinct
from schemas.values.objects import Address

Question = Vocabulary[
    Annotated[Literal["lives-here"], "是否在此居住"]
    | Annotated[Literal["last-seen-month"], "最后见到的月份"]
    | Annotated[Literal["contactable"], "能否联系"]
    | Annotated[Literal["premises-state"], "经营状态"]
]


class VerifyRequest(Model):
    person: Annotated[Resident, label("核实对象", "Whom to ask about")]
    address: Annotated[Address, label("地址", "Where")]
    questions: Annotated[
        list[Question],
        label("核实内容", "Fixed questions", min_length=1, max_length=4),
        AfterValidator(distinct),
    ]


class VerifyItem(Visited):
    lives_here: Annotated[YesNo | None, label("是否在此居住", "Lives here")] = None
    last_seen_month: Annotated[PastMonth | None, label("最后见到的月份", "Month last seen")] = None
    contactable: Annotated[YesNo | None, label("能否联系", "Can be reached")] = None
    premises_state: Annotated[
        Vocabulary[
            Annotated[Literal["open"], "营业"]
            | Annotated[Literal["closed"], "停业"]
            | Annotated[Literal["vacant"], "空置"]
            | Annotated[Literal["unknown"], "不详"]
        ]
        | None,
        label(
            "经营状态",
            "State of the premises",
        ),
    ] = None


GRID_VERIFY = ask(
    name="grid.verify.request",
    zh="居住/经营核实",
    en="Verify residence or business",
    help_zh="请网格员上门核实是否在此居住或经营。只给姓名、证件后四位和地址，不告知案号、债务和判决；"
    "网格员只核实、见证，不控制、不进入、不搜查。",
    help_en="A grid worker looks whether somebody lives or trades at an address. Only the name, four characters of the "
    "ID and the address are told, never case, debt or judgment; the worker neither controls, enters nor searches.",
    linkages=(GRID_HELP,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID}),
    request=VerifyRequest,
    result_item=VerifyItem,
    # Name, address and part of the ID together identify somebody as a party before a court (PIPL 28): sealed.
    # The answer names only a `ref` and chosen words, which say nothing without the request: not sealed.
    request_class=Classification.SENSITIVE,
    result_class=Classification.INTERNAL,
    deadline=IN_THREE_DAYS,
    example_request={
        "person": RESIDENT_EXAMPLE,
        "address": ADDRESS_EXAMPLE,
        "questions": ["lives-here", "contactable"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T10:30:00+08:00",
        "items": [
            {**VISITED_EXAMPLE, "lives_here": "yes", "last_seen_month": "2026-03", "contactable": "yes"},
        ],
    },
)
