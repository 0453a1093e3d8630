"""What the API answers: codes, dates, states and digests; personal data only in `MessageView` and never elsewhere.

A member that has nothing to say is absent. Times are RFC 3339, UTC, milliseconds. Sources: docs/contracts.md 3.3,
docs/architecture.md 6.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.core.readiness import FindingName
from lianzhi.problem import FieldError
from lianzhi.protocol.base import label
from schemas.parts.debts import DebtReason


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


Warnings = Annotated[list[FieldError] | None, label("提醒", "Accepted all the same; please look at these again")]


class AcceptedRequest(View):
    """One request that was accepted: committed, and on its way or visibly `blocked`."""

    request_no: Annotated[str, label("请求编号", "Request number")]
    receiver: Annotated[str, label("接收方", "Who is asked")]
    state: Annotated[str, label("状态", "State at the commit")]
    reason: Annotated[str | None, label("原因", "Why it is `blocked`: a code")] = None
    type: Annotated[str | None, label("事项", "Matter type")] = None
    warnings: Warnings = None


class AcceptedGroup(View):
    """Several receivers: one request each."""

    group_no: Annotated[str, label("组编号", "Number that the members share")]
    type: Annotated[str, label("事项", "Matter type")]
    requests: Annotated[list[AcceptedRequest], label("各请求", "One for each receiver")]
    warnings: Warnings = None


class HandedInBefore(View):
    """The same signed submission came in earlier, under another key: nothing happened again."""

    request_no: Annotated[str, label("请求编号", "Request number")]


class AcceptedMessage(View):
    """A verb that was said: signed, numbered and committed."""

    request_no: Annotated[str, label("请求编号", "Request number")]
    state: Annotated[str, label("状态", "State after it")]
    message_id: Annotated[str | None, label("报文编号", "null: withdrawn before anything had been sent")] = None
    seqno: Annotated[int | None, label("顺序号", "Last number used by this side")] = None


class ApprovalTaken(View):
    """An approval, a rejection or a review that was recorded."""

    request_no: Annotated[str, label("请求编号", "Request number")]
    state: Annotated[str, label("状态", "State after it")]
    missing: Annotated[list[str], label("还缺", "Rules that are not fulfilled yet; empty: complete")]
    requests: Annotated[list[AcceptedRequest], label("各请求", "Every request that the decision concerns")]


class ApprovalView(View):
    """by: staff number. The reason stands in what the court system handed in, not here."""

    kind: Annotated[Literal["approval", "review"], label("种类", "Approval, or review of what was sent first")]
    by: Annotated[str, label("审批人", "Staff number")]
    role: Annotated[str, label("职务", "Role")]
    decision: Annotated[Literal["approve", "reject"], label("决定", "Decision")]
    at: Annotated[str, label("审批时间", "When, as the court says")]
    recorded_at: Annotated[str, label("入库时间", "When the gateway took it")]


class ApprovalList(View):
    request_no: Annotated[str, label("请求编号", "Request number")]
    state: Annotated[str, label("状态", "State")]
    approvals: Annotated[list[ApprovalView], label("审批", "Approvals and reviews that were recorded")]
    awaited: Annotated[list[str], label("等待", "approval, review: what is still awaited")]


class GroupLine(View):
    """One member after a verb was said to all. problem: why it was not said to this one."""

    request_no: Annotated[str, label("请求编号", "Request number")]
    receiver: Annotated[str, label("接收方", "Who is asked")]
    state: Annotated[str, label("状态", "State")]
    message_id: Annotated[str | None, label("报文编号", "Message id")] = None
    problem: Annotated[str | None, label("未发原因", "Code of the refusal")] = None


class SaidToGroup(View):
    group_no: Annotated[str, label("组编号", "Number that the members of a group share")]
    requests: Annotated[list[GroupLine], label("各请求", "One line for each member")]


class GroupMember(View):
    request_no: Annotated[str, label("请求编号", "Request number")]
    receiver: Annotated[str, label("接收方", "Who is asked")]
    state: Annotated[str, label("状态", "State")]
    done: Annotated[bool, label("是否终结", "Nothing more is owed by either side")]
    acknowledged: Annotated[bool, label("已回执", "The receiver has said its last word")]
    waits_for: Annotated[str | None, label("等待谁", "Whose turn it is; absent: nothing more is owed")] = None


class GroupView(View):
    """Several receivers of one submission; complete when each has acknowledged."""

    group_no: Annotated[str, label("组编号", "Number that the members of a group share")]
    type: Annotated[str, label("事项", "Matter type")]
    members: Annotated[list[GroupMember], label("各请求", "One line for each member")]
    complete: Annotated[bool, label("是否完成", "Every member has acknowledged")]
    waiting_for: Annotated[
        list[str], label("等待单位", "Whose turn it is where a member has not acknowledged: its receiver, or we")
    ]


class EndingPaperView(View):
    """What ends a measure: the paper that its ending wants, or the request itself."""

    paper: Annotated[str | None, label("文书种类", "Kind of document; absent: the request itself ends it")] = None
    zh: Annotated[str, label("中文名称", "Chinese name of the paper or the request")]
    en: Annotated[str, label("英文名称", "English name of the paper or the request")]
    source: Annotated[str, label("依据", "Article")]


class ReleasedItem(View):
    """As `ReleaseLine`, at the commit."""

    kind: Annotated[
        Literal["withdraw", "ending", "already", "alert", "exception", "needs-hand"],
        label("处理方式", "What is done with it: as in `ReleaseLine`"),
    ]
    request_no: Annotated[str | None, label("请求编号", "Withdrawn or closed, or the one that ends the measure")] = None
    measure_no: Annotated[str | None, label("措施编号", "Measure that ends")] = None
    reason: Annotated[str | None, label("原因", "Why it needs a hand: a code")] = None
    ended_with: Annotated[EndingPaperView | None, label("解除文书", "What ends the measure")] = None


class ReleaseAccepted(View):
    """The case is being let go; `GET /v1/cases/release/{no}` tells who has acknowledged."""

    release_no: Annotated[str, label("解除编号", "Number of the release")]
    case_no: Annotated[str, label("案号", "Case number")]
    items: Annotated[list[ReleasedItem], label("各项", "One for each request, measure and alert of the case")]


class ReleaseLine(View):
    """One thing that letting the case go did, or could not do.

    kind: withdraw, ending, already (under way before), alert (closed), exception, needs-hand (and why: `reason`).
    """

    kind: Annotated[
        Literal["withdraw", "ending", "already", "alert", "exception", "needs-hand"],
        label("处理方式", "withdraw, ending, already, alert, exception or needs-hand"),
    ]
    request_no: Annotated[str | None, label("请求编号", "Withdrawn or closed, or the one that ends the measure")] = None
    measure_no: Annotated[str | None, label("措施编号", "Measure that ends")] = None
    receiver: Annotated[str | None, label("接收方", "Who is asked")] = None
    state: Annotated[str | None, label("状态", "Of the request")] = None
    acknowledged: Annotated[bool, label("已回执", "The partner has confirmed that it is over")]
    waits_for: Annotated[
        str | None, label("等待谁", "Whose turn it is: the partner, or the court where its own word is missing")
    ] = None
    reason: Annotated[str | None, label("原因", "Why it needs a hand: a code")] = None
    ended_with: Annotated[EndingPaperView | None, label("解除文书", "What ends the measure")] = None


class ReleaseView(View):
    """done: every partner has acknowledged, and nothing waits for a hand."""

    release_no: Annotated[str, label("解除编号", "Number of the release")]
    case_no: Annotated[str, label("案号", "Case number")]
    reason: Annotated[Literal["paid", "settled", "ended", "revoked"], label("解除原因", "Why the case is released")]
    by: Annotated[str, label("决定人", "Staff number of who ordered it")]
    at: Annotated[str, label("决定时间", "When it was ordered")]
    done: Annotated[bool, label("是否完成", "Every partner has acknowledged, and nothing needs a hand")]
    waiting_for: Annotated[
        list[str], label("等待单位", "Who owes a word: partners, and the court itself where its own is missing")
    ]
    items: Annotated[list[ReleaseLine], label("各项", "One for each request, measure and alert of the case")]


class ReassignedView(View):
    """交叉执行: what was re-pointed, and the group of notices in which each partner acknowledges it."""

    case_no: Annotated[str, label("现案号", "Case number from now on")]
    group_no: Annotated[str | None, label("通知组编号", "Absent: nobody outside had to be told")] = None
    requests: Annotated[list[str], label("已变更请求", "Requests that were re-pointed")]
    measures: Annotated[list[str], label("已变更措施", "Measures that were re-pointed")]
    notices: Annotated[list[AcceptedRequest], label("通知", "One to each partner that holds something")]
    warnings: Warnings = None


class MissingPaper(View):
    """A paper that a blocked request waits for. kind, zh, en: where the submission says what it is."""

    sha256: Annotated[str, label("摘要", "SHA-256 of its bytes, hexadecimal")]
    kind: Annotated[str | None, label("文书种类", "Kind of document")] = None
    zh: Annotated[str | None, label("中文名称", "Chinese name of the kind")] = None
    en: Annotated[str | None, label("英文名称", "English name of the kind")] = None


class RequestView(View):
    request_no: Annotated[str, label("请求编号", "Request number")]
    type: Annotated[str, label("事项", "Matter type")]
    version: Annotated[int, label("版本", "Schema version")]
    shape: Annotated[Literal["ask", "alert", "notice"], label("形态", "ask, alert or notice")]
    state: Annotated[str, label("状态", "State")]
    done: Annotated[bool, label("是否终结", "Nothing more is owed by either side")]
    waits_for: Annotated[
        str | None,
        label(
            "等待谁",
            "Whose turn it is: the asker (approval, papers, confirmation), the one asked, or the home court while its "
            "gateway has not delivered it; absent: nothing more is owed",
        ),
    ] = None
    asker: Annotated[str, label("发起方", "Who asks")]
    asked: Annotated[str, label("接收方", "Who is asked")]
    lane: Annotated[Literal["normal", "urgent"], label("通道", "Lane")]
    case_no: Annotated[str | None, label("案号", "Case number, where it may be seen")] = None
    case_claimed: Annotated[
        bool | None, label("案号未确认", "True: the opener's word about a case, which the one asked has not taken up")
    ] = None
    group_no: Annotated[str | None, label("组编号", "Group")] = None
    related: Annotated[str | None, label("相关请求", "Earlier request")] = None
    handler: Annotated[str | None, label("承办人", "Staff number of the handler")] = None
    reason: Annotated[str | None, label("原因", "Why it is blocked or undeliverable: a code")] = None
    missing: Annotated[
        list[MissingPaper] | None, label("所缺文书", "Papers that it waits for; only of one request, not in a page")
    ] = None
    too_late: Annotated[bool | None, label("撤回过迟", "A withdrawal came too late")] = None
    backup_handler: Annotated[str | None, label("协办人（B岗）", "Staff number of B of the AB pair")] = None
    due_at: Annotated[str | None, label("办理期限", "End of the deadline; of one in days: 24:00, Shanghai")] = None
    due_on: Annotated[str | None, label("期限届满日", "Last day of the deadline, Shanghai")] = None
    provisional: Annotated[
        bool | None, label("暂定", "The deadline reaches into a year whose calendar is not published")
    ] = None
    paused: Annotated[
        bool | None, label("期限中止", "The clock stands still and goes on with the time left; due_at is as of then")
    ] = None
    platform: Annotated[
        Literal["filed", "exempt", "missing"] | None,
        label("全国平台", "On the national command platform: filed, exempt, or its number is still missing"),
    ] = None
    platform_no: Annotated[str | None, label("平台编号", "Number there")] = None
    questioning_until: Annotated[
        str | None, label("询问截止", "Of somebody who was brought by a writ: eight hours after the handover (INT-482)")
    ] = None
    questioning_longest: Annotated[
        str | None,
        label("询问最迟截止", "Where it is complex and a detention possible: 24 hours after the handover (INT-482)"),
    ] = None
    break_glass: Annotated[
        str | None, label("先行发出", "Sent before approval: unapproved, approved, rejected or reviewed")
    ] = None
    created_at: Annotated[str, label("创建时间", "Created")]
    updated_at: Annotated[str, label("更新时间", "Last change")]


class RequestPage(View):
    requests: Annotated[list[RequestView], label("请求", "Requests")]
    next: Annotated[str | None, label("下一页", "Cursor for `after`; absent on the last page")] = None


class MessageView(View):
    """One message: the signed bytes, and beside them what they say, canonically, as far as the gateway can tell.

    data is absent when the content is sealed to somebody else (then `sealed`, to be opened with the key
    `sealed_to`), when it has not been applied yet, or when it has been destroyed.
    """

    message_id: Annotated[str, label("报文编号", "Message id")]
    sender: Annotated[str, label("发送方", "Sender")]
    receiver: Annotated[str, label("接收方", "Receiver")]
    verb: Annotated[str, label("动作", "Verb")]
    seqno: Annotated[int | None, label("顺序号", "Number within request and sender")] = None
    time: Annotated[str, label("报文时间", "The sender's time")]
    stored_at: Annotated[str, label("入库时间", "When the gateway stored it")]
    disposition: Annotated[
        Literal["sent", "applied", "held", "overtaken"],
        label("处置", "held: an earlier number is missing; overtaken: came after a withdrawal, never acted on"),
    ]
    digest: Annotated[str, label("摘要", "base64url(SHA-256) of the JWS part")]
    bytes: Annotated[str, label("签名报文", "`<JWS>~<disclosure>~` as sent or received")]
    head: Annotated[dict[str, Any] | None, label("明文代码", "Codes signed in clear")] = None
    data: Annotated[dict[str, Any] | None, label("规范内容", "Canonical translation")] = None
    sealed: Annotated[str | None, label("密封内容", "Compact JWE that the gateway cannot open")] = None
    sealed_to: Annotated[str | None, label("密封所用密钥", "kid that opens it")] = None
    destroyed: Annotated[bool | None, label("内容已销毁", "The disclosure no longer exists; the proof does")] = None


class MessageList(View):
    request_no: Annotated[str, label("请求编号", "Request number")]
    messages: Annotated[list[MessageView], label("报文", "Messages")]
    next: Annotated[str | None, label("下一页游标", "Cursor of the next page; absent: this is the last")] = None


class TimelineEvent(View):
    at: Annotated[str, label("时间", "When")]
    kind: Annotated[str, label("种类", "What happened")]
    state: Annotated[str | None, label("状态", "State after it")] = None
    verb: Annotated[str | None, label("动作", "Verb")] = None
    message_id: Annotated[str | None, label("报文编号", "Message id")] = None
    digest: Annotated[str | None, label("摘要", "base64url(SHA-256) of the JWS part")] = None
    head: Annotated[dict[str, Any] | None, label("明文代码", "Codes signed in clear")] = None
    detail: Annotated[str | None, label("说明代码", "A code; never a payload")] = None


class Timeline(View):
    request_no: Annotated[str, label("请求编号", "Request number")]
    events: Annotated[list[TimelineEvent], label("事件", "Events, oldest first")]
    next: Annotated[str | None, label("下一页游标", "Cursor of the next page; absent: this is the last")] = None


class FeedEvent(View):
    """One line of a participant's feed; never a payload."""

    cursor: Annotated[str, label("游标", "Give it as `after` to read on from here")]
    at: Annotated[str, label("时间", "When")]
    kind: Annotated[str, label("种类", "What happened")]
    request_no: Annotated[str | None, label("请求编号", "Request number")] = None
    group_no: Annotated[str | None, label("组编号", "Number that the members of a group share")] = None
    case_no: Annotated[str | None, label("案号", "Case number")] = None
    type: Annotated[str | None, label("事项", "Matter type")] = None
    verb: Annotated[str | None, label("动作", "Verb")] = None
    state: Annotated[str | None, label("状态", "State")] = None
    message_id: Annotated[str | None, label("报文编号", "Message id")] = None
    head: Annotated[dict[str, Any] | None, label("明文代码", "Codes signed in clear")] = None


