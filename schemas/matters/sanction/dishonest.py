"""The list of dishonest debtors 失信被执行人名单 (docs/domain.md 2.9): publishing an entry.

Grounds, terms and who may not be listed: 法释〔2017〕7号 [H]. The recipients get the public copy: their dialect hides
the debtor's number (adapters/plain), and `card_no` shows it with its middle hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo, field_validator, model_validator

from lianzhi.protocol.base import Model, accepted_before, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, ComingDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask
from schemas.law.circles import LISTED, check_circle, circle
from schemas.law.signatures import signed_by
from schemas.linkages import SANCTIONS, WHOLE_GROUP, Linkage
from schemas.matters.assoc.member_notice import Disruption, Performance
from schemas.matters.sanction.listing import PublishedItem, check_public_number, check_representative, listed
from schemas.parts.endings import DELISTED, delisted
from schemas.parts.items import distinct
from schemas.values.objects import Person
from schemas.values.people import check_adult
from schemas.values.terms import check_years

LIST_YEARS = 2  # [H] 法释〔2017〕7号 article 2
EXTENDED_YEARS = 5  # [H] the same: two, and one to three more
ACTION = "dishonest"
RECIPIENTS = frozenset({Kind.PUBLICATION, Kind.OFFICE})
TWO_PEOPLE = ApprovalRule(people=2)
DEBTOR_EXAMPLE: Mapping[str, Any] = {
    "ref": "q4w8n3zt",
    "name": "周样例",
    "id_kind": "resident-id",
    "id_no": "610199198503121232",
    "role": "被执行人",
}
DISHONEST_LIST = Linkage(
    group=SANCTIONS, row=3, zh="失信名单", en="The list of dishonest debtors", ledger="measure-ending", note=WHOLE_GROUP
)


class DishonestEntry(Model):
    """One entry as the public reads it; the name is the debtor's."""

    card_no: Annotated[Line, label("证件号码（隐去部分）", "ID as the public list shows it")]
    business_entity: Annotated[Name | None, label("法定代表人或负责人", "Legal representative")] = None
    basis_no: Annotated[Line, label("执行依据文号", "Number of the judgment")]
    basis_court: Annotated[Line, label("作出执行依据单位", "Who made it")]
    obligation: Annotated[Prose, label("生效文书确定的义务", "What it orders")]
    performance: Annotated[Performance, label("履行情况", "Performance")]
    disruption: Annotated[
        list[Disruption],
        label("失信行为", "What the debtor did", min_length=1, max_length=6),
        AfterValidator(distinct),
    ]
    filed_on: Annotated[PastDay, label("立案日期", "Filed on")]

    @field_validator("performance")
    @classmethod
    def _still_owing(cls, value: str) -> str:
        if value == "full":
            raise broken("already-performed")
        return value


def check_entry(debtor: Person, entry: DishonestEntry) -> None:
    check_public_number(debtor, entry.card_no, at="/entry/card_no")
    check_representative(debtor, entry.business_entity, at="/entry/business_entity")


class DishonestPublish(Model):
    """Ability without will alone is listed until it is performed; the other acts for a term."""

    debtor: Annotated[Person, label("失信被执行人", "The debtor")]
    entry: Annotated[DishonestEntry, label("公布内容", "The entry")]
    publish_on: Annotated[AnyDay, label("发布日期", "Published on")]
    end_on: Annotated[ComingDay | None, label("期限届满", "Last day of the term, where there is one")] = None

    @model_validator(mode="after")
    def _may_be_listed(self, info: ValidationInfo) -> DishonestPublish:
        if not accepted_before(info):
            check_circle(self.debtor, LISTED, self.publish_on, at="/debtor")
        if not circle(LISTED, self.publish_on).minors:
            check_adult(self.debtor, self.publish_on, at="/debtor")
        check_entry(self.debtor, self.entry)
        if self.entry.filed_on > self.publish_on:
            raise broken("end-before-start", at="/publish_on")
        self._check_term(self.entry.disruption)
        return self

    def _check_term(self, acts: list[Disruption]) -> None:
        if acts == ["able-but-refuses"]:
            if self.end_on is not None:
                raise broken("term-not-needed", at="/end_on")
        elif self.end_on is not None:
            extended = len(acts) > 1 or "obstructs" in acts
            check_years(self.publish_on, self.end_on, EXTENDED_YEARS if extended else LIST_YEARS)
        elif "able-but-refuses" not in acts:
            raise broken("list-term-required", at="/end_on")


def _cautions(payload: DishonestPublish) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
    """Item 1 of 法释〔2017〕7号 article 1 has no term; whether it takes the others' term, the text leaves open."""
    several = len(payload.entry.disruption) > 1
    return [("list-term-advised", "/end_on", {})] if several and payload.end_on is None else []


def _publish_measure(payload: DishonestPublish) -> MeasureRule:
    return listed(
        ACTION, "open", payload.debtor, start_on=payload.publish_on, end_on=payload.end_on, blocked_by="grace"
    )


def _withdrawn(payload: DishonestPublish, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    return delisted(payload.debtor, payload.entry.card_no, measure, reason, DELISTED)


ENTRY_EXAMPLE: Mapping[str, Any] = {
    "card_no": "6101991985****1232",
    "basis_no": "（2025）陕0199民初900007号",
    "basis_court": "云川县人民法院（演示）",
    "obligation": "偿还借款及利息",
    "performance": "none",
    "disruption": ["false-property-report"],
    "filed_on": "2026-01-12",
}

DISHONEST_PUBLISH = ask(
    name="sanction.dishonest.publish",
    zh="失信发布",
    en="Publish a dishonest debtor",
    help_zh="向各发布单位发布失信信息，一单位一件，逐家回执。未成年人不得纳入；公布件身份证号隐去中间部分；"
    "只列被执行人本人，不列单位的法定代表人、负责人等。宽限期内不得发布。附失信决定书，须两人审批且其中一人为院长；"
    "除有能力拒不履行外，期限二年，情节严重或多项的可延长至五年；与其他情形并列的，本产品理解为仍须写明截止日期。",
    help_en="Publishes an entry to each recipient, one request each, each answers. Nobody under 18; the public copy "
    "masks the ID; not during a grace. The debtor alone, never its representative. With the decision and two "
    "approvals, one the president's; but for ability without will the term is two years, up to five for grave or "
    "several acts; "
    "where that stands beside other acts, an end is given all the same (our reading).",
    linkages=(DISHONEST_LIST,),
    senders=frozenset({Kind.COURT}),
    receivers=RECIPIENTS,
    request=DishonestPublish,
    result_item=PublishedItem,
    request_class=Classification.PUBLIC,
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda payload: signed_by("sanction.dishonest.publish", payload.publish_on),
    documents=lambda _: {"dishonesty-decision": 1},
    measure=_publish_measure,
    cautions=_cautions,
    ending=_withdrawn,
    ended_by="sanction.dishonest.withdraw",
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 3),
    example_request={
        "debtor": DEBTOR_EXAMPLE,
        "entry": ENTRY_EXAMPLE,
        "publish_on": "2026-05-12",
        "end_on": "2028-05-11",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-05-12T16:00:00+08:00",
        "items": [
            {
                "ref": "q4w8n3zt",
                "status": "done",
                "done_at": "2026-05-12T15:30:00+08:00",
                "registry_no": "SX-900001",
            }
        ],
    },
)
