"""The signed envelope: a structured CloudEvents 1.0 event with exactly the members of docs/contracts.md 3.1."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from lianzhi.crypto.keys import CODE
from lianzhi.protocol.base import Model, Vocabulary, label

REQUEST_NO = CODE + r"-[0-9]{8}-[0-9]{6,12}"  # bounded, as every text that becomes a key of the store
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
_MOMENT = re.compile(TIMESTAMP, re.ASCII)
DIGEST = r"[A-Za-z0-9_-]{43}"
KID = CODE + r"\.(sig|sub|enc)\.[a-z0-9][a-z0-9-]{0,30}"

CONTENT_TYPE = "application/sd-jwt"
GATEWAY_NOTICE = "lianzhi.gateway.notice"
GATEWAY_PING = "lianzhi.gateway.ping"
GATEWAY_PONG = "lianzhi.gateway.pong"
FORGOTTEN_KEPT = "forgotten-kept"
"""Rule of a notice `unknown-request`: the gateway has lost the request in a restore and keeps what is said of it."""
CANONICAL = "canonical"

Code = Annotated[str, StringConstraints(pattern=f"^{CODE}$")]
RequestNo = Annotated[str, StringConstraints(pattern=f"^{REQUEST_NO}$")]
MessageId = Annotated[str, StringConstraints(pattern=f"^{UUID7}$")]
Timestamp = Annotated[str, StringConstraints(pattern=f"^{TIMESTAMP}$")]
Digest = Annotated[str, StringConstraints(pattern=f"^{DIGEST}$")]
Kid = Annotated[str, StringConstraints(pattern=f"^{KID}$")]
Ref = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8}$")]


Outcome = Vocabulary[
    Annotated[Literal["done"], "已办理"]
    | Annotated[Literal["partial"], "部分办理"]
    | Annotated[Literal["none"], "无结果"]
    | Annotated[Literal["impossible"], "无法办理"]
]
WithdrawEffect = Vocabulary[
    Annotated[Literal["not-started"], "未开始办理"]
    | Annotated[Literal["reversed"], "已恢复原状"]
    | Annotated[Literal["too-late"], "撤回过迟"]
]


class Head(Model):
    """Codes in clear that the gateway decides on; which verb may carry which is `verbs.VERBS`."""

    outcome: Annotated[Outcome | None, label("办理结果", "Outcome")] = None
    as_of: Annotated[
        Annotated[str, StringConstraints(max_length=40)] | None, label("截至时间", "Time as of which the result holds")
    ] = None
    ttl_hours: Annotated[
        Annotated[int, Field(ge=1, le=72)] | None,
        label("保存时限（小时）", "Hours for which it may be kept, at most 72"),
    ] = None
    refs: Annotated[
        Annotated[list[Ref], Field(max_length=1000)] | None,
        label("对象编号", "References of the objects that are named"),
    ] = None
    reason_code: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")] | None, label("原因代码", "Reason, a code")
    ] = None
    effect: Annotated[WithdrawEffect | None, label("撤回效果", "Effect of the withdrawal")] = None
    level: Annotated[
        Annotated[int, Field(ge=1, le=9)] | None, label("催办次数", "How many times it has been urged")
    ] = None
    reply_by: Annotated[Annotated[str, StringConstraints(max_length=40)] | None, label("答复期限", "Answer due by")] = (
        None
    )
    supersedes: Annotated[MessageId | None, label("被更正报文", "Message id of the result that it replaces")] = None
    at: Annotated[Annotated[str, StringConstraints(max_length=40)] | None, label("时间", "When it happened")] = None


class Data(Model):
    head: Annotated[Head | None, label("明文代码", "Codes signed in clear")] = None
    sd: Annotated[
        list[Digest], label("正文摘要", "Digest of the disclosure (RFC 9901)", min_length=1, max_length=1, alias="_sd")
    ]


class _Event(Model):
    specversion: Annotated[Literal["1.0"], label("规范版本", "Version of CloudEvents")]
    id: Annotated[MessageId, label("报文编号", "Message id (UUIDv7)")]
    source: Annotated[
        str, StringConstraints(pattern=f"^//{CODE}$"), label("发送方", "Sender: `//` and its participant code")
    ]
    receiver: Annotated[Code, label("接收方", "Receiver: its participant code")]
    type: Annotated[
        str,
        StringConstraints(pattern=r"^lianzhi(\.[a-z][a-z0-9-]{0,40}){2,6}$"),
        label("事项与动作", "`lianzhi.<matter type>.<verb>`"),
    ]
    time: Annotated[Timestamp, label("报文时间", "When the sender wrote it, UTC")]
    datacontenttype: Annotated[Literal["application/json"], label("内容格式", "Media type of the content")]
    # RFC 9901 section 4.1.1: may say by which hash the digests were made; this one is meant where nothing is said.
    sd_alg: Annotated[
        Literal["sha-256"] | None, label("摘要算法", "Hash of the digests (RFC 9901)", alias="_sd_alg")
    ] = None

    @property
    def sender(self) -> str:
        return self.source[2:]

    @property
    def matter_type(self) -> str:
        """`lianzhi.<matter type>.<verb>` without its first and last word."""
        return self.type.split(".", 1)[1].rsplit(".", 1)[0]

    @property
    def verb(self) -> str:
        return self.type.rsplit(".", 1)[1]


class Envelope(_Event):
    """A message inside a request."""

    subject: Annotated[RequestNo, label("请求编号", "Request number")]
    expires: Annotated[Timestamp | None, label("有效期至", "Not to be acted on after this time")] = None
    dataschema: Annotated[
        str,
        StringConstraints(pattern=r"^urn:lianzhi:[^:\s]+:[^:\s]+:[^:\s]+:[0-9]{1,6}$", max_length=400),
        label("内容结构", "`urn:lianzhi:<dialect>:<matter type>:<verb>:<version>`"),
    ]
    seqno: Annotated[int, label("顺序号", "Number within request and sender, from 1", ge=1, le=2**53 - 1)]
    causationid: Annotated[MessageId | None, label("所答报文", "Message id that it answers")] = None
    originhash: Annotated[Digest | None, label("所答报文摘要", "Digest of the message that it answers")] = None
    caseno: Annotated[
        Annotated[str, StringConstraints(max_length=60)] | None, label("案号", "Case number, where it may be seen")
    ] = None
    related: Annotated[RequestNo | None, label("相关请求", "Earlier request that it is about")] = None
    groupno: Annotated[RequestNo | None, label("组编号", "Number that the members of a group share")] = None
    submissionhash: Annotated[Digest | None, label("提交摘要", "Digest of what the court system signed")] = None
    replykey: Annotated[Kid | None, label("答复密封密钥", "kid of the key that the result is sealed to")] = None
    traceparent: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{55}$")] | None,
        label("跟踪编号", "Trace of the request (W3C Trace Context)"),
    ] = None
    data: Annotated[Data, label("内容", "Codes in clear, and the digest of the body")]

    @model_validator(mode="after")
    def _origin(self) -> Envelope:
        if (self.verb == "open") != (self.causationid is None) or (self.causationid is None) != (
            self.originhash is None
        ):
            raise ValueError("causationid and originhash stand in every message but `open`")
        parts = self.dataschema.split(":")
        if parts[3] != self.matter_type or parts[4] != self.verb:
            raise ValueError("dataschema names another type or verb")
        return self

    @property
    def dialect(self) -> str:
        return self.dataschema.split(":")[2]

    @property
    def schema_version(self) -> int:
        return int(self.dataschema.rsplit(":", 1)[1])


class OutsideEnvelope(_Event):
    """A message outside any request: `gateway.notice`, `gateway.ping`, `gateway.pong`."""

    causationid: Annotated[MessageId | None, label("所答报文", "Message id that it answers")] = None
    data: Annotated[Data, label("内容", "Codes in clear, and the digest of the body")]


class SubmissionEnvelope(_Event):
    """What a court system signs: canonical, no `subject`, no `seqno`, but `gateway`.

    `subject` is absent in an `open`; a later signed verb names the request in its body.
    """

    gateway: Annotated[Code, label("网关", "Participant code of the court whose gateway it is handed to")]
    dataschema: Annotated[
        str,
        StringConstraints(pattern=r"^urn:lianzhi:canonical:[^:\s]+:[^:\s]+:[0-9]{1,6}$", max_length=400),
        label("内容结构", "`urn:lianzhi:canonical:<matter type>:<verb>:<version>`"),
    ]
    data: Annotated[Data, label("内容", "Codes in clear, and the digest of the body")]


def dataschema(dialect: str, matter_type: str, verb: str, version: int) -> str:
    return f"urn:lianzhi:{dialect}:{matter_type}:{verb}:{version}"


def envelope_members(event: dict[str, Any]) -> dict[str, Any]:
    """The event without its absent optional members, in the order of the contract."""
    return {k: v for k, v in event.items() if v is not None}


def timestamp(moment: datetime) -> str:
    """Aware datetime → RFC 3339, UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """The inverse of `timestamp`. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("not a moment in the form of the contract")
    return datetime.fromisoformat(text)


def opener_of(request_no: str) -> str:
    """Whoever gave the request its number: what stands in it before the day (docs/contracts.md 3.1 Codes)."""
    return request_no.rsplit("-", 2)[0]


def is_request_no(text: str) -> bool:
    return re.fullmatch(REQUEST_NO, text) is not None


def is_message_id(text: str) -> bool:
    return re.fullmatch(UUID7, text) is not None