class FeedPage(View):
    events: Annotated[list[FeedEvent], label("事件", "Events, oldest first")]
    cursor: Annotated[str, label("游标", "Where to read on, also when nothing came")]


MeasureState = Literal["requested", "active", "hit", "handed-over", "lapsed", "ended"]


class MeasureView(View):
    """A control measure by its numbers and dates; never the object itself."""

    measure_no: Annotated[str, label("措施编号", "Number of the measure")]
    request_no: Annotated[str, label("请求编号", "Request number")]
    type: Annotated[str, label("事项", "Matter type")]
    action: Annotated[str, label("措施种类", "Kind of measure")]
    ref: Annotated[str, label("对象编号", "The object within its request")]
    state: Annotated[MeasureState, label("状态", "State")]
    asked: Annotated[str, label("接收方", "Who is asked")]
    case_no: Annotated[str | None, label("案号", "Case number")] = None
    control_no: Annotated[str | None, label("布控编号", "Number that the partner gave the measure")] = None
    rank: Annotated[int | None, label("轮候顺位", "1: first; above 1: in the queue")] = None
    start_on: Annotated[str | None, label("开始日期", "First day")] = None
    end_on: Annotated[str | None, label("届满日期", "Last day")] = None
    ended_by: Annotated[str | None, label("终结请求", "Request that ended it, or what it came to")] = None
    amount: Annotated[str | None, label("申请金额", "What the court stated or asked for, CNY")] = None
    receipt_no: Annotated[str | None, label("回执编号", "Receipt that was answered")] = None
    seized: Annotated[str | None, label("实际金额", "What was answered as sealed or frozen in fact, CNY")] = None
    appraised: Annotated[str | None, label("评估价", "Appraised value, CNY")] = None
    published_at: Annotated[str | None, label("公示时间", "When the freeze of a share was published")] = None


