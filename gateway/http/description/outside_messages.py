"""The messages outside any request, for the AsyncAPI document: notice, ping, pong (docs/contracts.md 3.1)."""

from __future__ import annotations

from typing import Any

from gateway.application.inbound.notices import NEWEST, VERSION
from gateway.core.example_acts import EXAMPLE_MESSAGE
from gateway.http.description.messages import REF, Schema, taken_apart
from lianzhi.problem import REASONS
from lianzhi.protocol.envelope import CONTENT_TYPE, GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG, REQUEST_NO, UUID7


def _said(zh: str, en: str, type_: str = "string", **more: Any) -> Schema:
    return {"type": type_, "title": zh, "description": en, **more}


_VERSION = _said("通知版本", "Newest version of notices that the sender reads", "integer", minimum=1)
_OFFSET = _said("时钟偏差（毫秒）", "Your clock ahead of ours; behind: negative", "integer")
_INCARNATION = _said("存储标识", "Of the gateway's store: another one than before means that it was restored")
_NOTICE_MEMBERS: Schema = {
    "body_sha256": _said("报文摘要", "SHA-256 of the bytes that it is about, hexadecimal; empty: about none"),
    "reason": _said("原因代码", f"One of: {', '.join(sorted(REASONS))}", pattern="^[a-z][a-z0-9-]{1,40}$"),
    "title_zh": _said("原因", "The reason in Chinese"),
    "title_en": _said("英文原因", "The reason in English"),
    "pointer": _said("位置", "JSON pointer (RFC 6901) into what was sent"),
    "message_id": _said("报文编号", "Message that it is about", pattern=f"^{UUID7}$"),
    "request_no": _said("请求编号", "Request that it is about", pattern=f"^{REQUEST_NO}$"),
    "next_seqno": _said("下一顺序号", "Number that is taken next in that request", "integer", minimum=1),
    "version": _said("版本", "Version of this notice; absent: 1", "integer", minimum=2),
    "rule": _said("规则", "Rule that is broken (version 2)"),
    "detail_zh": _said("说明", "What to do, in Chinese (version 2)"),
    "detail_en": _said("英文说明", "What to do, in English (version 2)"),
    "clock_offset_ms": _OFFSET,
    "incarnation": _INCARNATION,
}
BODIES: dict[str, Schema] = {
    "Notice": {
        "type": "object",
        "title": "通知",
        "description": "To the owner of the queue that the bytes came from, once per digest; `sequence-gap` goes both "
        "ways. Members that a reader does not know are passed over.",
        "properties": _NOTICE_MEMBERS,
        "required": ["body_sha256", "reason", "title_zh", "title_en"],
    },
    "Ping": {
        "type": "object",
        "title": "探测",
        "description": "Asks whether the other side is there",
        "properties": {VERSION: _VERSION},
    },
    "Pong": {
        "type": "object",
        "title": "探测应答",
        "description": "Answers a ping, named by `causationid`; empty to who has not said version 2",
        "properties": {VERSION: _VERSION, "clock_offset_ms": _OFFSET, "incarnation": _INCARNATION},
    },
}
_REASON = REASONS["sequence-gap"]
_EXAMPLES: dict[str, Schema] = {
    "Notice": {
        "body_sha256": "0" * 64,
        "reason": "sequence-gap",
        "title_zh": _REASON.zh,
        "title_en": _REASON.en,
        "request_no": "court-sn0199-20260324-000001",
        "next_seqno": 2,
    },
    "Ping": {VERSION: NEWEST},
    "Pong": {VERSION: NEWEST, "clock_offset_ms": -12, "incarnation": "example"},
}
_TYPES = {"Notice": GATEWAY_NOTICE, "Ping": GATEWAY_PING, "Pong": GATEWAY_PONG}


def outside_messages() -> dict[str, Schema]:
    """Message Objects by name; either side may send each."""
    return {name.lower(): _message(name, type_) for name, type_ in _TYPES.items()}


def _message(name: str, type_: str) -> Schema:
    event = {
        "specversion": "1.0",
        "id": EXAMPLE_MESSAGE,
        "source": "//court-sn0199",
        "receiver": "police-610199",
        "type": type_,
        "time": "2026-03-24T02:31:52.000Z",
        "datacontenttype": "application/json",
    }
    if name == "Pong":
        event["causationid"] = EXAMPLE_MESSAGE[:-1] + "0"
    body = BODIES[name]
    return {
        "name": type_,
        "title": body["title"],
        "summary": body["description"],
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"{REF}Wire"},
        "x-type": type_.rsplit(".", 1)[0],
        "x-verb": name.lower(),
        "x-by": "both",
        "x-sealed": False,
        "x-head": [],
        "x-head-required": [],
        "x-event": {"$ref": f"{REF}OutsideEnvelope"},
        "x-body": {"$ref": f"{REF}{name}"},
        "x-example": taken_apart("court-sn0199.sig.1", event, {}, ["ZXhhbXBsZS1zYWx0LTAwMQ", "body", _EXAMPLES[name]]),
    }
