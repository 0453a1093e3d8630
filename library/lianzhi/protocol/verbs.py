"""The verbs of a conversation: who says them, what they carry, and which message each one answers.

Source: docs/domain.md section 2.2. A verb's canonical *data* is one flat object; the members that the gateway
decides on travel in clear (`head`), the rest in the disclosure: `split` and `join` are the only place that
knows which is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from lianzhi.protocol.base import Model
from lianzhi.protocol.envelope import MessageId, Ref, RequestNo
from lianzhi.protocol.times import AnyMoment, ComingMoment, PastMoment
from lianzhi.protocol.values import Document, Line, Name, Prose

StaffNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{3,40}$")]

REFUSAL_CODES = (
    "doc-missing",
    "doc-invalid-seal",
    "identity-mismatch",
    "homonym",
    "not-in-jurisdiction",
    "object-not-found",
    "already-released",
    "third-party-asset",
    "exceeds-legal-basis",
    "duplicate-request",
    "wrong-case",
    "technical",
)
RefusalCode = Literal[
    "doc-missing",
    "doc-invalid-seal",
    "identity-mismatch",
    "homonym",
    "not-in-jurisdiction",
    "object-not-found",
    "already-released",
    "third-party-asset",
    "exceeds-legal-basis",
    "duplicate-request",
    "wrong-case",
    "technical",
]


class Delivered(Model):
    stored_at: PastMoment
    system: Line


class Receipt(Model):
    received_at: PastMoment
    person: Name
    badge: Line | None = None
    unit: Line | None = None
    unit_code: Line | None = None


class Accept(Model):
    handler: Line
    promised_at: ComingMoment | None = None


class Missing(Model):
    document: Line | None = None
    field: Line | None = None
    why: Prose


class SupplementRequest(Model):
    missing: Annotated[list[Missing], Field(min_length=1, max_length=50)]
    reply_by: ComingMoment


class FieldValue(Model):
    field: Line
    value: Prose


class Supplement(Model):
    documents: Annotated[list[Document], Field(max_length=50)] = []
    fields: Annotated[list[FieldValue], Field(max_length=50)] = []


class Refuse(Model):
    reason_code: RefusalCode
    explanation: Prose
    legal_ref: Line | None = None


class Contact(Model):
    at: PastMoment
    person: Name
    note: Prose


class Return(Model):
    """Returning without having contacted the asking court is not allowed (docs/domain.md 2.2)."""

    reason_code: RefusalCode
    explanation: Prose | None = None
    contact_log: Annotated[list[Contact], Field(min_length=1, max_length=50)]


class Objection(Model):
    grounds: Prose
    documents: Annotated[list[Document], Field(max_length=50)] = []


class ObjectionAnswer(Model):
    decision: Literal["upheld", "dismissed", "partly-upheld"]
    reasons: Prose
    by: StaffNo


class Progress(Model):
    stage: Line
    note: Prose | None = None


class Withdraw(Model):
    reason_code: Literal["paid", "settled", "ended", "revoked", "wrong", "duplicate", "other"]
    reason: Prose | None = None
    by: StaffNo | None = None


class WithdrawAck(Model):
    effect: Literal["not-started", "reversed", "too-late"]
    note: Prose | None = None


class Urge(Model):
    level: Annotated[int, Field(ge=1, le=9)]
    reply_by: ComingMoment | None = None
    note: Prose | None = None


class Confirm(Model):
    by: StaffNo
    why: Prose | None = None


class Reopen(Model):
    by: StaffNo
    why: Prose
    reason_code: Literal["incomplete", "wrong-object", "invalid-body", "other"] = "other"


class Evaluate(Model):
    score: Annotated[int, Field(ge=1, le=5)]
    text: Prose | None = None


class Complain(Model):
    text: Prose


class Acknowledge(Model):
    by: StaffNo
    at: PastMoment


class SendTeam(Model):
    by: StaffNo
    at: PastMoment
    team: Line
    eta: AnyMoment | None = None


class IdentityCheck(Model):
    """What was compared before a car is seized or a person taken over; which, the alert's type says (`checks`)."""

    by: StaffNo
    at: PastMoment
    plate_ok: bool | None = None
    vin_ok: bool | None = None
    id_ok: bool | None = None
    photo_ok: bool


class Handover(Model):
    by: StaffNo
    at: PastMoment
    place: Line
    handed_by: Name
    received_by: Name


class FalseHit(Model):
    by: StaffNo
    at: PastMoment
    why: Prose


class Read(Model):
    by: Line
    at: PastMoment


