"""Others help the parties to settle 促和解 ("法院+"执调, docs/domain.md 2.10): one type for all of them.

Grid centres, trade associations, 司法所, people's mediators, 综治中心: the last three are of kind `office`. What each
is told is its dialect's business: grids and associations never hear the sum.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import same_name
from lianzhi.protocol.times import PastMoment
from lianzhi.protocol.values import Line, Name, Prose, Sha256
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import ask
from schemas.linkages import COURT_AND_OTHERS, Linkage
from schemas.matters.grid.visits import BEFORE_ENFORCEMENT, YesNo
from schemas.parts.items import distinct
from schemas.values.identifiers import DivisionCode, Phone
from schemas.values.objects import Money


class Party(Model):
    """By name and where to reach them; an ID number is not needed to talk."""

    ref: Annotated[Ref, label("对象编号", "Reference of this party within the request")]
    name: Annotated[Name, label("姓名或名称", "Name")]
    phone: Annotated[Phone | None, label("联系电话", "Telephone")] = None
    division_code: Annotated[DivisionCode, label("所在区划", "Division")]


class MediationRequest(Model):
    """offers: what the creditor would agree to talk about, chosen and not written."""

    debtor: Annotated[Party, label("被执行人", "The debtor")]
    creditor: Annotated[Party, label("申请执行人", "The creditor")]
    dispute: Annotated[
        Vocabulary[
            Annotated[Literal["loan"], "借款"]
            | Annotated[Literal["sale"], "买卖"]
            | Annotated[Literal["wages"], "劳动报酬"]
            | Annotated[Literal["construction"], "建设工程"]
            | Annotated[Literal["lease"], "租赁"]
            | Annotated[Literal["family"], "婚姻家庭、抚养赡养"]
            | Annotated[Literal["injury"], "人身损害、交通事故"]
            | Annotated[Literal["neighbours"], "相邻关系"]
            | Annotated[Literal["other"], "其他"]
        ],
        label("纠纷类型", "What it is about"),
    ]
    offers: Annotated[
        list[
            Vocabulary[
                Annotated[Literal["instalments"], "分期履行"]
                | Annotated[Literal["delay"], "延期履行"]
                | Annotated[Literal["reduction"], "部分减免"]
                | Annotated[Literal["in-kind"], "以物抵债"]
                | Annotated[Literal["security"], "提供担保"]
                | Annotated[Literal["labour"], "劳务抵偿"]
                | Annotated[Literal["apology"], "赔礼道歉"]
            ]
        ],
        label("可协商方式", "What can be talked about", min_length=1, max_length=7),
        AfterValidator(distinct),
    ]
    both_willing: Annotated[YesNo, label("双方是否同意调解", "Whether both agree to mediation")]
    claim: Annotated[
        Money | None, label("未履行金额", "What is still owed, CNY; grids and associations never see it")
    ] = None

    @model_validator(mode="after")
    def _two_parties(self) -> MediationRequest:
        if self.debtor.ref == self.creditor.ref or same_name(self.debtor.name, self.creditor.name):
            raise broken("same-party", at="/creditor")
        return self


class MediationItem(Model):
    """ref: the debtor. A settlement comes with the paper that both have signed."""

    ref: Annotated[Ref, label("对象编号", "The debtor")]
    status: Annotated[
        Vocabulary[
            Annotated[Literal["settled"], "达成和解"]
            | Annotated[Literal["promised"], "承诺履行"]
            | Annotated[Literal["no-agreement"], "未达成"]
            | Annotated[Literal["unreachable"], "联系不上"]
        ],
        label("调解结果", "What came of it"),
    ]
    met_at: Annotated[PastMoment | None, label("调解时间", "When they met")] = None
    mediator: Annotated[Name, label("调解员", "Who mediated")]
    agreement: Annotated[Sha256 | None, label("和解协议", "The agreement, by digest")] = None
    perform_by: Annotated[Line | None, label("履行安排", "When it is to be performed")] = None
    reason: Annotated[Prose | None, label("未达成原因", "Why not")] = None

    @model_validator(mode="after")
    def _whole(self) -> MediationItem:
        if self.status == "settled" and self.agreement is None:
            raise broken("agreement-required", at="/agreement")
        if self.status in ("no-agreement", "unreachable") and self.reason is None:
            raise broken("reason-required", at="/reason")
        return self


MEDIATION_ASSIST = ask(
    name="mediation.assist.request",
    zh="促和解",
    en="Help the parties to settle",
    help_zh="请网格、行业协会、司法所、人民调解委员会或综治中心促成执行和解。写明双方、纠纷类型和可协商方式；"
    "网格和协会看不到金额和案号。达成和解须回传双方签字的协议。执前和解用 stage: pre-enforcement。",
    help_en="Asks grid, trade association, judicial office, people's mediators or the governance centre to bring the "
    "parties together. Say who they are, what it is about and what can be talked about; grids and associations see "
    "neither sum nor case. A settlement comes back with the agreement that both have signed.",
    linkages=(
        Linkage(
            group=COURT_AND_OTHERS,
            row=5,
            zh="法院+调解：网格、协会、司法所、人民调解、综治中心促和解",
            en="Mediation, wherever it is done",
        ),
        BEFORE_ENFORCEMENT,
    ),
    senders=frozenset({Kind.COURT}),
    receivers=frozenset({Kind.GRID, Kind.ASSOCIATION, Kind.OFFICE}),
    request=MediationRequest,
    result_item=MediationItem,
    request_class=Classification.SENSITIVE,
    result_class=Classification.SENSITIVE,
    fan_out=True,
    deadline=Deadline(DeadlineKind.LEGAL_DAYS, 30),
    example_request={
        "debtor": {"ref": "k7m2q9xa", "name": "王演示", "phone": "13800138010", "division_code": "610199"},
        "creditor": {"ref": "b5d7f9hj", "name": "郑样例", "phone": "13800138011", "division_code": "610199"},
        "dispute": "loan",
        "offers": ["instalments", "security"],
        "both_willing": "yes",
        "claim": "86000.00",
    },
    example_result={
        "outcome": "done",
        "as_of": "2026-04-10T17:00:00+08:00",
        "items": [
            {
                "ref": "k7m2q9xa",
                "status": "settled",
                "met_at": "2026-04-10T15:00:00+08:00",
                "mediator": "冯调解",
                "agreement": "7c2e4a6b8d0f1e3c5a7b9d1f3e5c7a9b0d2f4e6c8a0b2d4f6e8c0a1b3d5f7e9c",
                "perform_by": "自五月起按月履行，共十二期",
            }
        ],
    },
)
