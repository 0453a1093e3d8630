"""Courts tell each other what they know of a debtor 财产线索、共同被执行人 (docs/domain.md 2.10).

A request and not a notice, so that an answer is owed: it says whether the clue was taken up, known already, or of no
use (docs/adr/0015).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import BETWEEN_COURTS, Linkage
from schemas.parts.items import distinct
from schemas.values.identifiers import CaseNo
from schemas.values.objects import Person


class Clue(Model):
    ref: Annotated[Ref, label("线索编号", "Reference of this clue")]
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["deposit"], "存款"]
            | Annotated[Literal["wealth"], "理财、证券"]
            | Annotated[Literal["equity"], "股权"]
            | Annotated[Literal["realty"], "不动产"]
            | Annotated[Literal["vehicle"], "车辆"]
            | Annotated[Literal["movable"], "其他动产"]
            | Annotated[Literal["claim"], "到期债权"]
            | Annotated[Literal["income"], "收入"]
            | Annotated[Literal["whereabouts"], "人员下落"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("线索种类", "What it is about"),
    ]
    description: Annotated[Prose, label("线索内容", "What is known")]
    location: Annotated[Line | None, label("所在", "Where")] = None
    learned_on: Annotated[PastDay, label("得知日期", "Known since")]
    source: Annotated[Line, label("线索来源", "Where it is known from")]


class ClueShare(Model):
    """property-clue: something that the other court may seize. co-debtor: the same debtor owes here too."""

    kind: Annotated[
        Vocabulary[Annotated[Literal["property-clue"], "财产线索"] | Annotated[Literal["co-debtor"], "共同被执行人"]],
        label("共享内容", "What is shared"),
    ]
    debtor: Annotated[Person, label("被执行人", "The debtor")]
    clues: Annotated[list[Clue], label("线索", "Clues", max_length=20)] = []
    own_cases: Annotated[
        list[CaseNo], label("本院关联案件", "Cases of this court", max_length=50), AfterValidator(distinct)
    ] = []
    proposal: Annotated[Prose | None, label("协同建议", "What the courts might do together")] = None

    @model_validator(mode="after")
    def _of_something(self) -> ClueShare:
        if self.kind == "property-clue" and not self.clues:
            raise broken("clues-missing", at="/clues")
        if self.kind == "co-debtor" and not self.own_cases:
            raise broken("cases-missing", at="/own_cases")
        return self


class ClueAnswer(Model):
    """Of the debtor, or of one clue."""

    ref: Annotated[Ref, label("对象编号", "The debtor or the clue")]
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["taken"], "已采用"]
            | Annotated[Literal["known"], "已掌握"]
            | Annotated[Literal["unusable"], "不能采用"]
        ],
        label("处理结果", "What became of it"),
    ]
    own_cases: Annotated[
        list[CaseNo], label("受告知法院关联案件", "Cases of the court that was told", max_length=50)
    ] = []
    reason: Annotated[Prose | None, label("不能采用理由", "Why it is of no use")] = None

    @model_validator(mode="after")
    def _why(self) -> ClueAnswer:
        if self.answer == "unusable" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


CLUE_SHARE = ask(
    name="court.clue.share",
    zh="线索共享",
    en="Share what is known of a debtor",
    help_zh="把财产线索或共同被执行人的情况告知其他法院。财产线索至少列一条，写明来源和得知日期；共同被执行人列明本院关联案件。"
    "对方逐条答复已采用、已掌握或不能采用，线索不致石沉大海。",
    help_en="Tells other courts of property, or that you share a debtor. At least one clue with its source and its "
    "day; of a shared debtor your own cases. Each court answers point by point: taken up, known already, or of no use.",
    linkages=(Linkage(group=BETWEEN_COURTS, row=5, zh="财产线索、共同被执行人", en="Clues, common debtors"),),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=ClueShare,
    result_item=ClueAnswer,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    fan_out=True,
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 5),
    example_request={
        "kind": "property-clue",
        "debtor": {
            "ref": "k7m2q9xa",
            "name": "王演示",
            "id_kind": "resident-id",
            "id_no": "610199199003071237",
            "role": "被执行人",
        },
        "clues": [
            {
                "ref": "s3u5w7xy",
                "kind": "realty",
                "description": "被执行人在贵院辖区内有一处未登记的自建房对外出租",
                "location": "富平县演示镇演示村（演示）",
                "learned_on": "2026-03-20",
                "source": "申请执行人提供",
            }
        ],
        "own_cases": ["（2026）陕0199执900001号"],
        "proposal": "建议两院同日到场核查租金去向",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-03-27T11:00:00+08:00",
        "items": [
            {"ref": "s3u5w7xy", "answer": "taken", "own_cases": ["（2026）陕0591执900012号"]},
        ],
    },
)
