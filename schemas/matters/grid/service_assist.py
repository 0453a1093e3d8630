"""Grid centres help to serve papers 协助送达 (docs/domain.md 2.7; CPL 88, 89)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingMoment, PastMoment
from lianzhi.protocol.values import Line, Name, Sha256
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
)
from schemas.values.objects import Address

Mode = Vocabulary[
    Annotated[Literal["accompanied"], "陪同送达"]
    | Annotated[Literal["retained-witness"], "留置送达见证"]
    | Annotated[Literal["posted-photo"], "张贴并拍照"]
    | Annotated[Literal["adult-family"], "同住成年家属签收"]
]


class ServiceAssistRequest(Model):
    """The papers come in closed envelopes: how many is told, not what they are."""

    person: Annotated[Resident, label("受送达人", "Who is served")]
    address: Annotated[Address, label("地址", "Where")]
    mode: Annotated[Mode, label("送达方式", "How the grid helps")]
    envelopes: Annotated[int, label("文书件数（密封）", "Closed envelopes", ge=1, le=20)]
    meet_at: Annotated[ComingMoment | None, label("会合时间", "When to meet the court's officers, if any")] = None


class ServiceAssistItem(Visited):
    """served: by which way it was, with the receipt as its proof; else why not."""

    served: Annotated[bool, label("是否送达", "Served")]
    mode: Annotated[Mode | None, label("实际送达方式", "How it was done")] = None
    signed_at: Annotated[PastMoment | None, label("签收或张贴时间", "When it was signed for or posted")] = None
    signer: Annotated[Name | None, label("签收人", "Who signed")] = None
    relation: Annotated[Line | None, label("与受送达人关系", "The signer's relation to the addressee")] = None
    receipt_image: Annotated[Sha256 | None, label("送达回证影像", "Picture of the receipt, by digest")] = None
    fail_reason: Annotated[Line | None, label("未送达原因", "Why it was not served")] = None

    @model_validator(mode="after")
    def _proved(self) -> ServiceAssistItem:
        if not self.served:
            if self.fail_reason is None:
                raise broken("fail-reason-required", at="/fail_reason")
            if self.signed_at is not None:
                raise broken("not-served", at="/signed_at")
            return self
        for member in ("mode", "signed_at", "receipt_image"):
            if getattr(self, member) is None:
                raise broken("service-proof-required", at=f"/{member}")
        if self.mode in ("accompanied", "adult-family") and self.signer is None:
            raise broken("signer-required", at="/signer")
        if self.mode == "adult-family" and self.relation is None:
            raise broken("relation-required", at="/relation")
        return self


GRID_SERVICE = ask(
    name="grid.service-assist.request",
    zh="协助送达",
    en="Help to serve a paper",
    help_zh="请网格员陪同送达、见证留置、张贴拍照或见证同住成年家属签收，回传送达回证影像和时间。文书须密封，只告知件数；"
    "不告知案号、债务和判决。",
    help_en="A grid worker comes along, witnesses that a paper was left, posts it and takes a picture, or sees "
    "an adult of the family sign; the picture of the receipt comes back with its time. Papers are in closed "
    "envelopes, only their number is told, never case, debt or judgment.",
    linkages=(GRID_HELP,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID}),
    request=ServiceAssistRequest,
    result_item=ServiceAssistItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,  # names who signed, and the receipt shows the case
    deadline=IN_THREE_DAYS,
    example_request={
        "person": RESIDENT_EXAMPLE,
        "address": ADDRESS_EXAMPLE,
        "mode": "adult-family",
        "envelopes": 2,
        "meet_at": "2026-03-26T10:00:00+08:00",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-26T10:30:00+08:00",
        "items": [
            {
                **VISITED_EXAMPLE,
                "served": True,
                "mode": "adult-family",
                "signed_at": "2026-03-26T10:08:00+08:00",
                "signer": "李家属",
                "relation": "配偶",
                "receipt_image": "5b1f3d9c8e7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c",
            }
        ],
    },
)
