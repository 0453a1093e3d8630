"""The signed envelope: a structured CloudEvents 1.0 event with exactly the members of docs/contracts.md 3.1."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from lianzhi.crypto.keys import CODE
from lianzhi.protocol.base import Model

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


class Head(Model):
    """Codes in clear that the gateway decides on; which verb may carry which is `replies.VERBS`."""

    outcome: Literal["done", "partial", "none", "impossible"] | None = None
    as_of: Annotated[str, StringConstraints(max_length=40)] | None = None
    ttl_hours: Annotated[int, Field(ge=1, le=72)] | None = None
    refs: Annotated[list[Ref], Field(max_length=1000)] | None = None
    reason_code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")] | None = None
    effect: Literal["not-started", "reversed", "too-late"] | None = None
    level: Annotated[int, Field(ge=1, le=9)] | None = None
    reply_by: Annotated[str, StringConstraints(max_length=40)] | None = None
    supersedes: MessageId | None = None
    at: Annotated[str, StringConstraints(max_length=40)] | None = None


class Data(Model):
    head: Head | None = None
    sd: Annotated[list[Digest], Field(min_length=1, max_length=1, alias="_sd")]


class _Event(Model):
    specversion: Literal["1.0"]
    id: MessageId
    source: Annotated[str, StringConstraints(pattern=f"^//{CODE}$")]
    receiver: Code
    type: Annotated[str, StringConstraints(pattern=r"^lianzhi(\.[a-z][a-z0-9-]{0,40}){2,6}$")]
    time: Timestamp
    datacontenttype: Literal["application/json"]
    # RFC 9901 section 4.1.1: may say by which hash the digests were made; this one is meant where nothing is said.
    sd_alg: Annotated[Literal["sha-256"] | None, Field(alias="_sd_alg")] = None

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

    subject: RequestNo
    expires: Timestamp | None = None
    dataschema: Annotated[
        str, StringConstraints(pattern=r"^urn:lianzhi:[^:\s]+:[^:\s]+:[^:\s]+:[0-9]{1,6}$", max_length=400)
    ]
    seqno: Annotated[int, Field(ge=1, le=2**53 - 1)]
    causationid: MessageId | None = None
    originhash: Digest | None = None
    caseno: Annotated[str, StringConstraints(max_length=60)] | None = None
    related: RequestNo | None = None
    groupno: RequestNo | None = None
    submissionhash: Digest | None = None
    replykey: Kid | None = None
    traceparent: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{55}$")] | None = None
    data: Data

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

    causationid: MessageId | None = None
    data: Data


class SubmissionEnvelope(_Event):
    """What a court system signs: canonical, no `subject`, no `seqno`, but `gateway`.

    `subject` is absent in an `open`; a later signed verb names the request in its body.
    """

    gateway: Code
    dataschema: Annotated[
        str, StringConstraints(pattern=r"^urn:lianzhi:canonical:[^:\s]+:[^:\s]+:[0-9]{1,6}$", max_length=400)
    ]
    data: Data


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
