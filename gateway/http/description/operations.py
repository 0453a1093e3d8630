"""Every call of the API, once: the routes are made from this table, and so is the OpenAPI document.

scope: what the client's token must carry; None: no token is asked for. Source: docs/contracts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from gateway.application import answers as views
from gateway.application.queries import ledger_answers as ledger_views
from gateway.application.queries import report_answers as report_views
from gateway.application.submission.documents import MEDIA_TYPES
from gateway.http.inputs import (
    CaseQuery,
    DialectPageQuery,
    DialectQuery,
    EventsQuery,
    LedgerQuery,
    MeasuresQuery,
    NoQuery,
    PartsQuery,
    Query,
    ReportQuery,
    RequestsQuery,
    SchemaPageQuery,
)

Body = Literal["submission", "act", "document", "closure", "roster", "approval", "group-act", "release", "reassign"]
Scope = Literal["submit", "reply", "read", "approve", "documents"]
Content = tuple[type[BaseModel] | str, ...]
"""Models of which one is answered as JSON, or media types whose content has no model."""

_ALWAYS = (
    *("invalid-field", "malformed-request", "too-slow", "too-many-requests", "internal", "unavailable"),
    *("too-many-connections", "set-back", "marks-unreadable"),
)
_AUTHORISED = ("unauthorized", "forbidden")
_FORM = (
    *("bad-content-type", "bad-encoding", "malformed-json", "duplicate-member", "too-deep", "bad-number", "too-large"),
    *("idempotency-key-missing", "idempotency-key-reused", "in-doubt", "done-before"),
)
_SIGNED = (
    *("not-an-sd-jwt", "bad-header", "bad-typ", "bad-alg", "unknown-kid", "foreign-key", "wrong-key-purpose"),
    *("key-not-valid-at-time", "key-revoked", "bad-signature", "bad-envelope", "bad-disclosure", "clock-ahead"),
    *("stale", "sender-mismatch", "wrong-receiver", "must-not-be-sealed", "id-reused"),
)
_SUBMISSION = (
    *("unknown-type", "wrong-version", "not-allowed", "receiver-does-not-take", "unknown-receiver"),
    *("unknown-staff", "approvals-missing", "documents-missing", "signature-required"),
    *(
        "measure-open",
        "measure-not-live",
        "measure-forbids",
        "renewal-late",
        "term-mismatch",
        "over-seizure",
        "debt-differs",
    ),
    *("unknown-control", "unknown-ref"),
    *("group-incomplete", "unknown-group", "handler-limit", "break-glass-refused", "break-glass-limit"),
)
_DECISION = ("unknown-request", "unknown-staff", "approval-refused", "approval-decided", "signature-required")
_CASE = ("misdirected", "signature-required", "unknown-staff")
_ACT = (
    *("unknown-request", "unknown-verb", "not-allowed", "not-now", "contradicts", "misdirected", "unknown-ref"),
    *("unknown-staff", "signature-required", "not-sealed", "cannot-open", "measure-active"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """answers: status → content. problems: what may be answered beside what every call may. link: the credential is
    the `token` in the path, of a link that the gateway sent. home: for clients of the home court alone."""

    id: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    zh: str
    en: str
    answers: Mapping[int, Content]
    scope: Scope | None = "read"
    home: bool = False
    problems: tuple[str, ...] = ()
    query: type[Query] = NoQuery
    body: Body | None = None
    help: str = ""
    link: bool = False

    @property
    def keyed(self) -> bool:
        """Every POST needs an `Idempotency-Key`; a link is its own."""
        return self.method == "POST" and not self.link

    @property
    def all_problems(self) -> tuple[str, ...]:
        return (*(_AUTHORISED if self.scope else ()), *self.problems, *_ALWAYS)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="submit-request",
        method="POST",
        path="/v1/requests",
        zh="提交请求",
        en="Submit a request",
        help="202 only after the commit. Coercive matters are submitted signed (`application/sd-jwt`, "
        "`typ: lianzhi-submission+sd-jwt`); whether a matter is coercive may depend on its payload. "
        "A request whose documents are not here yet is accepted and stays `blocked` until they are.",
        scope="submit",
        body="submission",
        answers={202: (views.AcceptedRequest, views.AcceptedGroup, views.HandedInBefore)},
        problems=(*_FORM, *_SIGNED, *_SUBMISSION),
    ),
    Operation(
        id="list-requests",
        method="GET",
        path="/v1/requests",
        zh="请求列表",
        en="List requests",
        help="In order of their numbers. A page may hold fewer than `limit`; it is the last when `next` is absent.",
        query=RequestsQuery,
        answers={200: (views.RequestPage,)},
        problems=("bad-cursor",),
    ),
    Operation(
        id="read-request",
        method="GET",
        path="/v1/requests/{no}",
        zh="查看请求",
        en="Read one request",
        answers={200: (views.RequestView,)},
        problems=("unknown-request",),
    ),
    Operation(
        id="read-messages",
        method="GET",
        path="/v1/requests/{no}/messages",
        zh="查看报文",
        en="Read the messages of a request",
        help="The signed bytes beside their canonical translation. What is sealed to a court system's own key stays "
        "sealed. Each reading is logged. In the order in which they were stored; the page is the last when `next` is "
        "absent.",
        query=PartsQuery,
        answers={200: (views.MessageList,)},
        problems=("unknown-request", "bad-cursor"),
    ),
    Operation(
        id="say",
        method="POST",
        path="/v1/requests/{no}/messages",
        zh="发送动作",
        en="Say a verb in a request",
        help="`supplement` in a request that was submitted signed must be signed too; any other verb may be. A signed "
        "act is a submission of the type `lianzhi.<matter type>.<verb>` whose body is this JSON with its "
        "`request_no`.",
        scope="reply",
        body="act",
        answers={202: (views.AcceptedMessage, views.HandedInBefore)},
        problems=(*_FORM, *_SIGNED, *_ACT),
    ),
    Operation(
        id="decide",
        method="POST",
        path="/v1/requests/{no}/approvals",
        zh="审批",
        en="Approve or reject a request that waits, or review one that was sent first",
        help="The last approval opens the request; a rejection ends it. For a group it counts for every member. What "
        "was submitted signed is approved signed: type `lianzhi.<matter type>.approve`, body with `request_no`.",
        scope="approve",
        body="approval",
        answers={202: (views.ApprovalTaken, views.HandedInBefore)},
        problems=(*_FORM, *_SIGNED, *_DECISION, *_SUBMISSION, "misdirected"),
    ),
    Operation(
        id="read-approvals",
        method="GET",
        path="/v1/requests/{no}/approvals",
        zh="查看审批",
        en="Read the approvals of a request",
        answers={200: (views.ApprovalList,)},
        problems=("unknown-request",),
    ),
    Operation(
        id="read-group",
        method="GET",
        path="/v1/groups/{group_no}",
        zh="查看组",
        en="Read a group: who has acknowledged",
        answers={200: (views.GroupView,)},
        problems=("unknown-group",),
    ),
    Operation(
        id="say-to-group",
        method="POST",
        path="/v1/groups/{group_no}/messages",
        zh="向全组发送动作",
        en="Say a verb to every member of a group",
        help="One unit of work. A member that cannot be told so in its present state is listed with the reason.",
        scope="reply",
        body="group-act",
        answers={202: (views.SaidToGroup, views.HandedInBefore)},
        problems=(*_FORM, *_SIGNED, *_ACT, "unknown-group"),
    ),
    Operation(
        id="read-case",
        method="GET",
        path="/v1/cases",
        zh="查看案件",
        en="Read a case: open requests, live measures, releases",
        query=CaseQuery,
        answers={200: (views.CaseView,)},
    ),
    Operation(
        id="release-case",
        method="POST",
        path="/v1/cases/release",
        zh="案件解除",
        en="Let a case go: the debtor has paid",
        help="Withdraws every open request and asks for the ending of every live measure, in one unit of work; what "
        "needs a hand is listed. Signed: type `lianzhi.case.release.open`, receiver and gateway the home court.",
        scope="submit",
        body="release",
        answers={202: (views.ReleaseAccepted, views.HandedInBefore)},
        problems=(*_FORM, *_SIGNED, *_CASE),
    ),
    Operation(
        id="read-release",
        method="GET",
        path="/v1/cases/release/{release_no}",
        zh="查看案件解除",
        en="Read a release: who has acknowledged",
        answers={200: (views.ReleaseView,)},
        problems=("unknown-release",),
    ),
    Operation(
        id="reassign-case",
        method="POST",
        path="/v1/cases/reassign",
        zh="交叉执行变更",
        en="Reassign a case: another number, another handler",
        help="Re-points every open request and live measure and notifies each partner that holds one; its `read` "
        "acknowledges. Signed: type `lianzhi.case.reassign.open`, receiver and gateway the home court.",
        scope="submit",
        body="reassign",
        answers={202: (views.ReassignedView, views.HandedInBefore)},
        problems=(
            *(*_FORM, *_SIGNED, *_CASE, "nothing-to-reassign", "measure-open", "receiver-does-not-take", "not-allowed"),
        ),
    ),
    Operation(
        id="read-timeline",
        method="GET",
        path="/v1/requests/{no}/timeline",
        zh="查看时间线",
        en="Read the timeline of a request",
        help="In its order; the page is the last when `next` is absent.",
        query=PartsQuery,
        answers={200: (views.Timeline,)},
        problems=("unknown-request", "bad-cursor"),
    ),
    Operation(
        id="read-events",
        method="GET",
        path="/v1/events",
        zh="事件流",
        en="Follow the participant's feed",
        help="Absent `after`: from the oldest event that is kept. With `wait` the answer comes as soon as something "
        "new stands in the feed. Reading proves no delivery; only a signed `receipt` does.",
        query=EventsQuery,
        answers={200: (views.FeedPage,)},
        problems=("bad-cursor", "cursor-gone", "other-incarnation"),
    ),
    Operation(
        id="list-measures",
        method="GET",
        path="/v1/measures",
        zh="控制措施",
        en="List control measures",
        query=MeasuresQuery,
        answers={200: (views.MeasurePage,)},
        problems=("bad-cursor",),
    ),
    Operation(
        id="list-ledgers",
        method="GET",
        path="/v1/ledgers",
        zh="台账目录",
        en="List the court's ledgers",
        home=True,
        answers={200: (ledger_views.LedgerList,)},
    ),
    Operation(
        id="read-ledger",
        method="GET",
        path="/v1/ledgers/{ledger}",
        zh="查看台账",
        en="Read one ledger",
        help="Items as they stand today, in the order of their numbers: those with a line in the days asked for; of "
        "`measure-ending` those whose last day is among them, by default until 30 days from today.",
        home=True,
        query=LedgerQuery,
        answers={200: (ledger_views.LedgerPage,)},
        problems=("unknown-ledger", "bad-cursor"),
    ),
    Operation(
        id="record-closure",
        method="POST",
        path="/v1/ledgers/closure",
        zh="登记终本事件",
        en="Record what happened to a terminated case",
        help="The case was terminated (终本), looked at again, or resumed (执恢). Property found proposes the "
        "resumption: an event `resumption-proposed` in the court's feed.",
        scope="submit",
        home=True,
        body="closure",
        answers={201: (ledger_views.RecordedClosure,)},
        problems=(*_FORM, "unknown-staff", "closure-exists", "unknown-closure", "closure-over"),
    ),
    Operation(
        id="read-report",
        method="GET",
        path="/v1/reports/weekly",
        zh="周报",
        en="The weekly or monthly report",
        help="Monday to Sunday, Asia/Shanghai; `month` makes it that month's. Absent both: the last week that is over.",
        home=True,
        query=ReportQuery,
        answers={200: (report_views.ReportView,)},
    ),
    Operation(
        id="read-measure",
        method="GET",
        path="/v1/measures/{measure_no}",
        zh="查看控制措施",
        en="Read one control measure with its history",
        answers={200: (views.MeasureDetail,)},
        problems=("unknown-measure",),
    ),
    Operation(
        id="put-duty-roster",
        method="PUT",
        path="/v1/duty-roster",
        zh="登记值班表",
        en="Put the duty roster",
        help="Replaces the one before. Staff numbers only; telephones stay with the court's own platform. A day ahead "
        "without anybody on duty is an event `duty-roster-empty`, once a day.",
        scope="submit",
        body="roster",
        answers={200: (views.RosterView,)},
        problems=(
            *("bad-content-type", "bad-encoding", "malformed-json", "duplicate-member", "too-deep", "bad-number"),
            *("too-large", "unknown-staff"),
        ),
    ),
    Operation(
        id="read-duty-roster",
        method="GET",
        path="/v1/duty-roster",
        zh="查看值班表",
        en="Read the duty roster from now on",
        answers={200: (views.RosterView,)},
    ),
    Operation(
        id="acknowledge-page",
        method="POST",
        path="/v1/pages/{page_id}/acknowledge/{token}",
        zh="确认呼叫",
        en="Acknowledge the alert of a page by the link in it",
        help="For the court's SMS and voice platform. Says `acknowledge` in the alert in the name of the person that "
        "was paged, once; the link ends with its alert. Whoever holds it needs no other credential.",
        scope=None,
        link=True,
        answers={200: (views.PageAnswer,)},
        problems=("not-found", "link-gone", "unknown-staff", "not-now", "unknown-request"),
    ),
    Operation(
        id="put-document",
        method="PUT",
        path="/v1/documents/{sha256}",
        zh="上传文书",
        en="Put a document",
        help="Named by the SHA-256 of its bytes; written once. 201: new; 200: the same bytes were here. "
        f"Content-Type is one of {', '.join(MEDIA_TYPES)}. A partner's JWT has a `jti` of its own for each call.",
        scope="documents",
        body="document",
        answers={200: (views.DocumentView,), 201: (views.DocumentView,)},
        problems=("bad-content-type", "too-large", "document-mismatch", "documents-quota", "not-found"),
    ),
    Operation(
        id="get-document",
        method="GET",
        path="/v1/documents/{sha256}",
        zh="下载文书",
        en="Get a document",
        help="For the participants of a request whose messages name it, and for whoever put it.",
        answers={200: MEDIA_TYPES},
        problems=("not-found",),
    ),
    Operation(
        id="list-types",
        method="GET",
        path="/v1/types",
        zh="事项目录",
        en="List the matter types",
        answers={200: (views.TypeList,)},
    ),
    Operation(
        id="read-type",
        method="GET",
        path="/v1/types/{type}",
        zh="查看事项",
        en="Read one matter type: schemas, examples, deadline, approvals, documents",
        answers={200: (views.TypeDetail,)},
        problems=("unknown-type",),
    ),
    Operation(
        id="read-keys",
        method="GET",
        path="/.well-known/jwks.json",
        zh="公钥",
        en="Public keys of the participants that this gateway signs for",
        scope=None,
        answers={200: (views.KeySet,)},
    ),
    Operation(
        id="live",
        method="GET",
        path="/livez",
        zh="存活检查",
        en="Whether the process runs",
        scope=None,
        answers={200: (views.Live,)},
    ),
    Operation(
        id="ready",
        method="GET",
        path="/readyz",
        zh="就绪检查",
        en="Whether submissions are accepted",
        scope=None,
        answers={200: (views.Ready,)},
    ),
    Operation(
        id="read-openapi",
        method="GET",
        path="/openapi.json",
        zh="接口描述",
        en="This document",
        scope=None,
        answers={200: ("application/json",), 304: ()},
    ),
    Operation(
        id="read-asyncapi",
        method="GET",
        path="/asyncapi.json",
        zh="消息描述",
        en="AsyncAPI: queues, messages and each dialect's schemas",
        help="With `dialect` a small one, of that dialect alone.",
        scope=None,
        query=DialectQuery,
        answers={200: ("application/json",), 304: ()},
    ),
    Operation(
        id="docs-index",
        method="GET",
        path="/docs",
        zh="说明页",
        en="The descriptions as pages for people",
        scope=None,
        answers={200: ("text/html",), 304: ()},
    ),
    Operation(
        id="docs-openapi",
        method="GET",
        path="/docs/openapi",
        zh="接口说明页",
        en="The calls of the API, or one schema, as a page",
        scope=None,
        query=SchemaPageQuery,
        answers={200: ("text/html",), 304: ()},
    ),
    Operation(
        id="docs-asyncapi",
        method="GET",
        path="/docs/asyncapi",
        zh="消息说明页",
        en="The dialects, the types of one, or the messages of a type, as a page",
        scope=None,
        query=DialectPageQuery,
        answers={200: ("text/html",), 304: ()},
    ),
    Operation(
        id="docs-style",
        method="GET",
        path="/docs/style.css",
        zh="说明页样式",
        en="How those pages look",
        scope=None,
        answers={200: ("text/css",), 304: ()},
    ),
)
