"""Reviews, inspections and audits 专项评查、督查、审计 (docs/domain.md 2.10): those who look ask for the case package.

The package is made by the gateway's own export; the answer names it by digest, and the asker fetches it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, PastDay, PastMoment
from lianzhi.protocol.values import Line, Name, Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import SUPERVISION, Linkage
from schemas.parts.items import distinct
from schemas.parts.steps import StepItem
from schemas.values.identifiers import CaseNo, Phone
from schemas.values.objects import Need
from schemas.values.terms import check_order


class ReviewedCase(Model):
    ref: Annotated[Ref, label("案件编号", "Reference of this case within the request")]
    case_no: Annotated[CaseNo, label("案号", "Case number")]


def _once(cases: list[ReviewedCase]) -> list[ReviewedCase]:
    numbers = [case.case_no for case in cases]
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            raise broken("duplicate-value", at=f"/{index}/case_no")
    return cases


class ReviewRequest(Model):
    kind: Annotated[
        Vocabulary[
            Annotated[Literal["case-review"], "专项评查"]
            | Annotated[Literal["inspection"], "督查"]
            | Annotated[Literal["audit"], "审计"]
            | Annotated[Literal["discipline"], "纪检监察核查"]
        ],
        label("检查种类", "What is done"),
    ]
    mandate_no: Annotated[Line, label("通知文号", "Number of the mandate")]
    cases: Annotated[
        list[ReviewedCase], label("案件", "Which cases", min_length=1, max_length=200), AfterValidator(_once)
    ]
    parts: Annotated[
        list[
            Vocabulary[
                Annotated[Literal["requests"], "请求与回复"]
                | Annotated[Literal["approvals"], "审批记录"]
                | Annotated[Literal["measures"], "控制措施"]
                | Annotated[Literal["funds"], "案款收发"]
                | Annotated[Literal["access"], "查阅记录"]
                | Annotated[Literal["proofs"], "签名与时间证明"]
            ]
        ],
        label("调取内容", "Which parts of the package", min_length=1, max_length=6),
        AfterValidator(distinct),
    ]
    start_on: Annotated[PastDay, label("检查期间开始", "Period from")]
    end_on: Annotated[AnyDay, label("检查期间结束", "Period until")]
    need: Annotated[Need, label("调取理由", "Why it is needed")]
    reviewer: Annotated[Name, label("检查人", "Who looks at it")]
    contact: Annotated[Phone, label("联系电话", "Telephone")]

    @model_validator(mode="after")
    def _in_order(self) -> ReviewRequest:
        check_order(self.start_on, self.end_on)
        return self


class ReviewedItem(StepItem):
    steps: ClassVar[frozenset[str]] = frozenset({"preparing"})
    answer: Annotated[
        Vocabulary[
            Annotated[Literal["provided"], "已提供"]
            | Annotated[Literal["preparing"], "整理中"]
            | Annotated[Literal["withheld"], "依规不能提供"]
            | Annotated[Literal["no-record"], "期间内无记录"]
        ],
        label(
            "调取结果",
            "What became of it",
        ),
    ]
    package: Annotated[Sha256 | None, label("案卷包摘要", "SHA-256 of the package")] = None
    provided_at: Annotated[PastMoment | None, label("提供时间", "When")] = None
    reason: Annotated[Prose | None, label("理由", "Why it is withheld")] = None

    @model_validator(mode="after")
    def _whole(self) -> ReviewedItem:
        if self.answer == "provided":
            for member in ("package", "provided_at"):
                if getattr(self, member) is None:
                    raise broken("package-required", at=f"/{member}")
        if self.answer == "withheld" and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


REVIEW_PACKAGE = ask(
    name="review.package.request",
    zh="评查督查审计调取",
    en="Ask for the package of a case",
    help_zh="审管办、监察科或审计人员开展专项评查、督查、审计时，按案号调取网关中的案卷包：请求与回复、审批、措施、"
    "案款、查阅记录和证明。附通知书，写明期间和理由；执行局提供案卷包，或说明不能提供的理由。",
    help_en="Those who review, inspect or audit ask for the package of cases: requests and answers, approvals, "
    "measures, money, who read what, proofs. With their mandate, the period and the need; the bureau provides the "
    "package, or says why it may not.",
    linkages=(Linkage(group=SUPERVISION, row=5, zh="专项评查、督查、审计", en="Reviews, inspections, audits"),),
    senders=frozenset({Kind.OFFICE}),
    receivers=frozenset({Kind.COURT}),
    request=ReviewRequest,
    result_item=ReviewedItem,
    request_class=Classification.INTERNAL,
    result_class=Classification.SENSITIVE,
    case_required=False,  # the payload names them
    documents=lambda _: {"review-mandate": 1},
    deadline=Deadline(DeadlineKind.WORKING_DAYS, 10),  # [D]
    example_request={
        "kind": "case-review",
        "mandate_no": "云法审管〔2026〕900001号",
        "cases": [{"ref": "t2g6h4jk", "case_no": "（2026）陕0199执900001号"}],
        "parts": ["requests", "approvals", "proofs"],
        "start_on": "2026-01-01",
        "end_on": "2026-03-31",
        "need": "涉民生案件专项评查，核对委托和查控流程",
        "reviewer": "许演示",
        "contact": "029-86000001",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T09:30:00+08:00",
        "items": [
            {
                "ref": "t2g6h4jk",
                "answer": "provided",
                "package": "d1" * 32,
                "provided_at": "2026-04-10T09:20:00+08:00",
            }
        ],
    },
)