class MeasureChange(View):
    """One line of a measure's history."""

    at: Annotated[str, label("时间", "When")]
    state: Annotated[MeasureState, label("状态", "State after it")]
    end_on: Annotated[str | None, label("届满日期", "Last day after it")] = None
    by: Annotated[str, label("依据请求", "Request that changed it; its own when time did")]
    cause: Annotated[str | None, label("到期原因", "Why it lapsed")] = None


class EndingView(View):
    """The request by which a measure is being ended."""

    request_no: Annotated[str, label("请求编号", "Request number")]
    state: Annotated[str, label("状态", "State")]


class MeasureDetail(MeasureView):
    ending: Annotated[EndingView | None, label("解除中", "It is being ended by this request")] = None
    ended_with: Annotated[EndingPaperView | None, label("解除文书", "What ends such a measure")] = None
    history: Annotated[list[MeasureChange], label("经过", "Oldest first")]


class MeasurePage(View):
    measures: Annotated[list[MeasureView], label("措施", "Measures")]
    next: Annotated[str | None, label("下一页", "Cursor for `after`; absent on the last page")] = None


class CaseMeasure(MeasureView):
    """A measure of a case, and whether it is being ended."""

    ending: Annotated[EndingView | None, label("解除中", "It is being ended by this request")] = None
    ended_with: Annotated[EndingPaperView | None, label("解除文书", "What ends such a measure")] = None


