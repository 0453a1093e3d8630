"""Grid centres call on somebody and persuade 走访劝导 (docs/domain.md 2.7)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from schemas.catalogue import Kind
from schemas.declare import ask
from schemas.matters.grid.visits import (
    ADDRESS_EXAMPLE,
    BEFORE_ENFORCEMENT,
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


class VisitRequest(Model):
    """What to talk about is chosen, never written: a free text would tell the sum."""

    person: Annotated[Resident, label("走访对象", "Whom to call on")]
    address: Annotated[Address, label("地址", "Where")]
    topics: Annotated[
        list[
            Vocabulary[
                Annotated[Literal["contact-court"], "请主动联系法院"]
                | Annotated[Literal["settlement"], "了解和解意愿"]
                | Annotated[Literal["hardship"], "了解生活困难"]
                | Annotated[Literal["come-to-court"], "请按时到法院"]
            ]
        ],
        label("劝导内容", "What to talk about", min_length=1, max_length=4),
        AfterValidator(distinct),
    ]


class VisitItem(Visited):
    """Whether the person was met, and then how disposed."""

    met: Annotated[bool, label("是否见到本人", "Met in person")]
    attitude: Annotated[
        Vocabulary[
            Annotated[Literal["cooperative"], "配合"]
            | Annotated[Literal["hesitant"], "犹豫"]
            | Annotated[Literal["refuses"], "拒绝"]
            | Annotated[Literal["unknown"], "不详"]
        ]
        | None,
        label("态度", "Attitude"),
    ] = None
    wants_settlement: Annotated[YesNo | None, label("是否愿意和解", "Wants to settle")] = None

    @model_validator(mode="after")
    def _as_met(self) -> VisitItem:
        if self.met and self.attitude is None:
            raise broken("attitude-required", at="/attitude")
        for member in ("attitude", "wants_settlement"):
            if not self.met and getattr(self, member) is not None:
                raise broken("not-met", at=f"/{member}")
        return self


GRID_VISIT = ask(
    name="grid.visit.request",
    zh="走访劝导",
    en="Call on somebody and persuade",
    help_zh="请网格员上门走访，按勾选的内容劝导，如请其主动联系法院、了解和解意愿。只给姓名、证件后四位和地址，"
    "不告知案号、债务和判决；网格员不控制、不进入、不搜查。",
    help_en="A grid worker calls on somebody and talks about what you tick: to get in touch with the court, whether a "
    "settlement is wanted. Only the name, four characters of the ID and the address are told, never case, debt or "
    "judgment; the worker neither controls, enters nor searches.",
    linkages=(
        GRID_HELP,
        BEFORE_ENFORCEMENT,
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID}),
    request=VisitRequest,
    result_item=VisitItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.INTERNAL,  # a ref and chosen words, as in a verification
    deadline=IN_THREE_DAYS,
    example_request={
        "person": RESIDENT_EXAMPLE,
        "address": ADDRESS_EXAMPLE,
        "topics": ["contact-court", "settlement"],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T10:30:00+08:00",
        "items": [{**VISITED_EXAMPLE, "met": True, "attitude": "hesitant", "wants_settlement": "yes"}],
    },
)
