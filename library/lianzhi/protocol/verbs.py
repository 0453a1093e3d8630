"""The verbs of a conversation: who may send each, what it carries, and which message it answers.

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

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import MessageId, Outcome, Ref, WithdrawEffect
from lianzhi.protocol.times import AnyMoment, ComingMoment, PastMoment
from lianzhi.protocol.values import Document, Line, Name, Prose

StaffNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{3,40}$")]

RefusalCode = Vocabulary[
    Annotated[Literal["doc-missing"], "文书不全"]
    | Annotated[Literal["doc-invalid-seal"], "印章无效"]
    | Annotated[Literal["identity-mismatch"], "身份不符"]
    | Annotated[Literal["homonym"], "同名"]
    | Annotated[Literal["not-in-jurisdiction"], "不属管辖"]
    | Annotated[Literal["object-not-found"], "查无对象"]
    | Annotated[Literal["already-released"], "已解除"]
    | Annotated[Literal["third-party-asset"], "案外人财产"]
    | Annotated[Literal["exceeds-legal-basis"], "超出依据"]
    | Annotated[Literal["duplicate-request"], "重复请求"]
    | Annotated[Literal["wrong-case"], "案件有误"]
    | Annotated[Literal["technical"], "技术原因"]
]
ObjectionDecision = Vocabulary[
    Annotated[Literal["upheld"], "成立"]
    | Annotated[Literal["dismissed"], "不成立"]
    | Annotated[Literal["partly-upheld"], "部分成立"]
]
WithdrawReason = Vocabulary[
    Annotated[Literal["paid"], "已履行"]
    | Annotated[Literal["settled"], "和解"]
    | Annotated[Literal["ended"], "终结执行"]
    | Annotated[Literal["revoked"], "撤销"]
    | Annotated[Literal["wrong"], "请求有误"]
    | Annotated[Literal["duplicate"], "重复请求"]
    | Annotated[Literal["other"], "其他"]
]
ReopenReason = Vocabulary[
    Annotated[Literal["incomplete"], "内容不全"]
    | Annotated[Literal["wrong-object"], "对象不符"]
    | Annotated[Literal["invalid-body"], "内容不合规则"]
    | Annotated[Literal["other"], "其他"]
]


class Delivered(Model):
    stored_at: Annotated[PastMoment, label("入库时间", "When the receiving system stored it")]
    system: Annotated[Line, label("系统名称", "Name of the receiving system")]


class Receipt(Model):
    received_at: Annotated[PastMoment, label("签收时间", "When it was received")]
    person: Annotated[Name, label("签收人", "Who signs for it")]
    badge: Annotated[Line | None, label("警号或工号", "Badge or staff number")] = None
    unit: Annotated[Line | None, label("签收单位", "Unit of who signs for it")] = None
    unit_code: Annotated[Line | None, label("签收单位代码", "Code of that unit")] = None


class Accept(Model):
    handler: Annotated[Line, label("经办人", "Who handles it at the one asked")]
    promised_at: Annotated[ComingMoment | None, label("预计办结时间", "When it is expected to be done")] = None


class Missing(Model):
    document: Annotated[Line | None, label("所缺文书", "Kind of document that is missing")] = None
    field: Annotated[Line | None, label("所缺字段", "Member that is missing or wrong")] = None
    why: Annotated[Prose, label("原因", "Why it is needed")]


class SupplementRequest(Model):
    missing: Annotated[list[Missing], label("需补正", "What is missing", min_length=1, max_length=50)]
    reply_by: Annotated[ComingMoment, label("补正期限", "To be supplied by")]


class FieldValue(Model):
    field: Annotated[Line, label("字段", "Member")]
    value: Annotated[Prose, label("补正内容", "Its value")]


class Supplement(Model):
    documents: Annotated[list[Document], label("补正文书", "Documents supplied", max_length=50)] = []
    fields: Annotated[list[FieldValue], label("补正字段", "Members supplied", max_length=50)] = []


class Refuse(Model):
    reason_code: Annotated[RefusalCode, label("拒绝原因", "Reason of the refusal")]
    explanation: Annotated[Prose, label("说明", "Explanation")]
    legal_ref: Annotated[Line | None, label("法律依据", "Legal basis of the refusal")] = None


class Contact(Model):
    at: Annotated[PastMoment, label("联系时间", "When the court was contacted")]
    person: Annotated[Name, label("联系人", "Who was spoken to")]
    note: Annotated[Prose, label("联系内容", "What was said")]


class Return(Model):
    """Returning without having contacted the asking court is not allowed (docs/domain.md 2.2)."""

    reason_code: Annotated[RefusalCode, label("退回原因", "Reason of the return")]
    explanation: Annotated[Prose | None, label("说明", "Explanation")] = None
    contact_log: Annotated[
        list[Contact], label("联系记录", "Contacts with the asking court", min_length=1, max_length=50)
    ]


class Objection(Model):
    grounds: Annotated[Prose, label("异议理由", "Grounds of the objection")]
    documents: Annotated[list[Document], label("文书", "Documents", max_length=50)] = []


class ObjectionAnswer(Model):
    decision: Annotated[ObjectionDecision, label("审查结论", "Decision on the objection")]
    reasons: Annotated[Prose, label("理由", "Reasons")]
    by: Annotated[StaffNo, label("答复人", "Staff number of who answers")]


class Progress(Model):
    stage: Annotated[Line, label("办理阶段", "Stage that was reached")]
    note: Annotated[Prose | None, label("说明", "Note")] = None


class Withdraw(Model):
    reason_code: Annotated[WithdrawReason, label("撤回原因", "Reason of the withdrawal")]
    reason: Annotated[Prose | None, label("说明", "Explanation")] = None
    by: Annotated[StaffNo | None, label("撤回人", "Staff number of who withdraws it")] = None


class WithdrawAck(Model):
    effect: Annotated[WithdrawEffect, label("撤回效果", "Effect of the withdrawal")]
    note: Annotated[Prose | None, label("说明", "Note")] = None


class Urge(Model):
    level: Annotated[Annotated[int, Field(ge=1, le=9)], label("催办次数", "How many times it has been urged")]
    reply_by: Annotated[ComingMoment | None, label("答复期限", "Answer due by")] = None
    note: Annotated[Prose | None, label("说明", "Note")] = None


class Confirm(Model):
    by: Annotated[StaffNo, label("确认人", "Staff number of who confirms")]
    why: Annotated[Prose | None, label("说明", "Note")] = None


class Reopen(Model):
    by: Annotated[StaffNo, label("退回人", "Staff number of who reopens it")]
    why: Annotated[Prose, label("退回理由", "Why the result is not accepted")]
    reason_code: Annotated[ReopenReason, label("退回原因", "Reason, a code")] = "other"


class Evaluate(Model):
    score: Annotated[int, label("评分", "Score, 1 to 5", ge=1, le=5)]
    text: Annotated[Prose | None, label("评语", "Comment")] = None


class Complain(Model):
    text: Annotated[Prose, label("投诉内容", "Complaint")]


class Acknowledge(Model):
    by: Annotated[StaffNo, label("确认人", "Staff number of who acknowledges the alert")]
    at: Annotated[PastMoment, label("确认时间", "When it was acknowledged")]


class SendTeam(Model):
    by: Annotated[StaffNo, label("派警人", "Staff number of who sends the team")]
    at: Annotated[PastMoment, label("派警时间", "When the team was sent")]
    team: Annotated[Line, label("出警队伍", "Team")]
    eta: Annotated[AnyMoment | None, label("预计到达", "Expected time of arrival")] = None


class IdentityCheck(Model):
    """What was compared before a car is seized or a person taken over; which, the alert's type says (`checks`)."""

    by: Annotated[StaffNo, label("核验人", "Staff number of who checks")]
    at: Annotated[PastMoment, label("核验时间", "When it was checked")]
    plate_ok: Annotated[bool | None, label("号牌相符", "The plate agrees")] = None
    vin_ok: Annotated[bool | None, label("车架号相符", "The VIN agrees")] = None
    id_ok: Annotated[bool | None, label("证件相符", "The identity document agrees")] = None
    photo_ok: Annotated[bool, label("照片相符", "The photograph agrees")]


