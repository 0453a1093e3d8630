"""Refusal to execute 拒执 (docs/domain.md 2.5): the court hands a lead to the police.

Grounds: 法释〔2024〕13号 articles 3 and 4 [S]. Days of the decision: 法发〔2025〕8号 [S].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from schemas.base import Model, label
from schemas.catalogue import ApprovalRule, Classification, Deadline, DeadlineKind, Kind, MatterType, Shape
from schemas.envelope import Ref
from schemas.identifiers import CaseNo
from schemas.items import distinct
from schemas.ledgers import LedgerEntry
from schemas.rules import broken
from schemas.values import Day, Document, Line, Person, Prose

FILING_DAYS = 7  # [S] 立案决定
COMPLEX_FILING_DAYS = 30  # [S] 重大、疑难、复杂

Ground = Literal[
    "JZ3-1",
    "JZ3-2",
    "JZ3-3",
    "JZ3-4",
    "JZ3-5",
    "JZ3-6",
    "JZ3-7",
    "JZ3-8",
    "JZ3-9",
    "JZ3-10",
    "JZ4-1",
    "JZ4-2",
    "JZ4-3",
    "JZ4-4",
    "JZ4-5",
]
GROUND_LABELS = {
    "JZ3-1": "恶意无偿处分财产权益、延长到期债权履行期限或虚假和解、虚假转让",
    "JZ3-2": "以明显不合理高价受让财产、为他人债务提供担保等恶意减损责任财产",
    "JZ3-3": "伪造、毁灭、隐匿履行能力证据或妨碍作证",
    "JZ3-4": "拒绝或虚假报告财产、违反限制消费令等，经罚款、拘留等后仍拒不执行",
    "JZ3-5": "经罚款、拘留等后仍拒不交付财物、票证或拒不迁出房屋、退出土地",
    "JZ3-6": "经罚款、拘留等后仍拒不履行协助行使人身权益等作为义务",
    "JZ3-7": "经罚款、拘留等后仍违反人身安全保护令等不作为义务",
    "JZ3-8": "以恐吓、聚众哄闹、拉拽等方法阻碍进入执行现场",
    "JZ3-9": "毁损、抢夺执行案卷、车辆、器械、服装或证件",
    "JZ3-10": "其他有能力执行而拒不执行，情节严重",
    "JZ4-1": "以虚假诉讼、仲裁、公证等方式妨害执行（情节特别严重）",
    "JZ4-2": "聚众冲击执行现场（情节特别严重）",
    "JZ4-3": "围攻、扣押、殴打执行人员（情节特别严重）",
    "JZ4-4": "致使申请执行人自杀、自残或其他严重后果（情节特别严重）",
    "JZ4-5": "其他情节特别严重的情形",
}
AFTER_PENALTY = frozenset({"JZ3-4", "JZ3-5", "JZ3-6", "JZ3-7"})
"""Grounds that exist only when a fine, detention or the like did not help."""


class EffectiveJudgment(Model):
    kind: Annotated[
        Literal["judgment", "ruling"],
        label("文书种类", "Judgment, or ruling that enforces it", {"judgment": "判决", "ruling": "裁定"}),
    ]
    case_no: Annotated[CaseNo, label("生效文书案号", "Its case number")]
    court: Annotated[Line, label("作出法院", "Court that made it")]
    effective_on: Annotated[Day, label("生效日期", "In force since")]


class PriorPenalty(Model):
    kind: Annotated[
        Literal["fine", "detention", "other"],
        label("处罚种类", "What was imposed", {"fine": "罚款", "detention": "拘留", "other": "其他强制措施"}),
    ]
    decided_on: Annotated[Day, label("决定日期", "Decided on")]
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


class LeadTransfer(Model):
    suspect: Annotated[Person, label("涉嫌拒执人", "Suspect")]
    grounds: Annotated[
        list[Ground],
        label("涉嫌情形", "Grounds, by article and item", GROUND_LABELS, min_length=1, max_length=15),
        AfterValidator(distinct),
    ]
    judgment: Annotated[EffectiveJudgment, label("生效法律文书", "The judgment that is not obeyed")]
    obligation: Annotated[Prose, label("应履行的义务", "What it orders")]
    facts: Annotated[Prose, label("拒执事实", "What the suspect did")]
    transferred_on: Annotated[Day, label("移送日期", "Transferred on")]
    prior_penalties: Annotated[list[PriorPenalty], label("已采取的处罚", "Earlier penalties", max_length=20)] = []
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
        return self


class LeadDecision(Model):
    """The police file or do not; the procuratorate, which gets a copy, notes it."""

    ref: Annotated[Ref, label("对象编号", "The suspect")]
    decision: Annotated[
        Literal["filed", "not-filed", "noted"],
        label(
            "处理决定",
            "What was decided",
            {"filed": "立案", "not-filed": "不予立案", "noted": "已收悉备查（检察机关）"},
        ),
    ]
    decided_on: Annotated[Day, label("决定日期", "Decided on")]
    file_no: Annotated[Line | None, label("立案编号", "Number of the police file")] = None
    complex: Annotated[bool | None, label("是否重大疑难复杂", "Complex: the longer time was used")] = None
    reason: Annotated[Prose | None, label("理由", "Why none was filed")] = None

    @model_validator(mode="after")
    def _grounded(self) -> LeadDecision:
        if self.decision == "filed" and self.file_no is None:
            raise broken("file-no-required", at="/file_no")
        if self.decision == "not-filed" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


def _entered(_: LeadTransfer) -> LedgerEntry:
    """The copy to the procuratorate is no lead of its own."""
    return LedgerEntry("refusal", receivers=(Kind.POLICE.value,))


def _decided(verb: str, data: Mapping[str, Any]) -> LedgerEntry | None:
    """What the police decided on the suspect: the ledger keeps the decision and its day."""
    if verb not in ("result", "correct"):
        return None
    for item in data.get("items", ()):
        return LedgerEntry("refusal", item["decision"], settles=True, on=item["decided_on"])
    return LedgerEntry("refusal", data["outcome"], settles=data["outcome"] != "partial")


_PAPER = {
    "issued_on": "2026-03-20",
    "pages": 3,
    "media_type": "application/pdf",
}

LEAD_TRANSFER = MatterType(
    name="refusal.lead.transfer",
    zh="拒执线索移送",
    en="Transfer a lead on refusal to execute",
    help_zh=f"把涉嫌拒不执行判决、裁定的线索移送公安机关，同时抄送检察院。选定情形，附移送函和五组证据（身份、义务、能力、"
    f"拒执行为、后果，每组至少一份），须两人审批。公安机关 {FILING_DAYS} 日内决定是否立案，重大疑难复杂的 "
    f"{COMPLEX_FILING_DAYS} 日。",
    help_en=f"Hands a lead on refusal to the police, with a copy to the procuratorate. Choose the grounds, attach the "
    f"letter and evidence in five groups (identity, duty, ability, refusal, consequence), two approvals. The police "
    f"decide in {FILING_DAYS} days, {COMPLEX_FILING_DAYS} when it is complex.",
    shape=Shape.ASK,
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.POLICE, Kind.PROCURATORATE}),
    request=LeadTransfer,
    result_item=LeadDecision,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    fan_out=True,
    coercive=lambda _: True,
    approvals=lambda _: ApprovalRule(people=2),
    documents=lambda _: {"lead-transfer-letter": 1},
    ledger=_entered,
    ledger_answer=_decided,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, FILING_DAYS),
    example_request={
        "suspect": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "grounds": ["JZ3-1", "JZ3-4"],
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
