"""Refusal to execute 拒执 (docs/domain.md 2.5): court, police and procuratorate consult, and keep the minutes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, ComingMoment, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import REFUSAL, Linkage
from schemas.values.identifiers import Phone
from schemas.values.terms import days_between

CONVENE_DAYS = 2  # [D] between calling and meeting
PARTNERS = frozenset({Kind.POLICE, Kind.PROCURATORATE})
CONSULTATION = Linkage(group=REFUSAL, row=2, zh="公检法会商", en="Consultation", ledger="refusal")


class ConsultationConvening(Model):
    ref: Annotated[Ref, label("会商编号", "Reference of this consultation")]
    topic: Annotated[Line, label("会商主题", "What it is about")]
    questions: Annotated[list[Prose], label("会商问题", "Questions to settle", min_length=1, max_length=20)]
    convened_on: Annotated[PastDay, label("召集日期", "Called on")]
    starts_at: Annotated[ComingMoment, label("会商时间", "When")]
    mode: Annotated[
        Vocabulary[Annotated[Literal["on-site"], "现场"] | Annotated[Literal["video"], "视频"]],
        label("会商方式", "On site or by video"),
    ]
    place: Annotated[Line, label("地点或会议号", "Where, or the number of the video meeting")]
    invited: Annotated[list[Name], label("参加单位", "Units that are invited", min_length=1, max_length=20)]
    contact: Annotated[Phone, label("联系电话", "Telephone of the convener")]

    @model_validator(mode="after")
    def _in_time(self) -> ConsultationConvening:
        if days_between(self.convened_on, self.starts_at[:10]) < CONVENE_DAYS:
            raise broken("notice-too-short", at="/starts_at", least=CONVENE_DAYS)
        return self


class Delegate(Model):
    name: Annotated[Name, label("姓名", "Name")]
    post: Annotated[Line, label("职务", "Post")]
    phone: Annotated[Phone | None, label("电话", "Telephone")] = None


class ConveningAnswer(Model):
    ref: Annotated[Ref, label("会商编号", "The consultation")]
    answer: Annotated[
        Vocabulary[Annotated[Literal["attend"], "参加"] | Annotated[Literal["decline"], "不参加"]],
        label("答复", "Comes or not"),
    ]
    delegates: Annotated[list[Delegate], label("参加人员", "Who comes", max_length=20)] = []
    reason: Annotated[Prose | None, label("不参加的理由", "Why not")] = None

    @model_validator(mode="after")
    def _whole(self) -> ConveningAnswer:
        if self.answer == "attend" and not self.delegates:
            raise broken("delegates-required", at="/delegates")
        if self.answer == "decline" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


CONSULTATION_CONVENE = ask(
    name="refusal.consultation.convene",
    zh="会商召集",
    en="Convene a consultation",
    help_zh=f"就拒执案件的管辖、证据、定性等召集公安机关、检察院会商，至少提前 {CONVENE_DAYS} 天。"
    "参加单位答复参加人员，或说明不参加的理由。",
    help_en=f"Calls police and procuratorate together on a case of refusal: jurisdiction, evidence, qualification; at "
    f"least {CONVENE_DAYS} days ahead. Each answers who comes, or why nobody does.",
    linkages=(CONSULTATION,),
    senders=frozenset({Kind.COURT}),
    receivers=PARTNERS,
    request=ConsultationConvening,
    result_item=ConveningAnswer,
    request_class=Classification.SENSITIVE,  # topic and questions name the suspect
    fan_out=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 1),
    example_request={
        "ref": "h3n7r2qw",
        "topic": "王演示涉嫌拒不执行判决案会商",
        "questions": ["无偿过户车辆能否认定为恶意处分财产"],
        "convened_on": "2026-03-24",
        "starts_at": "2026-03-27T09:30:00+08:00",
        "mode": "on-site",
        "place": "云川县人民法院第一会议室（演示）",
        "invited": ["云川县公安局（演示）", "云川县人民检察院（演示）"],
        "contact": "13800138000",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T10:00:00+08:00",
        "items": [{"ref": "h3n7r2qw", "answer": "attend", "delegates": [{"name": "赵演示", "post": "法制大队民警"}]}],
    },
)


# --- minutes ------------------------------------------------------------------------------------------------------


class Conclusion(Model):
    """One thing agreed: what is thought, what is done next, by whom, until when."""

    ref: Annotated[Ref, label("结论编号", "Reference of this conclusion")]
    view: Annotated[Prose, label("会商意见", "The view that was taken")]
    next_step: Annotated[Prose, label("下一步工作", "What is done next")]
    owner: Annotated[Line, label("责任单位", "By whom")]
    due_on: Annotated[AnyDay, label("完成期限", "Until when")]


class ConsultationMinutes(Model):
    topic: Annotated[Line, label("会商主题", "What it was about")]
    held_on: Annotated[PastDay, label("会商日期", "Held on")]
    attended: Annotated[list[Name], label("参加单位", "Units that took part", min_length=2, max_length=20)]
    conclusions: Annotated[list[Conclusion], label("会商结论", "Conclusions", min_length=1, max_length=30)]

    @model_validator(mode="after")
    def _after_the_meeting(self) -> ConsultationMinutes:
        for index, conclusion in enumerate(self.conclusions):
            if conclusion.due_on < self.held_on:
                raise broken("due-before-meeting", at=f"/conclusions/{index}/due_on")
        return self


class MinutesAnswer(Model):
    ref: Annotated[Ref, label("结论编号", "The conclusion")]
    answer: Annotated[
        Vocabulary[Annotated[Literal["agreed"], "确认"] | Annotated[Literal["objects"], "有异议"]],
        label("确认意见", "Confirmed or not"),
    ]
    signed_by: Annotated[Name, label("确认人", "Who confirms for the unit")]
    reason: Annotated[Prose | None, label("异议内容", "What is objected to")] = None

    @model_validator(mode="after")
    def _whole(self) -> MinutesAnswer:
        if self.answer == "objects" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


CONSULTATION_MINUTES = ask(
    name="refusal.consultation.minutes",
    zh="会商纪要",
    en="Minutes of a consultation",
    help_zh="会商后发送纪要：逐条写明意见、下一步工作、责任单位和期限。参加单位逐条确认或提出异议，全部确认后生效。",
    help_en="What was agreed, point by point: view, next step, by whom, until when. Each unit confirms every point or "
    "objects; the minutes stand when all have confirmed.",
    linkages=(CONSULTATION,),
    senders=frozenset({Kind.COURT}),
    receivers=PARTNERS,
    request=ConsultationMinutes,
    result_item=MinutesAnswer,
    request_class=Classification.SENSITIVE,
    fan_out=True,
    documents=lambda _: {"consultation-minutes": 1},
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "topic": "王演示涉嫌拒不执行判决案会商",
        "held_on": "2026-03-27",
        "attended": ["云川县人民法院（演示）", "云川县公安局（演示）", "云川县人民检察院（演示）"],
        "conclusions": [
            {
                "ref": "j4p8s3rx",
                "view": "现有证据可以认定恶意无偿处分财产",
                "next_step": "公安机关立案侦查，法院补充送达证据",
                "owner": "云川县公安局（演示）",
                "due_on": "2026-04-03",
            }
        ],
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-30T10:00:00+08:00",
        "items": [{"ref": "j4p8s3rx", "answer": "agreed", "signed_by": "赵演示"}],
    },
)
