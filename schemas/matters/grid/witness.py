"""Grid centres witness an act of the court 现场见证 (docs/domain.md 2.7; CPL 256, SFK)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingMoment, PastMoment
from lianzhi.protocol.values import Line, Name
from schemas.catalogue import Kind
from schemas.declare import ask
from schemas.matters.grid.visits import ADDRESS_EXAMPLE, GRID_HELP, IN_THREE_DAYS
from schemas.values.objects import Address


class WitnessRequest(Model):
    """Where and when, and what kind of act: whose case it is, the witness sees there and need not know before."""

    ref: Annotated[Ref, label("行动编号", "Reference of this act")]
    act: Annotated[
        Vocabulary[
            Annotated[Literal["seal"], "查封"]
            | Annotated[Literal["detain"], "扣押"]
            | Annotated[Literal["inventory"], "清点财产"]
            | Annotated[Literal["vacate"], "腾退房屋"]
            | Annotated[Literal["deliver"], "交付财产"]
            | Annotated[Literal["service"], "送达"]
        ],
        label("见证事项", "Kind of act"),
    ]
    address: Annotated[Address, label("地点", "Where")]
    starts_at: Annotated[ComingMoment, label("开始时间", "When it begins")]
    people: Annotated[int, label("见证人数", "How many witnesses", ge=1, le=5)] = 1


class Attendee(Model):
    worker_no: Annotated[Line, label("网格员编号", "Number of the grid worker")]
    worker_name: Annotated[Name, label("见证人", "Witness")]


class WitnessItem(Model):
    ref: Annotated[Ref, label("行动编号", "The act")]
    attended: Annotated[bool, label("是否到场", "Attended")]
    attendees: Annotated[list[Attendee], label("见证人", "Who attended", max_length=5)] = []
    signed_at: Annotated[PastMoment | None, label("签字时间", "When the record was signed")] = None
    opinion: Annotated[
        Vocabulary[Annotated[Literal["no-objection"], "无异议"] | Annotated[Literal["objection"], "有异议"]] | None,
        label("见证意见", "What the witness thought"),
    ] = None
    note: Annotated[Line | None, label("说明", "What is objected to, or why nobody came; no names")] = None

    @model_validator(mode="after")
    def _as_attended(self) -> WitnessItem:
        if not self.attended:
            for member in ("attendees", "signed_at", "opinion"):
                if getattr(self, member):
                    raise broken("not-attended", at=f"/{member}")
        elif not self.attendees:
            raise broken("attendees-required", at="/attendees")
        elif self.opinion is None:
            raise broken("opinion-required", at="/opinion")
        if (not self.attended or self.opinion == "objection") and self.note is None:
            raise broken("reason-required", at="/note")
        return self


GRID_WITNESS = ask(
    name="grid.witness.request",
    zh="现场见证",
    en="Witness an act on site",
    help_zh="请网格员到场见证查封、扣押、清点、腾退等。只告知地点、时间和事项种类；见证人签字并填写意见，不参与控制、进入和搜查。",
    help_en="A grid worker attends a sealing, an inventory, a clearing … Only place, time and kind of act are told. "
    "The witness signs and states an opinion, and neither controls, enters nor searches.",
    linkages=(GRID_HELP,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID}),
    request=WitnessRequest,
    result_item=WitnessItem,
    request_class=Classification.SENSITIVE,  # an address and a day on which the court will come
    result_class=Classification.INTERNAL,
    deadline=IN_THREE_DAYS,
    example_request={
        "ref": "w4x8d2va",
        "act": "inventory",
        "address": ADDRESS_EXAMPLE,
        "starts_at": "2026-03-27T09:00:00+08:00",
        "people": 2,
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-27T12:00:00+08:00",
        "items": [
            {
                "ref": "w4x8d2va",
                "attended": True,
                "attendees": [
                    {"worker_no": "yc-0003", "worker_name": "孙示例"},
                    {"worker_no": "yc-0004", "worker_name": "吴示例"},
                ],
                "signed_at": "2026-03-27T11:40:00+08:00",
                "opinion": "no-objection",
            }
        ],
    },
)
