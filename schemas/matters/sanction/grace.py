"""Time to perform 履行宽限期 (docs/domain.md 2.9): while it lasts, nothing is published about the debtor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, ComingDay, PastDay
from lianzhi.protocol.values import Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask
from schemas.linkages import SANCTIONS, Linkage
from schemas.matters.sanction.listing import PublishedItem
from schemas.values.objects import MeasureNo, Person
from schemas.values.people import person_objects
from schemas.values.terms import check_months, months_later

GRACE_MONTHS = (1, 3)  # [H] 法发〔2019〕35号


class Grace(Model):
    """set: a term and its conditions. end: why it ends early."""

    debtor: Annotated[Person, label("被执行人", "To whom")]
    action: Annotated[
        Vocabulary[Annotated[Literal["set"], "给予宽限"] | Annotated[Literal["end"], "提前终止"]],
        label("办理事项", "Grant it, or end it early"),
    ]
    start_on: Annotated[AnyDay | None, label("宽限开始", "First day")] = None
    end_on: Annotated[ComingDay | None, label("宽限截止", "Last day, one to three months on")] = None
    conditions: Annotated[Prose | None, label("宽限条件", "What the debtor must do meanwhile")] = None
    grace_no: Annotated[MeasureNo | None, label("宽限编号", "Number of the grace that ends")] = None
    end_reason: Annotated[
        Vocabulary[
            Annotated[Literal["performed"], "已履行"]
            | Annotated[Literal["breached"], "违反条件"]
            | Annotated[Literal["revoked"], "撤销"]
        ]
        | None,
        label("终止原因", "Why it ends"),
    ] = None
    breached_on: Annotated[PastDay | None, label("违反日期", "When the conditions were broken")] = None
    breach: Annotated[Prose | None, label("违反事实", "How they were broken")] = None

    @model_validator(mode="after")
    def _by_action(self) -> Grace:
        if self.action == "set":
            self._check_term()
        else:
            self._check_end()
        return self

    def _check_term(self) -> None:
        if not (self.start_on and self.end_on):
            raise broken("term-required", at="/end_on" if self.start_on else "/start_on")
        shortest, longest = GRACE_MONTHS
        check_months(self.start_on, self.end_on, longest)
        if self.end_on < months_later(self.start_on, shortest):
            raise broken("grace-too-short", at="/end_on", shortest=shortest)

    def _check_end(self) -> None:
        if self.start_on or self.end_on:
            raise broken("term-not-needed", at="/start_on" if self.start_on else "/end_on")
        if self.grace_no is None:
            raise broken("original-required", at="/grace_no")
        if self.end_reason is None:
            raise broken("reason-required", at="/end_reason")
        if self.end_reason == "breached":
            for member in ("breached_on", "breach"):
                if getattr(self, member) is None:
                    raise broken("breach-required", at=f"/{member}")


_GRACE_EFFECTS = {"set": "open", "end": "end"}


def _grace_measure(payload: Grace) -> MeasureRule:
    return MeasureRule(
        "grace",
        _GRACE_EFFECTS[payload.action],
        person_objects(payload.debtor),
        measure_no=payload.grace_no,
        named_at="/payload/grace_no",
        start_on=payload.start_on,
        end_on=payload.end_on,
    )


def _ended(payload: Grace, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return {
        "debtor": payload.debtor.canonical(),
        "action": "end",
        "grace_no": measure.number or measure.measure_no,
        "end_reason": "performed" if reason in ("paid", "settled") else "revoked",
    }


GRACE = ask(
    name="sanction.grace.set",
    zh="履行宽限期",
    en="Give a grace to perform",
    help_zh="给被执行人一至三个月的宽限期，期内不得发布失信、限制消费；违反条件的，写明日期和事实提前终止后方可发布。"
    "登记后由本院发布部门遵照。",
    help_en="One to three months to perform. Meanwhile neither the list nor the limit on consumption may be published; "
    "when the conditions are broken, end the grace first, with the day and the facts.",
    linkages=(
        Linkage(
            group=SANCTIONS,
            row=2,
            zh="履行宽限期",
            en="Grace",
            ledger="measure-ending",
            note=("期内不得公布", "nothing is published meanwhile"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.OFFICE}),
    request=Grace,
    result_item=PublishedItem,
    request_class=Classification.SENSITIVE,
    approvals=lambda _: ApprovalRule(people=1),
    documents=lambda payload: {} if payload.action == "end" else {"grace-decision": 1},
    ends=lambda payload: "grace" if payload.action == "end" else None,
    measure=_grace_measure,
    ending=_ended,
    ended_by="sanction.grace.set",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 1),
    example_request={
        "debtor": {
            "ref": "q4w8n3zt",
            "name": "周样例",
            "id_kind": "resident-id",
            "id_no": "610199198503121232",
            "role": "被执行人",
        },
        "action": "set",
        "start_on": "2026-03-10",
        "end_on": "2026-05-10",
        "conditions": "每月15日前履行一万元",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-10T11:00:00+08:00",
        "items": [
            {
                "ref": "q4w8n3zt",
                "status": "done",
                "done_at": "2026-03-10T10:58:00+08:00",
                "registry_no": "KX-900001",
            }
        ],
    },
)
