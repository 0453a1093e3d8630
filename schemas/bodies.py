"""The bodies of messages: `Submission`, from a court system, `Opening`, to the one asked, and the models that are built
once for each matter type: its `open`, `result` and `correct`.

Source: docs/domain.md section 2.0, docs/examples.md. The payload is the matter type's business
(`schemas.validation.parse_open`).
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, ConfigDict, StringConstraints, create_model, field_validator, model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import Code, Digest, RequestNo
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyMoment, PastDay
from lianzhi.protocol.values import Document, Line, Name, Prose, Slug
from lianzhi.protocol.verbs import CorrectMixin, ResultBase, StaffNo
from schemas.catalogue import MatterType
from schemas.legal import LegalRef
from schemas.parts.steps import StepItem
from schemas.values.identifiers import CaseNo, CourtCode, Phone

Urgency = Vocabulary[
    Annotated[Literal["normal"], "普通"]
    | Annotated[Literal["urgent"], "紧急（24 小时）"]
    | Annotated[Literal["immediate"], "立即"]
]
MatterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*){1,4}$", max_length=100)]

Decided = Vocabulary[Annotated[Literal["approve"], "同意"] | Annotated[Literal["reject"], "不同意"]]


class Approval(Model):
    """A decision as the court system reports it; the gateway checks the staff number and the role."""

    by: Annotated[StaffNo, label("审批人", "Staff number of the approver")]
    role: Annotated[Slug, label("职务", "Role in which the approver decided")]
    decision: Annotated[Decided, label("决定", "Decision")]
    at: Annotated[AnyMoment, label("时间", "When")]
    reason: Annotated[Prose | None, label("理由", "Reason")] = None
    over: Annotated[Digest | None, label("所审批内容的摘要", "Digest of what was approved (docs/adr/0024)")] = None


class BreakGlass(Model):
    """Sent at once by order of the bureau chief or the president; approved within hours, reviewed the next working
    day (docs/domain.md section 4)."""

    by: Annotated[StaffNo, label("决定人", "Staff number of who orders it: bureau chief or president")]
    reason: Annotated[Prose, label("紧急理由", "Why it cannot wait")]


class PlatformFiling(Model):
    """Where the same matter stands on the national command platform."""

    no: Annotated[Line, label("平台编号", "Number on the national command platform")]
    filed_on: Annotated[PastDay, label("填报日期", "Day on which it was filed there")]


class Submission(Model):
    """What a court system POSTs to `/v1/requests`, signed or plain: one flat object.

    receiver or receivers: in plain JSON; a signed submission names its receiver in the envelope.
    """

    type: Annotated[MatterName, label("事项", "Matter type")]
    schema_version: Annotated[int, label("版本", "Version of the matter type", ge=1, le=999)]
    receiver: Annotated[Code | None, label("接收方", "Who is asked")] = None
    receivers: Annotated[
        list[Code] | None, label("接收方（多个）", "One request each", min_length=1, max_length=200)
    ] = None
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    stage: Annotated[Vocabulary[Annotated[Literal["pre-enforcement"], "执前"]] | None, label("阶段", "Stage")] = None
    legal_basis: Annotated[list[LegalRef], label("法律依据", "Legal basis", min_length=1, max_length=20)]
    purpose: Annotated[Slug, label("目的", "Purpose")]
    urgency: Annotated[Urgency, label("紧急程度", "Urgency; urgent is 24 hours")] = "normal"
    campaign: Annotated[Line | None, label("专项行动", "Campaign")] = None
    team: Annotated[Line | None, label("办案团队", "Team")] = None
    lead: Annotated[StaffNo | None, label("包案领导", "Staff number of the court leader in charge")] = None
    handler: Annotated[StaffNo, label("承办人", "Staff number of the handler (A of the AB pair)")]
    backup_handler: Annotated[StaffNo | None, label("协办人（B岗）", "Staff number of B of the AB pair")] = None
    drafted_by: Annotated[StaffNo, label("起草人", "Staff number of the drafter")]
    approvals: Annotated[list[Approval], label("审批", "Approvals", max_length=20)] = []
    await_approval: Annotated[
        bool, label("等待审批", "Keep it until the approvals that are missing have been given")
    ] = False
    break_glass: Annotated[BreakGlass | None, label("先行发出", "Send first, approve afterwards")] = None
    group_no: Annotated[
        RequestNo | None, label("原发布组", "Group whose every member this goes to: a withdrawal, a correction")
    ] = None
    documents: Annotated[list[Document], label("文书", "Documents", max_length=50)] = []
    external_ref: Annotated[Line | None, label("全国平台编号", "Number on the national platform")] = None
    platform: Annotated[PlatformFiling | None, label("全国平台办理", "Where it stands on the national platform")] = None
    platform_exempt: Annotated[
        Line | None, label("不经全国平台的理由", "Why it does not go through the national platform")
    ] = None
    supersedes: Annotated[RequestNo | None, label("替代的请求", "Request that this one replaces")] = None
    related: Annotated[RequestNo | None, label("相关请求", "Earlier request that this one belongs to")] = None
    payload: Annotated[dict[str, Any], label("内容", "Payload of the matter type")]

    @field_validator("receivers")
    @classmethod
    def _distinct(cls, value: list[str] | None) -> list[str] | None:
        if value and len(set(value)) != len(value):
            raise broken("duplicate-receiver")
        return value

    @model_validator(mode="after")
    def _not_both(self) -> Submission:
        if self.receiver is not None and self.receivers is not None:
            raise broken("receiver-and-receivers", at="/receivers")
        if self.platform is not None and self.platform_exempt is not None:
            raise broken("platform-and-exempt", at="/platform_exempt")
        return self


class RequestInfo(Model):
    """request_no is absent only where the opener's dialect leaves it to the envelope (`subject`)."""

    request_no: Annotated[RequestNo | None, label("请求编号", "Request number")] = None
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    purpose: Annotated[Slug | None, label("目的", "Purpose")] = None
    urgency: Annotated[Urgency, label("紧急程度", "Urgency")] = "normal"
    legal_basis: Annotated[list[LegalRef], label("法律依据", "Legal basis", max_length=20)] = []
    campaign: Annotated[Line | None, label("专项行动", "Campaign")] = None


