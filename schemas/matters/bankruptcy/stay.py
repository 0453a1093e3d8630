"""Enforcement to bankruptcy 执转破 (docs/domain.md 2.10): every court that enforces is told to stay, or to go on.

法发〔2017〕2号 articles 8, 18 [S]: all enforcing courts stay after the decision; measures stay in force; where the
bankruptcy is rejected, enforcement goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import PastDay
from lianzhi.protocol.values import Line, Prose
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from schemas.linkages import BANKRUPTCY, Linkage
from schemas.matters.bankruptcy.lines import EnforcingCourt, check_bankruptcy_case
from schemas.values.identifiers import CaseNo, Phone
from schemas.values.objects import Org

Occasion = Vocabulary[
    Annotated[Literal["transfer-decided"], "已决定移送，中止执行"]
    | Annotated[Literal["accepted"], "已裁定受理，中止执行并解除保全"]
    | Annotated[Literal["rejected"], "不予受理或驳回，恢复执行"]
]
_PAPERS: Mapping[str, Mapping[str, int]] = {
    "transfer-decided": {"bankruptcy-transfer-decision": 1},
    "accepted": {"bankruptcy-acceptance-ruling": 1},
    "rejected": {"bankruptcy-rejection-ruling": 1},
}


class StayNotice(Model):
    enterprise: Annotated[Org, label("被执行企业", "The enterprise")]
    occasion: Annotated[Occasion, label("通知事由", "What happened, and what it means")]
    document_no: Annotated[Line, label("文书文号", "Number of the decision or ruling")]
    decided_on: Annotated[PastDay, label("作出日期", "Made on")]
    bankruptcy_case_no: Annotated[CaseNo | None, label("破产案号", "Number of the bankruptcy case")] = None
    known_cases: Annotated[
        list[EnforcingCourt], label("已知执行案件", "Cases of enforcement that are known", max_length=200)
    ] = []
    reason: Annotated[Prose | None, label("理由", "Why it was rejected")] = None
    contact: Annotated[Phone, label("联系电话", "Telephone for questions")]

    @model_validator(mode="after")
    def _by_occasion(self) -> StayNotice:
        if self.occasion == "transfer-decided":
            return self
        check_bankruptcy_case(self.bankruptcy_case_no, at="/bankruptcy_case_no")
        if self.occasion == "rejected" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


BANKRUPTCY_STAY = notice(
    name="bankruptcy.stay.notify",
    zh="执转破中止通知",
    en="Notify a stay for bankruptcy",
    help_zh="决定移送或裁定受理破产后，一次通知所有已知执行法院中止对该企业的执行；不予受理或驳回的，同样通知恢复执行。"
    "每家法院一件，同一组号，全部已阅方为完成。中止期间查封不解除；不宜长期保存的物品可以变卖，价款不分配。",
    help_en="After the decision to transfer, or the ruling that accepts: tells every enforcing court at once to stay; "
    "and to go on where the bankruptcy was rejected. One notice each, one group, complete when all have read it. "
    "Measures stay in force meanwhile; perishables may be sold, the price is not distributed.",
    linkages=(
        Linkage(
            group=BANKRUPTCY,
            row=3,
            zh="通知其他执行法院中止或恢复",
            en="Other courts stay, or go on",
            ledger="bankruptcy",
        ),
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.COURT}),
    request=StayNotice,
    request_class=Classification.SENSITIVE,
    fan_out=True,
    documents=lambda payload: _PAPERS[payload.occasion],
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 1),  # [D] to read it: until then the court may go on distributing
    example_request={
        "enterprise": {
            "ref": "n5r9t4sy",
            "name": "云川演示机械有限公司",
            "uscc": "93610528MA6Y00001Y",
            "legal_representative": "王演示",
        },
        "occasion": "transfer-decided",
        "document_no": "（2026）陕0199执900001号之一",
        "decided_on": "2026-04-10",
        "known_cases": [{"court": "富平县人民法院（演示）", "case_no": "（2026）陕0591执900007号"}],
        "contact": "029-86000000",
    },
)
