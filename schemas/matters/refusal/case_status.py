"""Refusal to execute 拒执 (docs/domain.md 2.5): police or procuratorate tell how the case goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref, RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.ledgers import LedgerEntry
from schemas.linkages import REFUSAL, Linkage
from schemas.matters.refusal.consultation import PARTNERS
from schemas.matters.refusal.lead import TELL_DAYS
from schemas.values.objects import Money

Stage = Vocabulary[
    Annotated[Literal["investigating"], "侦查"]
    | Annotated[Literal["case-revoked"], "撤销案件"]
    | Annotated[Literal["prosecuted"], "起诉"]
    | Annotated[Literal["not-prosecuted"], "不起诉"]
    | Annotated[Literal["judged"], "判决"]
]
_DETAILS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "investigating": (),
    "case-revoked": (
        ("document_no", "撤销案件决定书文号", "the number of the decision to withdraw the case"),
        ("reason", "撤销案件理由", "the reason"),
    ),
    "prosecuted": (("document_no", "起诉书文号", "the number of the indictment"),),
    "not-prosecuted": (
        ("document_no", "不起诉决定书文号", "the number of the decision"),
        ("reason", "不起诉理由", "the reason"),
    ),
    "judged": (
        ("document_no", "判决书案号", "the number of the judgment"),
        ("sentence", "判决结果", "the sentence"),
    ),
}


class CaseStatus(Model):
    """ref: that of the suspect in the transfer."""

    ref: Annotated[Ref, label("对象编号", "The suspect, as in the transfer")]
    lead_no: Annotated[RequestNo, label("线索移送编号", "Request that transferred the lead")]
    stage: Annotated[Stage, label("办案阶段", "How far it is")]
    on: Annotated[PastDay, label("日期", "Since when")]
    unit: Annotated[Line, label("办案单位", "Unit that handles it")]
    document_no: Annotated[Line | None, label("文书文号", "Number of the paper")] = None
    reason: Annotated[Prose | None, label("理由", "Reason")] = None
    sentence: Annotated[Prose | None, label("判决结果", "Sentence")] = None
    performed_amount: Annotated[Money | None, label("已履行金额", "Performed meanwhile, CNY")] = None
    note: Annotated[Prose | None, label("说明", "Note")] = None

    @model_validator(mode="after")
    def _detailed(self) -> CaseStatus:
        for member, zh, en in _DETAILS[self.stage]:
            if getattr(self, member) is None:
                raise broken("status-detail-required", at=f"/{member}", expected=zh, expected_en=en)
        return self


def _told_by(verb: str, data: Mapping[str, Any]) -> tuple[str, Deadline] | None:
    """A case that the police withdraw after filing (法发〔2025〕8号 七 [S])."""
    if verb != "open" or data["payload"]["stage"] != "case-revoked":
        return None
    return data["payload"]["on"], Deadline(DeadlineKind.LEGAL_DAYS, TELL_DAYS)


def _entered(payload: CaseStatus) -> LedgerEntry | None:
    """A withdrawn case is a line of its own, on the day on which it was told."""
    return LedgerEntry("refusal", "case-revoked", settles=True) if payload.stage == "case-revoked" else None


CASE_STATUS = notice(
    name="refusal.case.status",
    zh="拒执案件进展",
    en="How a case of refusal goes on",
    help_zh="公安机关、检察院把拒执案件的进展通报法院：侦查、撤销案件、起诉、不起诉、判决，以及其间履行的金额。"
    f"立案后撤销案件的，公安机关 {TELL_DAYS} 日内通报并说明理由。法院阅后据以恢复或结案。",
    help_en="Police or procuratorate tell the court how the case goes on: investigated, withdrawn, prosecuted, not "
    "prosecuted, judged, and what was performed meanwhile. A case that is withdrawn after filing is told in "
    f"{TELL_DAYS} days, with the reasons. The court reads it, and resumes or closes its own case.",
    linkages=(Linkage(group=REFUSAL, row=4, zh="案件进展", en="How the case goes on", ledger="refusal"),),
    senders=PARTNERS,
    receivers=frozenset({Kind.COURT}),
    request=CaseStatus,
    request_class=Classification.SENSITIVE,
    case_required=False,  # the lead that it names knows its case
    told_by=_told_by,
    ledger=_entered,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "ref": "k7m2q9xa",
        "lead_no": "court-sn0199-20260324-000021",
        "stage": "prosecuted",
        "on": "2026-06-20",
        "unit": "云川县人民检察院（演示）",
        "document_no": "云检刑诉〔2026〕900001号",
        "performed_amount": "30000.00",
    },
)