class DebtFigure(View):
    """What the court said that the debt is, and why it is another than before."""

    amount: Annotated[str, label("数额", "CNY")]
    at: Annotated[str, label("时间", "When")]
    by: Annotated[str, label("承办人", "Staff number")]
    request_no: Annotated[str, label("请求编号", "Request that stated it")]
    reason: Annotated[DebtReason | None, label("变更原因", "Why it is another figure")] = None


class DebtView(View):
    """The debt beside what is secured (查封扣押冻结规定 19)."""

    debt: Annotated[str | None, label("债务数额", "The figure that holds, CNY; absent: none was stated")] = None
    in_fact: Annotated[str, label("实际控制", "Sums that registers answered or that were appraised, CNY")]
    asked: Annotated[str, label("申请未复", "Asked for and not answered yet, CNY")]
    history: Annotated[list[DebtFigure], label("债务沿革", "Every figure, the first one first")]


class CaseView(View):
    """One case of the caller's own court."""

    case_no: Annotated[str, label("案号", "Case number")]
    debt: Annotated[DebtView, label("债务与控制金额", "The debt beside what is secured")]
    open_requests: Annotated[list[RequestView], label("未结请求", "Requests that are not finished")]
    measures: Annotated[list[CaseMeasure], label("在用措施", "Requested and active measures")]
    releases: Annotated[list[ReleaseView], label("解除", "Releases of the case")]