class ResultBase(Model):
    """What every result says whatever its type; the type adds `items`."""

    outcome: Literal["done", "partial", "none", "impossible"]
    as_of: PastMoment
    ttl_hours: Annotated[int, Field(ge=1, le=72)] | None = None
    reasons: Annotated[list[Prose], Field(max_length=50)] = []
    evidence: Annotated[list[Document], Field(max_length=50)] = []


class CorrectMixin(Model):
    supersedes: MessageId
    reason: Prose


Side = Literal["asker", "asked"]


@dataclass(frozen=True, slots=True)
class Verb:
    """name, Chinese label, who says it, its model (None: given by the matter type), the members that travel
    in `head`, and the verbs that it answers (`causationid`): empty = the `open` or the last `supplement`,
    `*` = any message of the other side."""

    name: str
    zh: str
    by: Side
    model: type[Model] | None
    head: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


_REF = re.compile(r"[a-z0-9]{8}")
_RESULT_HEAD = ("outcome", "as_of", "ttl_hours")

VERBS: Mapping[str, Verb] = {
    v.name: v
    for v in (
        Verb("open", "发起", "asker", None),
        Verb("delivered", "送达", "asked", Delivered),
        Verb("receipt", "签收", "asked", Receipt, answers=("*",)),
        Verb("accept", "受理", "asked", Accept),
        Verb("supplement-request", "要求补正", "asked", SupplementRequest, ("reply_by",)),
        Verb("supplement", "补正", "asker", Supplement, answers=("supplement-request",)),
        Verb("refuse", "拒绝", "asked", Refuse, ("reason_code",)),
        Verb("return", "退回", "asked", Return, ("reason_code",)),
        Verb("objection", "书面异议", "asked", Objection),
        Verb("objection-answer", "异议答复", "asker", ObjectionAnswer, answers=("objection",)),
        Verb("progress", "进展", "asked", Progress),
        Verb("result", "结果", "asked", None, _RESULT_HEAD),
        Verb("correct", "更正", "asked", None, (*_RESULT_HEAD, "supersedes")),
        Verb("withdraw", "撤回", "asker", Withdraw, ("reason_code",)),
        Verb("withdraw-ack", "撤回回执", "asked", WithdrawAck, ("effect",), ("withdraw",)),
        Verb("urge", "催办", "asker", Urge, ("level", "reply_by")),
        Verb("confirm", "确认办结", "asker", Confirm, answers=("result", "correct")),
        Verb("reopen", "退回重办", "asker", Reopen, ("reason_code",), ("result", "correct")),
        Verb("evaluate", "评价", "asker", Evaluate),
        Verb("complain", "投诉", "asker", Complain),
        Verb("acknowledge", "确认", "asked", Acknowledge, ("at",)),
        Verb("send-team", "派警", "asked", SendTeam, ("at",)),
        Verb("identity-check", "核验", "asked", IdentityCheck, ("at",)),
        Verb("handover", "移交", "asked", Handover, ("at",)),
        Verb("false-hit", "误报", "asked", FalseHit, ("at",)),
        Verb("read", "已阅", "asked", Read, ("at",)),
    )
}


class NoticeBody(Model):
    """`lianzhi.gateway.notice`: tells the owner of a queue why its bytes went to quarantine."""

    message_id: str | None = None
    body_sha256: str
    reason: str
    pointer: str | None = None
    title_zh: str
    title_en: str
    next_seqno: int | None = None
    request_no: RequestNo | None = None


def split(verb: str, data: Mapping[str, Any], refs: list[Ref] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Canonical data → (head, body). `refs` of the objects named, where the verb carries content, join the head."""
    members = VERBS[verb].head
    head = {k: data[k] for k in members if data.get(k) is not None}
    if refs:
        head["refs"] = refs
    return head, {k: v for k, v in data.items() if k not in members}


def join(verb: str, head: Mapping[str, Any] | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """(head, body) → canonical data; `refs` is the envelope's, not the data's.

    Raises ValueError when the body repeats a member of the head.
    """
    clear = {k: v for k, v in (head or {}).items() if k != "refs" and v is not None}
    if again := clear.keys() & body.keys():
        raise ValueError(f"members stand both in head and in body: {', '.join(sorted(again))}")
    return {**clear, **body}


def refs_in(body: Any) -> Iterator[str]:
    """Every `ref` in a body, in order: the name is kept in every dialect."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            if name == "ref" and isinstance(value, str) and _REF.fullmatch(value):
                yield value
            else:
                yield from refs_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from refs_in(value)
