"""Witnesses of an act of enforcement 见证邀请 (docs/domain.md 2.10): deputies, members, the procuratorate.

They are told what kind of act, when, and in which division: not the case, the party or the place.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import ComingMoment
from lianzhi.protocol.values import Name, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import SUPERVISION, Linkage
from schemas.parts.steps import StepItem
from schemas.values.identifiers import DivisionCode, Phone


class WitnessInvitation(Model):
    ref: Annotated[Ref, label("邀请编号", "Reference of this invitation")]
    act: Annotated[
        Vocabulary[
            Annotated[Literal["search"], "搜查"]
            | Annotated[Literal["sealing"], "查封清点"]
            | Annotated[Literal["eviction"], "强制腾退"]
            | Annotated[Literal["delivery"], "强制交付"]
            | Annotated[Literal["vehicle"], "扣押车辆"]
            | Annotated[Literal["settlement"], "现场和解"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("执行行为", "Kind of act"),
    ]
    starts_at: Annotated[ComingMoment, label("开始时间", "From")]
    ends_at: Annotated[ComingMoment, label("结束时间", "Until")]
    area: Annotated[DivisionCode, label("所在区县", "Division; the place is told on the day")]
    decline_by: Annotated[ComingMoment, label("答复截止时间", "Until when to accept or decline")]
    contact: Annotated[Phone, label("联系电话", "Telephone of the court")]

    @model_validator(mode="after")
    def _in_order(self) -> WitnessInvitation:
        starts_at = datetime.fromisoformat(self.starts_at)
        if datetime.fromisoformat(self.ends_at) <= starts_at:
            raise broken("end-before-start", at="/ends_at")
        if datetime.fromisoformat(self.decline_by) >= starts_at:
            raise broken("decline-by-late", at="/decline_by")
        return self


class WitnessAnswer(StepItem):
    """First whether somebody comes, later who came and what they thought of it."""

    steps: ClassVar[frozenset[str]] = frozenset({"accepts"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["accepts"], "接受邀请"]
            | Annotated[Literal["declines"], "不参加"]
            | Annotated[Literal["attended"], "已到场见证"]
            | Annotated[Literal["absent"], "未到场"]
        ],
        label(
            "答复",
            "Comes or not; came or not",
        ),
    ]
    attendees: Annotated[list[Name], label("到场人员", "Who came", max_length=20)] = []
    verdict: Annotated[
        Vocabulary[Annotated[Literal["lawful"], "执行规范"] | Annotated[Literal["concerns"], "有意见"]] | None,
        label("见证结论", "What they thought"),
    ] = None
    opinion: Annotated[Prose | None, label("见证意见", "The opinion in words")] = None

    @model_validator(mode="after")
    def _whole(self) -> WitnessAnswer:
        if self.answer != "attended":
            return self
        if not self.attendees:
            raise broken("attendance-required", at="/attendees")
        if self.verdict is None:
            raise broken("attendance-required", at="/verdict")
        if self.verdict == "concerns" and self.opinion is None:
            raise broken("attendance-required", at="/opinion")
        return self


WITNESS_INVITATION = ask(
    name="witness.invite.send",
    zh="见证邀请",
    en="Invite witnesses of an act",
    help_zh="邀请人大代表、政协委员或检察院到场见证执行行为，可一次邀请多家。只告知行为种类、时间和所在区县，案号、"
    "当事人和具体地点不告知。对方先答复是否参加（部分办结），见证后再填到场人员和意见。",
    help_en="Invites deputies, members or the procuratorate to watch an act; several at once. They are told the "
    "kind of act, the time and the division, never the case, the party or the place. They first say whether they "
    "come (a partial result), and afterwards who came and what they thought.",
    linkages=(
        Linkage(
            group=SUPERVISION,
            row=3,
            zh="见证邀请（人大代表、政协委员、检察院）",
            en="Witnesses: deputies, members, the procuratorate",
            note=("先答复是否参加，见证后补充意见", "first whether they come, afterwards what they saw"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.WITNESS, Kind.PROCURATORATE}),
    request=WitnessInvitation,
    result_item=WitnessAnswer,
    request_class=Classification.SENSITIVE,  # who knows the hour of a search can foil it
    fan_out=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 2),  # [D] to say whether they come
    example_request={
        "ref": "u7b3c9de",
        "act": "eviction",
        "starts_at": "2026-04-02T08:30:00+08:00",
        "ends_at": "2026-04-02T12:00:00+08:00",
        "area": "610199",
        "decline_by": "2026-03-31T17:00:00+08:00",
        "contact": "13800138000",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-02T14:00:00+08:00",
        "items": [
            {
                "ref": "u7b3c9de",
                "answer": "attended",
                "attendees": ["孙代表（演示）", "吴代表（演示）"],
                "verdict": "lawful",
                "opinion": "程序规范，文明执行",
            }
        ],
    },
)
