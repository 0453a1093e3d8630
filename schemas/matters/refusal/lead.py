"""Refusal to execute 拒执 (docs/domain.md 2.5): the court hands a lead to the police.

Grounds: `schemas.matters.refusal.grounds`. 法发〔2025〕8号 [S]: articles 三, 四 (letter, statement, five groups of
evidence), 五 (the police take the lead and decide in 7 days, 30 where it is complex), 七 (the reasons of not filing go
to the court). What is another unit's to investigate is transferred to it, not turned away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label, today_of
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnswerDay, PastDay
from lianzhi.protocol.values import Document, Line, Prose
from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, FixedBy, Instead, Kind
from schemas.declare import ask
from schemas.ledgers import LedgerEntry
from schemas.linkages import REFUSAL, Linkage
from schemas.matters.refusal.grounds import AFTER_PENALTY, WITH_ACCOMPLICE, Ground
from schemas.parts.items import distinct
from schemas.values.identifiers import QuotedCaseNo
from schemas.values.identity import IdKind, identity_number
from schemas.values.objects import Person

FILING_DAYS = 7  # [S] 立案决定
COMPLEX_FILING_DAYS = 30  # [S] 重大、疑难、复杂
TELL_DAYS = 7  # [S] 不予立案或立案后撤销案件的，函告执行法院并说明理由


class EffectiveJudgment(Model):
    kind: Annotated[
        Vocabulary[Annotated[Literal["judgment"], "判决"] | Annotated[Literal["ruling"], "裁定"]],
        label("文书种类", "Judgment, or ruling that enforces it"),
    ]
    case_no: Annotated[QuotedCaseNo, label("生效文书案号", "Its case number")]
    court: Annotated[Line, label("作出法院", "Court that made it")]
    effective_on: Annotated[PastDay, label("生效日期", "In force since")]


class PriorPenalty(Model):
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["fine"], "罚款"]
            | Annotated[Literal["detention"], "拘留"]
            | Annotated[Literal["other"], "其他强制措施"]
        ],
        label("处罚种类", "What was imposed"),
    ]
    decided_on: Annotated[PastDay, label("决定日期", "Decided on")]
    document_no: Annotated[Line, label("决定书文号", "Number of the decision")]


def _some(group: list[Document]) -> list[Document]:
    if not group:
        raise broken("evidence-missing")
    return group


Evidence = Annotated[list[Document], AfterValidator(_some)]


class EvidenceGroups(Model):
    """Without all five the police cannot file: who, what was owed, could pay, did not, and what came of it."""

    identity: Annotated[Evidence, label("主体身份证据", "Who the suspect is", max_length=50)]
    duty: Annotated[Evidence, label("执行义务证据", "The duty and that it was known", max_length=50)]
    ability: Annotated[Evidence, label("履行能力证据", "That the suspect could perform", max_length=50)]
    refusal: Annotated[Evidence, label("拒执行为证据", "What was done to refuse", max_length=50)]
    consequence: Annotated[Evidence, label("后果证据", "That it could not be enforced", max_length=50)]


class Accomplice(Model):
    """Somebody outside the case who helped, knowing of the duty (法释〔2024〕13号 article 8)."""

    ref: Annotated[Ref, label("对象编号", "Reference of this person within the request")]
    name: Annotated[Line, label("姓名", "Name")]
    id_kind: Annotated[IdKind, label("证件种类", "Kind of ID")]
    id_no: Annotated[str, label("证件号码", "ID number", max_length=64)]
    conduct: Annotated[Prose, label("协助行为", "How it was agreed and what was done to help")]

    @field_validator("id_no")
    @classmethod
    def _number(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("id_kind")
        return identity_number(kind, value, today=today_of(info)) if kind else value


class LeadTransfer(Model):
    suspect: Annotated[Person, label("涉嫌拒执人", "Suspect")]
    grounds: Annotated[
        list[Ground],
        label("涉嫌情形", "Grounds, by article and item", min_length=1, max_length=22),
        AfterValidator(distinct),
    ]
    judgment: Annotated[EffectiveJudgment, label("生效法律文书", "The judgment that is not obeyed")]
    obligation: Annotated[Prose, label("应履行的义务", "What it orders")]
    facts: Annotated[Prose, label("拒执事实", "What the suspect did")]
    transferred_on: Annotated[PastDay, label("移送日期", "Transferred on")]
    prior_penalties: Annotated[list[PriorPenalty], label("已采取的处罚", "Earlier penalties", max_length=20)] = []
    accomplices: Annotated[list[Accomplice], label("案外共犯", "Outsiders who helped, of JZ8", max_length=10)] = []
    evidence: Annotated[EvidenceGroups, label("证据材料", "Evidence in five groups")]

    @model_validator(mode="after")
    def _grounds_hold(self) -> LeadTransfer:
        if self.judgment.effective_on > self.transferred_on:
            raise broken("judgment-not-effective", at="/judgment/effective_on")
        if AFTER_PENALTY.intersection(self.grounds) and not self.prior_penalties:
            raise broken("penalty-required", at="/prior_penalties")
        for index, penalty in enumerate(self.prior_penalties):
            if penalty.decided_on > self.transferred_on:
                raise broken("penalty-after-lead", at=f"/prior_penalties/{index}/decided_on")
        if (WITH_ACCOMPLICE in self.grounds) != bool(self.accomplices):
            raise broken("accomplice-with-ground", at="/accomplices")
        return self


class LeadDecision(Model):
    """The police file, do not, or transfer it to whose it is; the procuratorate, which gets a copy, notes it."""

    ref: Annotated[Ref, label("对象编号", "The suspect")]
    decision: Annotated[
        Vocabulary[
            Annotated[Literal["filed"], "立案"]
            | Annotated[Literal["not-filed"], "不予立案"]
            | Annotated[Literal["transferred"], "移送有管辖权的机关"]
            | Annotated[Literal["noted"], "已收悉备查（检察机关）"]
        ],
        label(
            "处理决定",
            "What was decided",
        ),
    ]
    decided_on: Annotated[AnswerDay, label("决定日期", "Decided on")]
    file_no: Annotated[Line | None, label("立案编号", "Number of the police file")] = None
    complex: Annotated[bool | None, label("是否重大疑难复杂", "Complex: the longer time was used")] = None
    reason: Annotated[Prose | None, label("理由", "Why none was filed, or why it is another's")] = None
    legal_ref: Annotated[Line | None, label("法律依据", "Law and article that not filing rests on")] = None
    transferred_to: Annotated[Line | None, label("移送单位", "Unit that it was transferred to")] = None

    @model_validator(mode="after")
    def _grounded(self) -> LeadDecision:
        if self.decision == "filed" and self.file_no is None:
            raise broken("file-no-required", at="/file_no")
        if self.decision in ("not-filed", "transferred") and self.reason is None:
            raise broken("reason-required", at="/reason")
        if self.decision == "not-filed" and self.legal_ref is None:
            raise broken("legal-ref-required", at="/legal_ref")
        if (self.decision == "transferred") != (self.transferred_to is not None):
            raise broken("transferred-to", at="/transferred_to")
        return self


def _entered(_: LeadTransfer) -> LedgerEntry:
    """The copy to the procuratorate is no lead of its own."""
    return LedgerEntry("refusal", receivers=(Kind.POLICE,))


def _told_by(verb: str, data: Mapping[str, Any]) -> tuple[str, Deadline] | None:
    """Why none was filed is told in 7 days (法发〔2025〕8号 七 [S])."""
    if verb not in ("result", "correct"):
        return None
    days = [item["decided_on"] for item in data["items"] if item["decision"] == "not-filed"]
    return (min(days), Deadline(DeadlineKind.LEGAL_DAYS, TELL_DAYS)) if days else None


def _decided(verb: str, data: Mapping[str, Any]) -> LedgerEntry | None:
    """What the police decided: the ledger keeps the decision and its day; of several people, a filing comes first."""
    if verb not in ("result", "correct"):
        return None
    for item in sorted(data.get("items", ()), key=lambda item: item["decision"] != "filed"):
        return LedgerEntry("refusal", item["decision"], settles=True, on=item["decided_on"])
    return LedgerEntry("refusal", data["outcome"], settles=data["outcome"] != "partial")


_INSTEAD = Instead(
    "法发〔2025〕8号五、七",
    "立案（result: filed）、不予立案并说明理由和法律依据（not-filed）、移送有管辖权的机关（transferred）、"
    "材料不齐的要求补正（supplement-request）",
    "file it (result: filed), do not with reason and law (not-filed), transfer it to whose it is (transferred), or ask "
    "for what is missing (supplement-request)",
)

_PAPER = {
    "issued_on": "2026-03-20",
    "pages": 3,
    "media_type": "application/pdf",
}

LEAD_TRANSFER = ask(
    name="refusal.lead.transfer",
    zh="拒执线索移送",
    en="Transfer a lead on refusal to execute",
    help_zh=f"把涉嫌拒不执行判决、裁定的线索移送公安机关，同时抄送检察院。选定情形，附移送函、执行情况说明和五组证据（身份、"
    f"义务、能力、拒执行为、后果，每组至少一份），须两人审批。公安机关 {FILING_DAYS} 日内决定是否立案，重大疑难复杂的 "
    f"{COMPLEX_FILING_DAYS} 日；不予立案的说明理由和法律依据，不属其管辖的移送并告知，材料不齐的要求补正，"
    "不得拒收或退回。",
    help_en=f"Hands a lead on refusal to the police, with a copy to the procuratorate. Choose the grounds, attach the "
    f"letter, the statement of the enforcement and evidence in five groups (identity, duty, ability, refusal, "
    f"consequence), two approvals. The police decide in {FILING_DAYS} days, {COMPLEX_FILING_DAYS} when it is complex: "
    "they file, do not (reason and law), transfer what is another's, or ask for what is missing; they do not turn it "
    "away.",
    linkages=(
        Linkage(
            group=REFUSAL,
            row=1,
            zh="线索移送",
            en="Transfer of a lead",
            ledger="refusal",
            note=("重大疑难复杂的 30 日", "30 days when it is complex"),
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE, Kind.PROCURATORATE}),
    request=LeadTransfer,
    result_item=LeadDecision,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda _: ApprovalRule(people=2),
    documents=lambda _: {"lead-transfer-letter": 1, "enforcement-statement": 1},
    answers_instead={"refuse": _INSTEAD, "return": _INSTEAD},
    ledger=_entered,
    ledger_answer=_decided,
    told_by=_told_by,
    asked_on=lambda payload: payload.transferred_on,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, FILING_DAYS),
    fixed_by=FixedBy("FAFA-2025-8-5"),
    example_request={
        "suspect": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "grounds": ["NPC-1", "JZ3-4"],
        "judgment": {
            "kind": "judgment",
            "case_no": "（2025）陕0199民初900001号",
            "court": "云川县人民法院（演示）",
            "effective_on": "2025-06-10",
        },
        "obligation": "偿还借款及利息",
        "facts": "判决生效后将名下车辆无偿过户给亲属，经拘留后仍拒不报告财产",
        "transferred_on": "2026-03-24",
        "prior_penalties": [
            {"kind": "detention", "decided_on": "2026-01-15", "document_no": "（2026）陕0199司惩900001号"}
        ],
        "evidence": {
            "identity": [{"kind": "evidence", "sha256": "a1" * 32, **_PAPER}],
            "duty": [{"kind": "evidence", "sha256": "a2" * 32, **_PAPER}],
            "ability": [{"kind": "evidence", "sha256": "a3" * 32, **_PAPER}],
            "refusal": [{"kind": "evidence", "sha256": "a4" * 32, **_PAPER}],
            "consequence": [{"kind": "evidence", "sha256": "a5" * 32, **_PAPER}],
        },
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-30T16:00:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "decision": "filed",
                "decided_on": "2026-03-30",
                "file_no": "云公（刑）立字〔2026〕900001号",
            }
        ],
    },
)
