"""Restriction of leaving the country 限制出境 (docs/domain.md 2.9, CPL 266): asking for it, prolonging, lifting it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo, model_validator

from lianzhi.protocol.base import Model, Vocabulary, accepted_before, label, today_of
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.times import AnyDay, AnyMoment
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask, ending_of, renewal_of
from schemas.law.circles import KEPT, check_circle, circle
from schemas.law.lookouts import exit_notice_months
from schemas.linkages import REMINDED, SANCTIONS, Linkage
from schemas.parts.endings import LIFTED, NOTES, ends, numbered, prolongs
from schemas.values.identifiers import Phone
from schemas.values.objects import MeasureNo, Person
from schemas.values.people import NaturalPerson, check_adult, person_objects
from schemas.values.terms import check_months, check_prolonging

Mode = Vocabulary[
    Annotated[Literal["refuse-papers"], "不批准出境（通报备案）"]
    | Annotated[Literal["stop-at-border"], "口岸阻止出境（边控）"]
    | Annotated[Literal["watch-border"], "掌握出入境动态（边控）"]
]
MODE_MONTHS: Mapping[str, int] = {"stop-at-border": 3, "watch-border": 12}
"""[L] 边控: the longest term, and the longest prolongation, of each."""
NOTICE = "refuse-papers"
"""法定不批准出境通报备案: how long, the level of the police that keep it decides (`schemas.law.lookouts`)."""
ACTION = "exit-restrict"
TWO_PEOPLE = ApprovalRule(people=2)

PaperKind = Vocabulary[
    Annotated[Literal["passport"], "护照"]
    | Annotated[Literal["hm-permit"], "往来港澳通行证"]
    | Annotated[Literal["taiwan-permit"], "往来台湾通行证"]
    | Annotated[Literal["other"], "其他出入境证件"]
]
PERSON_EXAMPLE: Mapping[str, Any] = {
    "ref": "k7m2q9xa",
    "name": "王演示",
    "id_kind": "resident-id",
    "id_no": "610199199003071237",
    "role": "法定代表人",
}
EXIT_RESTRICTION = Linkage(
    group=SANCTIONS, row=5, zh="限制出境", en="Not to leave the country", ledger="measure-ending", note=REMINDED
)


class TravelPaper(Model):
    kind: Annotated[PaperKind, label("证件种类", "Kind of travel document")]
    number: Annotated[Line, label("证件号码", "Its number")]


class ExitRestrictRequest(Model):
    person: Annotated[NaturalPerson, label("限制出境对象", "Who may not leave")]
    mode: Annotated[Mode, label("限制方式", "How")]
    travel_papers: Annotated[
        list[TravelPaper], label("出入境证件", "Travel documents that are known", max_length=10)
    ] = []
    reason: Annotated[Prose, label("限制理由", "Why")]
    start_on: Annotated[AnyDay, label("起始日期", "First day")]
    end_on: Annotated[
        AnyDay, label("截止日期", "Last day; 3 months for stopping at the border, else as the police allow")
    ]
    contact_24h: Annotated[Phone, label("24 小时联系电话", "Telephone that answers day and night")]

    @model_validator(mode="after")
    def _term(self, info: ValidationInfo) -> ExitRestrictRequest:
        if not accepted_before(info):
            check_circle(self.person, KEPT, self.start_on, at="/person")
            if not circle(KEPT, self.start_on).minors:
                check_adult(self.person, self.start_on, at="/person", rule="minor-kept")
        _check_term(self.mode, self.start_on, self.end_on)
        return self


def _check_term(mode: Mode, start_on: str, end_on: str) -> None:
    """Of a border notice the longest that police of any level keep: whose it is, the payload does not say."""
    day = date.fromisoformat(start_on)
    check_months(start_on, end_on, exit_notice_months("province", day) if mode == NOTICE else MODE_MONTHS[mode])


def _kept_by_level(payload: ExitRestrictRequest) -> tuple[str, str] | None:
    return (payload.start_on, payload.end_on) if payload.mode == NOTICE else None


class ExitRestrictItem(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    control_no: Annotated[MeasureNo, label("备案编号", "Number under which it is kept")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when")]
    unit: Annotated[Line, label("办理单位", "Unit that keeps it")]


def _open(payload: ExitRestrictRequest) -> MeasureRule:
    return MeasureRule(ACTION, "open", person_objects(payload.person), start_on=payload.start_on, end_on=payload.end_on)


def _lifted(payload: ExitRestrictRequest | ExitRestrictRenew, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return {
        "person": payload.person.canonical(),
        "control_no": numbered(measure),
        "reason": LIFTED[reason],
        "note": NOTES[reason],
    }


EXIT_RESTRICT = ask(
    name="sanction.exit-restrict.request",
    zh="限制出境",
    en="Restrict leaving the country",
    help_zh="请公安机关限制被执行人或单位的法定代表人、负责人等出境。附限制出境决定书和协助执行通知书，须两人审批；"
    "通报备案的期限依公安机关级别（县级三个月、地市级一年、省级五年，二手来源，可由本院配置），口岸阻止出境不超过三个月；"
    "到期不续的自动解除。",
    help_en="Asks the police not to let a party, or an organisation's representative, leave. With decision and notice, "
    "two approvals. A border notice lasts as long as the level of the police allows (county three months, prefecture a "
    "year, province five years: from a secondary source, configurable), stopping at the border three months; it ends "
    "by itself when not prolonged.",
    linkages=(EXIT_RESTRICTION,),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE}),
    request=ExitRestrictRequest,
    result_item=ExitRestrictItem,
    request_class=Classification.SENSITIVE,
    coercive=lambda _: True,
    approvals=lambda _: TWO_PEOPLE,
    documents=lambda _: {"exit-restriction-decision": 1, "assistance-notice": 1},
    measure=_open,
    border_notice=_kept_by_level,
    ending=_lifted,
    ended_by="sanction.exit-restrict.lift",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 2),
    example_request={
        "person": PERSON_EXAMPLE,
        "mode": "stop-at-border",
        "travel_papers": [{"kind": "passport", "number": "E00000001"}],
        "reason": "被执行人公司未履行，法定代表人近期有出境迹象",
        "start_on": "2026-03-24",
        "end_on": "2026-06-23",
        "contact_24h": "13800138000",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-25T17:20:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "control_no": "CJ6101990000001",
                "effective_at": "2026-03-25T17:00:00+08:00",
                "unit": "云川县公安局出入境管理大队（演示）",
            }
        ],
    },
)


# --- longer -------------------------------------------------------------------------------------------------------


class ExitRestrictRenew(Model):
    person: Annotated[NaturalPerson, label("限制出境对象", "Who may not leave")]
    control_no: Annotated[MeasureNo, label("备案编号", "Number under which it is kept")]
    mode: Annotated[Mode, label("限制方式", "How")]
    current_end_on: Annotated[AnyDay, label("现到期日", "Last day as it stands; not past")]
    end_on: Annotated[AnyDay, label("续至", "New last day")]
    reason: Annotated[Prose, label("续期理由", "Why it must go on")]

    @model_validator(mode="after")
    def _term(self, info: ValidationInfo) -> ExitRestrictRenew:
        check_prolonging(self.current_end_on, self.end_on, today=today_of(info))
        _check_term(self.mode, self.current_end_on, self.end_on)
        return self


def _prolonged_by_level(payload: ExitRestrictRenew) -> tuple[str, str] | None:
    return (payload.current_end_on, payload.end_on) if payload.mode == NOTICE else None


class ExitRestrictProlonged(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    effective_at: Annotated[AnyMoment, label("生效时间", "Since when it is prolonged")]
    end_on: Annotated[AnyDay, label("续至", "Last day as now registered")]


EXIT_RESTRICT_RENEW = renewal_of(
    EXIT_RESTRICT,
    name="sanction.exit-restrict.renew",
    zh="续期限制出境",
    en="Prolong the restriction of leaving",
    help_zh="限制出境到期前续期，须两人审批，应在到期前一个月内办理；已经到期的不能续期，须重新申请。",
    help_en="Prolongs the restriction before it ends, with two approvals, best in its last month. One that has ended "
    "cannot be prolonged: ask anew.",
    request=ExitRestrictRenew,
    result_item=ExitRestrictProlonged,
    documents=lambda _: {"exit-restriction-decision": 1, "assistance-notice": 1},
    measure=lambda payload: prolongs(ACTION, person_objects(payload.person), payload),
    border_notice=_prolonged_by_level,
    ending=_lifted,
    example_request={
        "person": PERSON_EXAMPLE,
        "control_no": "CJ6101990000001",
        "mode": "stop-at-border",
        "current_end_on": "2026-06-23",
        "end_on": "2026-09-23",
        "reason": "公司仍未履行，法定代表人仍须配合执行",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-06-18T10:20:00+08:00",
        "items": [{"ref": "k7m2q9xa", "effective_at": "2026-06-18T10:00:00+08:00", "end_on": "2026-09-23"}],
    },
)


# --- no longer ----------------------------------------------------------------------------------------------------

LiftReason = Vocabulary[
    Annotated[Literal["performed"], "已履行"]
    | Annotated[Literal["guaranteed"], "已提供充分有效担保"]
    | Annotated[Literal["applicant-agrees"], "申请执行人同意解除"]
    | Annotated[Literal["ended"], "裁定终结执行"]
    | Annotated[Literal["wrong"], "不应限制"]
    | Annotated[Literal["other"], "其他"]
]


class ExitRestrictLift(Model):
    """With the decision that lifts it; wants no approval: who may leave must be let go."""

    person: Annotated[Person, label("限制出境对象", "Who may leave again")]
    control_no: Annotated[MeasureNo, label("备案编号", "Number under which it is kept")]
    reason: Annotated[LiftReason, label("解除原因", "Why it is lifted")]
    note: Annotated[Line | None, label("说明", "Explanation")] = None


class ExitRestrictEnd(Model):
    ref: Annotated[Ref, label("对象编号", "The person")]
    effective_at: Annotated[AnyMoment, label("解除时间", "Since when the person may leave")]


EXIT_RESTRICT_LIFT = ending_of(
    EXIT_RESTRICT,
    zh="解除限制出境",
    en="Lift the restriction of leaving",
    help_zh="提前解除限制出境，如被执行人已履行。附解除限制出境决定书。须由公安机关确认后方告完成，请选紧急程度“紧急”。",
    help_en="Lifts the restriction early, as when the debtor has paid, with the decision that lifts it. It is done "
    "when the police confirm it; choose the urgency `urgent`.",
    request=ExitRestrictLift,
    result_item=ExitRestrictEnd,
    measure=lambda payload: ends(ACTION, person_objects(payload.person), payload.control_no),
    deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
    example_request={
        "person": PERSON_EXAMPLE,
        "control_no": "CJ6101990000001",
        "reason": "performed",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T09:00:00+08:00",
        "items": [{"ref": "k7m2q9xa", "effective_at": "2026-04-10T08:52:00+08:00"}],
    },
)
