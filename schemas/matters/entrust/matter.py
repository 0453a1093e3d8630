"""Commissioned matters between courts (docs/domain.md 2.6): one type, both directions, the code says what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastMoment
from lianzhi.protocol.values import Line, Name, Prose, Sha256
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, Kind, LiveMeasure, MeasureRule
from schemas.declare import ask
from schemas.linkages import BETWEEN_COURTS, Linkage
from schemas.matters.entrust.commissions import CODE_LABELS, COMMISSIONS, ENDS, Commission, MatterCode
from schemas.matters.entrust.objects import CommissionObject, Whereabouts
from schemas.parts.debts import DebtReason, check_debt_reason
from schemas.parts.endings import original
from schemas.parts.items import PropertyItem
from schemas.values.identifiers import CourtCode
from schemas.values.objects import Measure, Money
from schemas.values.people import DECISION_PAPERS, detention_cautions
from schemas.values.terms import check_renewal, check_years


class EntrustRequest(Model):
    """entrusting asks, entrusted does. The term and the original measure are wanted or refused by the code. What is
    urgent is done within 24 hours [H]; fewer days than usual may be asked for then, and no more."""

    matter_code: Annotated[MatterCode, label("委托事项", "What is to be done", CODE_LABELS)]
    entrusting: Annotated[CourtCode, label("委托法院", "Court that asks")]
    entrusted: Annotated[CourtCode, label("受托法院", "Court that is asked")]
    place: Annotated[Line, label("办理地点", "Where it is to be done")]
    assisting_unit: Annotated[Line | None, label("协助单位", "Bank, registry or other unit that assists")] = None
    objects: Annotated[list[CommissionObject], label("标的", "Objects", min_length=1, max_length=50)]
    start_on: Annotated[AnyDay | None, label("起始日期", "First day of the measure")] = None
    end_on: Annotated[AnyDay | None, label("到期日期", "Last day of the measure")] = None
    original: Annotated[Measure | None, label("原措施", "Measure that is renewed, ended or used")] = None
    debt_amount: Annotated[Money | None, label("债务数额", "Debt of the case, against over-seizure")] = None
    debt_reason: Annotated[DebtReason | None, label("债务变更原因", "Why the debt is not the case's figure")] = None
    requested_days: Annotated[int, label("要求办理天数", "Days in which to do it", ge=1, le=30)]
    urgent: Annotated[bool, label("是否紧急", "To be done within 24 hours")] = False

    @model_validator(mode="after")
    def _by_code(self) -> EntrustRequest:
        row = COMMISSIONS[self.matter_code]
        if self.entrusting == self.entrusted:
            raise broken("same-court", at="/entrusted")
        self._check_days(row)
        self._check_objects(row)
        self._check_original(row)
        self._check_term(row)
        check_debt_reason(self.debt_amount, self.debt_reason)
        return self

    def _check_days(self, row: Commission) -> None:
        least, most = (1 if self.urgent else row.days[0]), row.days[1]
        if not least <= self.requested_days <= most:
            raise broken("requested-days", at="/requested_days", least=least, most=most)

    def _check_objects(self, row: Commission) -> None:
        for index, item in enumerate(self.objects):
            if item.kind != row.object:
                raise broken("object-kind-mismatch", at=f"/objects/{index}/kind", expected=row.object)
            if row.money and item.amount is None:
                raise broken("amount-required", at=f"/objects/{index}/amount")

    def _check_original(self, row: Commission) -> None:
        if row.effect in ("renew", "end"):
            if self.original is None:
                raise broken("original-required", at="/original")
            if len(self.objects) > 1:
                raise broken("one-object", at="/objects/1")
        elif row.effect == "open" and self.original is not None:
            raise broken("original-not-needed", at="/original")

    def _check_term(self, row: Commission) -> None:
        if row.years == 0:
            if self.start_on or self.end_on:
                raise broken("term-not-needed", at="/start_on" if self.start_on else "/end_on")
            return
        if not (self.start_on and self.end_on):
            raise broken("term-required", at="/end_on" if self.start_on else "/start_on")
        check_years(self.start_on, self.end_on, row.years)
        if row.effect == "renew" and self.original:
            check_renewal(self.original, self.start_on, self.end_on)


class ServiceRecord(Model):
    """送达回证: how a document was served."""

    method: Annotated[
        Vocabulary[
            Annotated[Literal["direct"], "直接送达"]
            | Annotated[Literal["retained"], "留置送达"]
            | Annotated[Literal["forwarded"], "转交送达"]
            | Annotated[Literal["failed"], "未送达"]
        ],
        label(
            "送达方式",
            "How it was served",
        ),
    ]
    signed_at: Annotated[PastMoment | None, label("签收时间", "When it was signed for")] = None
    signer: Annotated[Name | None, label("签收人", "Who signed")] = None
    relation: Annotated[Line | None, label("与受送达人关系", "The signer's relation to the addressee")] = None
    receipt_image: Annotated[Sha256 | None, label("送达回证影像", "Picture of the receipt, by digest")] = None

    @model_validator(mode="after")
    def _proved(self) -> ServiceRecord:
        if self.method == "failed":
            if self.signed_at is not None:
                raise broken("not-served", at="/signed_at")
            return self
        for member in ("signed_at", "receipt_image"):
            if getattr(self, member) is None:
                raise broken("service-proof-required", at=f"/{member}")
        if self.method != "retained" and self.signer is None:
            raise broken("signer-required", at="/signer")
        if self.method == "forwarded" and self.relation is None:
            raise broken("relation-required", at="/relation")
        return self


class Finding(Model):
    question: Annotated[Prose, label("问题", "The question as asked")]
    answer: Annotated[Prose, label("答复", "The answer")]


class EntrustItem(PropertyItem):
    service: Annotated[ServiceRecord | None, label("送达情况", "How the document was served")] = None
    findings: Annotated[list[Finding], label("调查结果", "Answers to the questions", max_length=30)] = []

    @model_validator(mode="after")
    def _served(self) -> EntrustItem:
        if self.status == "done" and self.service is not None and self.service.method == "failed":
            raise broken("not-served", at="/status")
        return self


def _documents(payload: EntrustRequest) -> Mapping[str, int]:
    papers = dict(COMMISSIONS[payload.matter_code].documents)
    for item in payload.objects:
        if isinstance(item, Whereabouts):
            papers |= DECISION_PAPERS[item.decision]
    return papers


def _approvals(payload: EntrustRequest) -> ApprovalRule:
    """As for a lookout: no easier way to have somebody held by asking a neighbour (docs/domain.md section 4)."""
    if payload.matter_code == "control-person":
        return ApprovalRule(people=2, roles=("president",))
    return ApprovalRule()


def _measure(payload: EntrustRequest) -> MeasureRule | None:
    row = COMMISSIONS[payload.matter_code]
    if row.effect is None:
        return None
    return MeasureRule(
        row.action,
        row.effect,
        tuple((item.ref, item.words) for item in payload.objects),
        measure_no=payload.original.measure_no if payload.original else None,
        start_on=payload.start_on,
        end_on=payload.end_on,
        current_end_on=payload.original.end_on if payload.original and row.effect == "renew" else None,
        values=tuple(item.amount for item in payload.objects),
        debt=payload.debt_amount if row.effect == "open" else None,
        debt_reason=payload.debt_reason,
    )


def _asks_by(payload: EntrustRequest) -> Deadline:
    if payload.urgent:
        return Deadline(DeadlineKind.CLOCK_HOURS, 24)
    return Deadline(DeadlineKind.LEGAL_DAYS, payload.requested_days)


def _ended(payload: EntrustRequest, measure: LiveMeasure, reason: str) -> Mapping[str, Any]:
    """The code that undoes it, about the one object under the measure."""
    code = ENDS.get(payload.matter_code)
    if code is None:
        raise ValueError("no-ending-type")
    least, _ = COMMISSIONS[code].days
    kept = {
        "matter_code": code,
        "entrusting": payload.entrusting,
        "entrusted": payload.entrusted,
        "place": payload.place,
        "assisting_unit": payload.assisting_unit,
        "objects": [item.canonical() for item in payload.objects if item.ref == measure.ref],
        "original": original(measure),
        "requested_days": least,
        "urgent": True,
    }
    return {name: value for name, value in kept.items() if value is not None}


def _cautions(payload: EntrustRequest) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        caution
        for index, item in enumerate(payload.objects)
        if isinstance(item, Whereabouts)
        for caution in detention_cautions(
            item.decision, item.detention_days, item.seen_on, at=f"/objects/{index}/detention_days"
        )
    ]


ENTRUST = ask(
    name="entrust.matter.request",
    zh="委托事项",
    en="Commissioned matter",
    help_zh="委托外地法院代办冻结、查封、调查、送达等事项。选择委托事项后按提示填写标的和期限，附裁定书、协助执行通知书、委托函、"
    "送达回证和执行公务证；不另立案件，委托法院对委托事项负责。",
    help_en="Asks another court to freeze, seal, investigate, serve … in its district. Choose the matter, state the "
    "objects and the term, attach ruling, notice, letter, receipt form and work permit. No case of its own is filed; "
    "the entrusting court answers for it.",
    linkages=(
        Linkage(
            group=BETWEEN_COURTS,
            row=1,
            zh="委托事项（富平、高陵、临潼等，双向）",
            en="Commissioned matters, both directions",
            ledger="measure-ending",
            note=("请求可要求 10 至 20 天；加急 24 小时", "10 to 20 days as requested; urgent, 24 hours"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=EntrustRequest,
    result_item=EntrustItem,
    # Full account numbers go out; the answer has sums, signers and what was found: both sealed (dialects.md court/1).
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    coercive=lambda payload: COMMISSIONS[payload.matter_code].coercive,
    approvals=_approvals,
    cautions=_cautions,
    documents=_documents,
    ends=lambda payload: COMMISSIONS[payload.matter_code].ends,
    measure=_measure,
    done_states=lambda payload: COMMISSIONS[payload.matter_code].done_states,
    ending=_ended,
    ended_by="entrust.matter.request",
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, 20),
    asks_by=_asks_by,
    example_request={
        "matter_code": "freeze-deposit",
        "entrusting": "陕0199",
        "entrusted": "陕0528",
        "place": "富平县",
        "assisting_unit": "演示银行富平支行",
        "objects": [
            {
                "ref": "d2f6h8jk",
                "kind": "deposit",
                "party": {
                    "ref": "k7m2q9xa",
                    "name": "王演示",
                    "id_kind": "resident-id",
                    "id_no": "610199199003071237",
                    "role": "被执行人",
                },
                "amount": "86000.00",
                "bank": "演示银行富平支行",
                "account_no": "6100000000900001",
            }
        ],
        "start_on": "2026-03-24",
        "end_on": "2027-03-23",
        "requested_days": 15,
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-02T15:30:00+08:00",
        "items": [
            {
                "ref": "d2f6h8jk",
                "status": "done",
                "rank": 1,
                "start_on": "2026-03-24",
                "end_on": "2027-03-23",
                "registry_no": "YS-DJ-900001",
                "receipt_no": "HZ-900001",
                "amount": "86000.00",
            }
        ],
    },
)
