"""What is said between an agency and the gateway, as tests hold it: taken, talked about, said; and the usual words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from lianzhi.protocol.envelope import Envelope, OutsideEnvelope

SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Taken:
    """A message that came off our queue, verified and opened. body: in our dialect."""

    raw: bytes
    routing_key: str
    envelope: Envelope | OutsideEnvelope
    body: dict[str, Any]
    digest: str

    @property
    def request_no(self) -> str | None:
        return self.envelope.subject if isinstance(self.envelope, Envelope) else None

    @property
    def verb(self) -> str:
        return self.envelope.verb

    @property
    def origin(self) -> tuple[str, str]:
        return self.envelope.id, self.digest


@dataclass
class Talk:
    """A request as this agency counts it: what our next message says of it."""

    request_no: str
    type: str
    peer: str
    origin: tuple[str, str] | None = None
    case_no: str | None = None
    reply_key: str | None = None
    refs: list[str] = field(default_factory=list)
    seqno: int = 0


@dataclass(frozen=True)
class Said:
    """A message of ours as it goes out."""

    raw: bytes
    id: str
    digest: str
    routing_key: str
    disclosure: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def standing(verb: str, now: datetime) -> dict[str, Any]:
    """The usual words of a verb, canonical."""
    at = now.astimezone(SHANGHAI).isoformat(timespec="seconds")
    words: dict[str, dict[str, Any]] = {
        "delivered": {"stored_at": at, "system": "云川县协查平台（演示）"},
        "receipt": {"received_at": at, "person": "赵演示", "badge": "061234"},
        "accept": {"handler": "钱演示", "promised_at": at},
        "progress": {"stage": "checking"},
        "refuse": {"reason_code": "homonym", "explanation": "同名同姓，非同一人"},
        "supplement-request": {"missing": [{"document": "summons-proof", "why": "看不清"}], "reply_by": at},
        "urge": {"level": 1, "note": "请尽快办理"},
        "supplement": {"documents": [], "fields": [{"field": "place", "value": "云川县"}]},
        "withdraw": {"reason_code": "wrong", "reason": "对象有误"},
        "withdraw-ack": {"effect": "reversed"},
        "objection": {"grounds": "该车已过户"},
        "confirm": {"by": "sn0191-0007"},
    }
    return words[verb]