class DocumentView(View):
    sha256: Annotated[str, label("摘要", "SHA-256 of its bytes, hexadecimal")]
    size: Annotated[int, label("字节数", "Bytes")]
    media_type: Annotated[str, label("格式", "Media type")]
    at: Annotated[str, label("入库时间", "When it was first put")]


class DeadlineView(View):
    kind: Annotated[
        Literal["legal_days", "legal_months", "working_days", "clock_hours"],
        label("期限种类", "Days of the law, months of the law, working days or hours of the clock"),
    ]
    amount: Annotated[int, label("期限数量", "How many of them")]


class TypeSummary(View):
    name: Annotated[str, label("事项", "Matter type")]
    version: Annotated[int, label("版本", "Schema version")]
    zh: Annotated[str, label("中文名称", "Chinese name")]
    en: Annotated[str, label("英文名称", "English name")]
    help_zh: Annotated[str, label("中文说明", "What it is for, in Chinese")]
    help_en: Annotated[str, label("英文说明", "What it is for, in English")]
    shape: Annotated[Literal["ask", "alert", "notice"], label("形态", "ask, alert or notice")]
    senders: Annotated[list[str], label("发起单位", "Kinds of participant that may send it")]
    receivers: Annotated[list[str], label("接收单位", "Kinds of participant that may receive it")]
    deadline: Annotated[DeadlineView, label("办理期限", "Within how long an answer is due")]