class Handover(Model):
    by: Annotated[StaffNo, label("登记人", "Staff number of who records the handover")]
    at: Annotated[PastMoment, label("移交时间", "When it was handed over")]
    place: Annotated[Line, label("移交地点", "Place of the handover")]
    handed_by: Annotated[Name, label("移交人", "Who hands over")]
    received_by: Annotated[Name, label("接收人", "Who takes over")]


class FalseHit(Model):
    by: Annotated[StaffNo, label("认定人", "Staff number of who finds that the hit is false")]
    at: Annotated[PastMoment, label("认定时间", "When it was found")]
    why: Annotated[Prose, label("误报原因", "Why it is a false hit")]


class Read(Model):
    by: Annotated[Line, label("阅看人", "Who has read it")]
    at: Annotated[PastMoment, label("阅看时间", "When it was read")]


class ResultBase(Model):
    """What every result says whatever its type; the type adds `items`."""

    outcome: Annotated[Outcome, label("办理结果", "Outcome")]
    as_of: Annotated[PastMoment, label("截至时间", "Time as of which it holds")]
    ttl_hours: Annotated[
        Annotated[int, Field(ge=1, le=72)] | None,
        label("保存时限（小时）", "Hours for which it may be kept, at most 72"),
    ] = None
    reasons: Annotated[list[Prose], label("原因", "Reasons", max_length=50)] = []
    evidence: Annotated[list[Document], label("证明材料", "Evidence", max_length=50)] = []


class CorrectMixin(Model):
    supersedes: Annotated[MessageId, label("被更正报文", "Message id of the result that it replaces")]
    reason: Annotated[Prose, label("更正原因", "Reason of the correction")]


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