class Opener(Model):
    """The organisation that asks. code is absent where the partner's dialect shows only its name."""

    code: Annotated[Code | None, label("单位编号", "Participant")] = None
    court_code: Annotated[CourtCode | None, label("法院代字", "Court code")] = None
    name: Annotated[Name, label("单位名称", "Name")]


class Handler(Model):
    """The named person who handles it, with the work permit (公务证)."""

    name: Annotated[Name, label("承办人", "Handler")]
    permit: Annotated[Line | None, label("工作证编号", "Work permit")] = None
    phone: Annotated[Phone | None, label("联系电话", "Telephone")] = None


class Opening(Model):
    """Canonical data of the verb `open`. `court` and `handler` are absent when a partner raises an alert, and `request`
    where its dialect says nothing of it: the number stands in the envelope."""

    request: Annotated[RequestInfo, label("请求", "The request")] = RequestInfo()
    court: Annotated[Opener | None, label("请求单位", "Who asks")] = None
    handler: Annotated[Handler | None, label("承办人", "Handler")] = None
    documents: Annotated[list[Document], label("文书", "Documents", max_length=50)] = []
    payload: Annotated[dict[str, Any], label("内容", "Payload of the matter type")]


MAX_ITEMS = 1000


def _one_each(items: list[Any]) -> list[Any]:
    """One line for each object."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.ref in seen:
            raise broken("duplicate-ref", at=f"/{index}/ref")
        seen.add(item.ref)
    return items


class _Result(ResultBase):
    """`done` and `partial` say of what, and a step is not `done`: success is never reported without its object, nor
    before its time (docs/domain.md section 7)."""

    model_config = ConfigDict(
        defer_build=True,
        json_schema_extra={
            "if": {"properties": {"outcome": {"enum": ["done", "partial"]}}},
            "then": {"properties": {"items": {"minItems": 1}}},
        },
    )

    items: Annotated[list[Any], label("各对象结果", "Result for each object")]

    @model_validator(mode="after")
    def _of_something(self) -> _Result:
        if self.outcome in ("done", "partial") and not self.items:
            raise broken("items-missing", at="/items")
        if self.outcome == "done" and any(isinstance(item, StepItem) and item.unfinished for item in self.items):
            raise broken("more-to-follow", at="/outcome")
        return self


class _Opened(Opening):
    model_config = ConfigDict(defer_build=True)


@cache
def opening_model(matter: str, request: type[Model]) -> type[Opening]:
    """`Opening` whose payload is the matter's own."""
    payload: Any = (Annotated[request, label("内容", "Payload of the matter type")], ...)
    return create_model(f"Opening of {matter}", __base__=_Opened, payload=payload)


@cache
def result_model(matter: str, item: type[Model], location: bool) -> type[Model]:
    """A location result must say for how long it may be kept (docs/domain.md section 4)."""
    lines: Any = (
        Annotated[
            list[item],  # type: ignore[valid-type]
            label("各对象结果", "Result for each object", max_length=MAX_ITEMS),
            AfterValidator(_one_each),
        ],
        ...,
    )
    members: dict[str, Any] = {"items": lines}
    if location:
        members["ttl_hours"] = (Annotated[int, label("保存时限（小时）", "Hours, at most 72", ge=1, le=72)], ...)
    return create_model(f"Result of {matter}", __base__=_Result, **members)


@cache
def correct_model(matter: str, item: type[Model], location: bool) -> type[Model]:
    """A result that replaces an earlier one."""
    base: Any = (CorrectMixin, result_model(matter, item, location))
    return cast("type[Model]", create_model(f"Correction of {matter}", __base__=base))


def content_model(matter: MatterType, verb: str) -> type[Model] | None:
    """The model of `open`, `result` or `correct` of this type; None when it has none."""
    if verb == "open":
        return opening_model(matter.name, matter.request)
    if matter.result_item is None:
        return None
    build = result_model if verb == "result" else correct_model
    return build(matter.name, matter.result_item, matter.result_class is Classification.LOCATION)
