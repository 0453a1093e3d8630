"""Transfer of the right to sell what several courts have sealed 商请移送执行 (docs/domain.md 2.6).

The court that enforces a prior claim asks the court that sealed first to hand the sale over (法释〔2016〕6号 [H]), and
is answered in fifteen days [S].
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnswerDay, PastDay
from lianzhi.protocol.values import Line, Name, Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, FixedBy, Kind
from schemas.declare import ask
from schemas.linkages import BETWEEN_COURTS, Linkage
from schemas.matters.entrust.objects import Equity, Movable, Realty
from schemas.values.identifiers import CourtCode, QuotedCaseNo
from schemas.values.objects import Money
from schemas.values.terms import days_between

FIRST_SEAL_DAYS = 60  # [H] 法释〔2016〕6号: older than this, and not yet offered for sale

SealedAsset = Annotated[Realty | Equity | Movable, Field(discriminator="kind")]


class DisposalRightRequest(Model):
    """asking court: enforces the prior claim, its own seal waits. first court: sealed first and has not sold."""

    asking_court: Annotated[CourtCode, label("优先债权执行法院", "Court that enforces the prior claim")]
    first_court: Annotated[CourtCode, label("首封法院", "Court that sealed first")]
    first_case_no: Annotated[QuotedCaseNo, label("首封案号", "Case in which it was sealed first")]
    first_sealed_on: Annotated[PastDay, label("首封日期", "Sealed first on")]
    asked_on: Annotated[PastDay, label("商请日期", "Day of this letter")]
    own_rank: Annotated[int, label("本院轮候顺位", "Rank of the asking court's own seal", ge=2, le=999)]
    objects: Annotated[list[SealedAsset], label("查封财产", "What is sealed", min_length=1, max_length=20)]
    priority: Annotated[
        Vocabulary[
            Annotated[Literal["mortgage"], "抵押权"]
            | Annotated[Literal["pledge"], "质权"]
            | Annotated[Literal["lien"], "留置权"]
            | Annotated[Literal["construction-price"], "建设工程价款优先受偿权"]
            | Annotated[Literal["other"], "其他法定优先权"]
        ],
        label("优先权种类", "Kind of priority"),
    ]
    basis_no: Annotated[Line, label("生效法律文书文号", "Number of the judgment or award that confirms it")]
    creditor: Annotated[Name, label("优先债权人", "Whose claim comes first")]
    claim: Annotated[Money, label("优先债权数额", "Prior claim, CNY")]
    reason: Annotated[Prose, label("商请理由", "Why the sale should be handed over")]

    @model_validator(mode="after")
    def _due(self) -> DisposalRightRequest:
        if self.asking_court == self.first_court:
            raise broken("same-court", at="/first_court")
        if days_between(self.first_sealed_on, self.asked_on) <= FIRST_SEAL_DAYS:
            raise broken("disposal-not-due", at="/asked_on", days=FIRST_SEAL_DAYS)
        return self


class DisposalRightItem(Model):
    """The letter of transfer 移送执行函, or why the first court keeps the sale."""

    ref: Annotated[Ref, label("对象编号", "The asset")]
    answer: Annotated[
        Vocabulary[Annotated[Literal["transferred"], "同意移送"] | Annotated[Literal["declined"], "不予移送"]],
        label("答复", "Handed over or not"),
    ]
    letter_no: Annotated[Line | None, label("移送执行函文号", "Number of the letter of transfer")] = None
    letter: Annotated[Sha256 | None, label("移送执行函", "The letter, by digest")] = None
    transferred_on: Annotated[AnswerDay | None, label("移送日期", "Handed over on")] = None
    first_claim: Annotated[Money | None, label("首封债权数额", "Claim of the first seal, to be reserved, CNY")] = None
    reason: Annotated[Prose | None, label("不予移送理由", "Why not")] = None

    @model_validator(mode="after")
    def _whole(self) -> DisposalRightItem:
        if self.answer == "transferred":
            for member in ("letter_no", "letter", "transferred_on"):
                if getattr(self, member) is None:
                    raise broken("letter-required", at=f"/{member}")
        elif self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


DISPOSAL_RIGHT = ask(
    name="entrust.disposal-right.request",
    zh="商请移送执行",
    en="Ask for the right to sell",
    help_zh="本院执行优先债权、财产由他院首封时，商请首封法院移送处分权。首封须满 60 日且尚未拍卖、变卖；"
    "附商请移送执行函、生效法律文书和优先权证明。首封法院 15 日内出具移送执行函，或说明不移送的理由。",
    help_en="Your court enforces a prior claim, another court sealed first: ask it to hand over the sale. The first "
    "seal is older than 60 days and nothing was offered for sale; attach the letter, the judgment and the proof of "
    "priority. The first court sends its letter of transfer within 15 days, or says why not.",
    linkages=(Linkage(group=BETWEEN_COURTS, row=2, zh="商请移送处置权", en="Ask for the right to dispose"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=DisposalRightRequest,
    result_item=DisposalRightItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    documents=lambda _: {"disposal-letter": 1, "effective-judgment": 1, "priority-proof": 1},
    asked_on=lambda payload: payload.asked_on,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, 15),
    fixed_by=FixedBy("FASHI-2016-6-2"),
    example_request={
        "asking_court": "陕0199",
        "first_court": "陕0591",
        "first_case_no": "（2026）陕0591执900011号",
        "first_sealed_on": "2026-01-05",
        "asked_on": "2026-03-24",
        "own_rank": 2,
        "objects": [
            {
                "ref": "p2r4t6vw",
                "kind": "realty",
                "party": {
                    "ref": "k7m2q9xa",
                    "name": "王演示",
                    "id_kind": "resident-id",
                    "id_no": "610199199003071237",
                    "role": "被执行人",
                },
                "unit_no": "610199001001GB00001F00010001",
                "certificate_no": "陕（2021）云川县不动产权第0900001号",
                "location": "云川县演示区东街1号（演示）",
            }
        ],
        "priority": "mortgage",
        "basis_no": "（2025）陕0199民初900007号",
        "creditor": "演示银行云川支行",
        "claim": "860000.00",
        "reason": "本院执行的抵押债权优先受偿，首封债权不足以就该房产受偿，首封后尚未发布拍卖公告",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-03T16:00:00+08:00",
        "items": [
            {
                "ref": "p2r4t6vw",
                "answer": "transferred",
                "letter_no": "（2026）陕0591执900011号移送函",
                "letter": "3f5a0d1c9b7e8642a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718",
                "transferred_on": "2026-04-03",
                "first_claim": "120000.00",
            }
        ],
    },
)
