"""Police · keeping a lookout for a person (临控, docs/domain.md 2.3): asking for it, prolonging it, ending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label, today_of
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.times import AnyDay, AnyMoment, ComingDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask, ending_of, renewal_of
from schemas.linkages import PEOPLE_AND_VEHICLES, REMINDED, Linkage
from schemas.parts.endings import CancelReason, cancelled, ends, prolongs
from schemas.parts.items import DutyPhones
from schemas.values.objects import MeasureNo, Person
from schemas.values.people import (
    DECISION_PAPERS,
    Decision,
    NaturalPerson,
    check_detention_days,
    detention_cautions,
    person_objects,
)
from schemas.values.terms import check_days, check_prolonging

CONTROL_DAYS = 30  # [D] docs/domain.md 2.3
ACTION = "control"
BY_PRESIDENT = ApprovalRule(people=2, roles=("president",))

PERSON_EXAMPLE: Mapping[str, Any] = {
    "ref": "k7m2q9xa",
    "name": "王演示",
    "id_kind": "resident-id",
    "id_no": "610199199003071237",
    "role": "被执行人",
}
LOOKOUT = Linkage(
    group=PEOPLE_AND_VEHICLES,
    row=3,
    zh="临控",
    en="Keep a lookout for a person",
    ledger="measure-ending",
    note=REMINDED,
)


class PersonControlRequest(Model):
    """Rests on a decision that was made: detention, or compelled appearance."""

    person: Annotated[NaturalPerson, label("临控对象", "Whom to look out for")]
    decision: Annotated[Decision, label("依据的决定", "The decision that it carries out")]
    mode: Annotated[
        Vocabulary[
            Annotated[Literal["notify-only"], "发现即通报"] | Annotated[Literal["hold-for-court"], "控制并等候法院"]
        ],
        label("发现后的处置", "Only report, or hold until the court comes"),
    ]
    start_on: Annotated[AnyDay, label("临控开始", "First day")]
    end_on: Annotated[ComingDay, label("临控截止", "Last day, at most 30 days on")]
    duty_phones: Annotated[DutyPhones, label("值班电话", "Two or more telephones that answer day and night")]
    handover_place: Annotated[Line, label("移交地点", "Where the court takes the person over")]
    detention_days: Annotated[
        int | None, label("拘留天数", "Of a detention, for how many days; at most 15 (CPL-118)", ge=1)
    ] = None
    summary: Annotated[Prose | None, label("简要案情", "The case in short")] = None

    @model_validator(mode="after")
    def _term(self) -> PersonControlRequest:
        check_days(self.start_on, self.end_on, CONTROL_DAYS)
        check_detention_days(self.decision, self.detention_days, self.start_on)
        return self


class PersonControlItem(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    control_no: Annotated[MeasureNo, label("临控编号", "Number of the control")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when")]
    unit: Annotated[Line, label("布控单位", "Unit that keeps the lookout")]


def _open(payload: PersonControlRequest) -> MeasureRule:
    return MeasureRule(ACTION, "open", person_objects(payload.person), start_on=payload.start_on, end_on=payload.end_on)


def _documents(payload: PersonControlRequest) -> Mapping[str, int]:
    return DECISION_PAPERS[payload.decision]


def _cancelled(
    payload: PersonControlRequest | PersonControlRenew, measure: LiveMeasure, reason: str
) -> Mapping[str, Any]:
    return cancelled("person", payload.person.canonical(), measure, reason)


PERSON_CONTROL = ask(
    name="police.person-control.request",
    zh="协助控制（临控）",
    en="Look out for a person",
    help_zh="对已决定拘留或拘传的被执行人请公安机关协助控制。附决定文书，须两人审批且其中一人为院长；期限不超过 30 天；"
    "填写两个以上值班电话和移交地点，公安机关发现后会发命中预警。",
    help_en="For a party whose detention or compelled appearance was decided. With the decision; two approvals, one "
    "the president's; at most 30 days; two duty telephones, and where the court takes over. A hit comes as an alert.",
    linkages=(LOOKOUT,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=PersonControlRequest,
    result_item=PersonControlItem,
    request_class=Classification.SENSITIVE,
    coercive=lambda _: True,
    approvals=lambda _: BY_PRESIDENT,
    documents=_documents,
    measure=_open,
    decision=lambda payload: payload.decision,
    cautions=lambda payload: detention_cautions(payload.decision, payload.detention_days, payload.start_on),
    ending=_cancelled,
    break_glass=True,
    ended_by="police.person-control.cancel",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 1),
    example_request={
        "person": PERSON_EXAMPLE,
        "decision": "detention-order",
        "mode": "hold-for-court",
        "start_on": "2026-03-24",
        "end_on": "2026-04-22",
        "duty_phones": ["13800138000", "13800138001"],
        "handover_place": "云川县公安局办案中心（演示）",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-24T17:20:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "control_no": "LK6101990000001",
                "effective_at": "2026-03-24T17:00:00+08:00",
                "unit": "云川县公安局（演示）",
            }
        ],
    },
)


# --- longer -------------------------------------------------------------------------------------------------------


class PersonControlRenew(Model):
    person: Annotated[NaturalPerson, label("临控对象", "Whom to look out for")]
    control_no: Annotated[MeasureNo, label("临控编号", "Number of the control")]
    current_end_on: Annotated[AnyDay, label("现到期日", "Last day as it stands; not past")]
    end_on: Annotated[ComingDay, label("续至", "New last day, at most 30 days later")]
    reason: Annotated[Prose, label("续控理由", "Why it must go on")]

    @model_validator(mode="after")
    def _term(self, info: ValidationInfo) -> PersonControlRenew:
        check_prolonging(self.current_end_on, self.end_on, today=today_of(info))
        check_days(self.current_end_on, self.end_on, CONTROL_DAYS)
        return self


class PersonControlProlonged(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when it is prolonged")]
    end_on: Annotated[AnyDay, label("续至", "Last day as now registered")]


PERSON_CONTROL_RENEW = renewal_of(
    PERSON_CONTROL,
    name="police.person-control.renew",
    zh="续期临控",
    en="Prolong the lookout for a person",
    help_zh="临控到期前续期，每次不超过 30 天，须两人审批且其中一人为院长。已经到期的不能续期，须重新申请。",
    help_en="Prolongs a lookout before it ends, by at most 30 days, with two approvals, one the president's. One that "
    "has ended cannot be prolonged: ask anew.",
    request=PersonControlRenew,
    result_item=PersonControlProlonged,
    measure=lambda payload: prolongs(ACTION, person_objects(payload.person), payload),
    ending=_cancelled,
    example_request={
        "person": PERSON_EXAMPLE,
        "control_no": "LK6101990000001",
        "current_end_on": "2026-04-22",
        "end_on": "2026-05-22",
        "reason": "被执行人仍未到案，拘留决定尚未执行",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-21T10:20:00+08:00",
        "items": [{"ref": "k7m2q9xa", "effective_at": "2026-04-21T10:00:00+08:00", "end_on": "2026-05-22"}],
    },
)


# --- no longer ----------------------------------------------------------------------------------------------------


class PersonControlCancel(Model):
    """Ends a lookout. Wants no paper and no approval: who should not be held must be freed."""

    person: Annotated[Person, label("临控对象", "For whom")]
    control_no: Annotated[MeasureNo, label("临控编号", "Number of the control")]
    reason: Annotated[CancelReason, label("撤控原因", "Why it ends")]
    note: Annotated[Line | None, label("撤控说明", "Explanation")] = None


class PersonControlEnd(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    effective_at: Annotated[AnyMoment, label("撤控时间", "Since when nobody looks out any more")]


PERSON_CONTROL_CANCEL = ending_of(
    PERSON_CONTROL,
    zh="撤销临控",
    en="End the lookout for a person",
    help_zh="撤销已生效的临控，如被执行人已履行或已到案。撤控须由公安机关确认后方告完成，请选紧急程度“立即”。",
    help_en="Ends an active lookout, as when the debtor has paid or came. It is done when the police confirm it; "
    "choose the urgency `immediate`.",
    request=PersonControlCancel,
    result_item=PersonControlEnd,
    measure=lambda payload: ends(ACTION, person_objects(payload.person), payload.control_no),
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "person": PERSON_EXAMPLE,
        "control_no": "LK6101990000001",
        "reason": "performed",
        "note": "被执行人已全部履行",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T09:00:00+08:00",
        "items": [{"ref": "k7m2q9xa", "effective_at": "2026-04-10T08:52:00+08:00"}],
    },
)