class TypeList(View):
    types: Annotated[list[TypeSummary], label("事项", "Matter types")]


class ApprovalsView(View):
    people: Annotated[int, label("审批人数", "Different approvers, none of them the drafter")]
    roles: Annotated[list[str], label("须有职务", "Each of these must be among them")]


class ExampleRules(View):
    """Coercion, approvals and documents are functions of the payload: what they come to for `example_request`."""

    coercive: Annotated[bool, label("是否强制", "Whether it is coercive")]
    approvals: Annotated[ApprovalsView, label("审批", "Approvals that it needs")]
    documents: Annotated[dict[str, int], label("文书", "Kind of document → how many of it")]


class VerbView(View):
    verb: Annotated[str, label("动作", "Verb")]
    zh: Annotated[str, label("中文名称", "Chinese name")]
    by: Annotated[Literal["asker", "asked"], label("由谁", "Who says it")]


class TypeDetail(TypeSummary):
    case_required: Annotated[bool, label("须有案号", "A case number is required")]
    fan_out: Annotated[bool, label("可多发", "May be sent to several receivers at once")]
    request_class: Annotated[str, label("请求密级", "Classification of the request")]
    result_class: Annotated[str, label("结果密级", "Classification of the result")]
    ended_by: Annotated[str | None, label("解除事项", "Type that ends the measure it opens")] = None
    validity_days: Annotated[int | None, label("有效天数", "Days after which the message is not acted on")] = None
    retention_years: Annotated[int, label("保存年限", "Years for which it is kept")]
    verbs: Annotated[list[VerbView], label("动作", "Verbs of its life")]
    schemas: Annotated[dict[str, Any], label("内容结构", "JSON Schemas (2020-12): payload, open, result, correct")]
    example_request: Annotated[dict[str, Any], label("请求示例", "Example of the payload")]
    example_result: Annotated[dict[str, Any], label("结果示例", "Example of a result")]
    break_glass: Annotated[bool, label("可先行发出", "May be sent first and approved afterwards")]
    counted: Annotated[bool, label("限次", "Counted for its handler day by day")]
    of_example: Annotated[ExampleRules, label("示例的要求", "What the rules come to for the example")]


class Live(View):
    alive: Annotated[Literal[True], label("运行中", "The process runs")] = True


class ReadyFinding(View):
    """Something that this process cannot do at present."""

    name: Annotated[FindingName, label("名称", "For programs")]
    blocks: Annotated[bool, label("是否拒收提交", "Whether submissions are refused because of it")]
    count: Annotated[int | None, label("队列数", "Of how many queues")] = None
    zh: Annotated[str, label("中文说明", "What it is, in Chinese")]
    en: Annotated[str, label("英文说明", "What it is, in English")]


class Ready(View):
    """Ready to accept submissions, which is tried by writing a row of its own. What else cannot be done is told, not
    required: with the broker down they are still accepted. 503 has the same members beside those of a problem."""

    ready: Annotated[Literal[True], label("可受理", "Submissions are accepted")] = True
    broker: Annotated[Literal["connected", "down", "none"], label("消息代理", "none: not this process's business")]
    findings: Annotated[
        list[ReadyFinding] | None, label("现在做不到的", "What cannot be done now; absent: nothing")
    ] = None
    marks: Annotated[
        Literal["both", "file", "broker", "none"] | None,
        label("标记", "where marks of how far the store has come can be read and written (docs/adr/0030)"),
    ] = None


class KeySet(View):
    """JWK Set (RFC 7517); members beside it: `nbf`, `exp`, `revoked_at`, `client`."""

    keys: Annotated[list[dict[str, Any]], label("公钥", "Public keys (JWK, RFC 7517)")]


class RosterShift(View):
    begins: Annotated[str, label("上班时间", "When the shift begins")]
    ends: Annotated[str, label("下班时间", "When the shift ends")]
    person: Annotated[str, label("值班人员", "Staff number")]


class RosterView(View):
    """The duty roster from now on."""

    shifts: Annotated[list[RosterShift], label("班次", "Shifts")]
    empty_from: Annotated[str | None, label("空缺时间", "From when nobody is on duty in the next 24 hours")] = None


class PageAnswer(View):
    """What became of the alert by the acknowledgement of a page."""

    page_id: Annotated[str, label("呼叫编号", "Number of the page")]
    alert: Annotated[str, label("预警编号", "Request number of the alert")]
    state: Annotated[str, label("预警状态", "State of the alert")]
