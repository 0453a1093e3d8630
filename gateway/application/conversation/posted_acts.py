"""Reads what a party posts beside the opening of a request: a verb, an approval, an act about a group or a case.

An act has the form of a submission (docs/adr/0007): its type names the matter and the act, its body what it is about.
A verb in an existing request becomes one `Said` (docs/contracts.md 3.3), plain or signed.

Which verbs must be signed. Coercion begins with `open`, and ends with an `open` of the ending type: both signed when
they are coercive. Of the verbs that follow, `supplement` alone changes what the partner is asked to do, so in a
request that was opened signed it must be signed too. `withdraw`, `confirm`, `reopen` and the rest ask for less, or
for the same again: plain JSON does, under the client's token and with the registered person who says it. Any verb
may be signed, and then its signature is proof: the act is stored as it came, and its hash travels in
`submissionhash`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import StringConstraints

from gateway.application.context import Context, new_id
from gateway.application.posts import Handed
from gateway.core.records import Request, Submission
from gateway.core.routing import Participant
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from lianzhi.protocol.base import Model, label
from lianzhi.protocol.envelope import CONTENT_TYPE, MessageId, RequestNo, SubmissionEnvelope, is_request_no
from lianzhi.protocol.tracing import TraceContext
from lianzhi.protocol.verbs import StaffNo
from schemas.validation import InvalidError, validate

JSON = "application/json"
SIGNED_WHEN_OPENED_SIGNED = frozenset({"supplement"})
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Said:
    """What one POST to `/v1/requests/{no}/messages` says, or what stands for one.

    sealed, message_id: a location result that its author sealed.
    act: what the court system signed, where it did; stored as it came, its digest travels as `submissionhash`.
    trace: of the POST, where calls are traced.
    """

    participant: Participant
    request_no: str
    verb: str
    by: str | None
    data: Mapping[str, Any]
    sealed: str | None = None
    message_id: str | None = None
    act: Submission | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said: its content, and the bytes to keep. envelope: None when it came as plain JSON."""

    content: Any
    kept: Submission
    envelope: SubmissionEnvelope | None

    @property
    def act(self) -> Submission | None:
        """The proof that it is, when it was signed."""
        return self.kept if self.envelope is not None else None


def hear(context: Context, handed: Handed, about: str, now: datetime) -> Heard:
    """about: number of the request, group or case number under which the bytes are kept.

    Raises RejectedError: what the form, the signature or the envelope refuse.
    """
    kept = Submission(
        sender=handed.participant.code,
        id=new_id(),
        digest=hashlib.sha256(handed.body).hexdigest(),
        content_type=handed.content_type,
        body=handed.body,
        client=handed.client.id,
        request_no=about,
        at=now,
    )
    if handed.content_type == JSON:
        return Heard(loads(handed.body, depth=context.limits.json_depth), kept, None)
    if handed.content_type != CONTENT_TYPE:
        raise RejectedError("bad-content-type", pointer="/Content-Type")
    authentic = policy.authenticate(
        handed.body,
        sender=handed.participant.code,
        keyring=context.keyring,
        now=now,
        limits=context.limits,
        purpose="sub",
        typ=SUBMISSION_TYP,
    )
    envelope = policy.examine_submission(authentic, gateway=context.home.code)
    if authentic.parsed.content_kind != "body":
        raise RejectedError("must-not-be-sealed", pointer="/data/_sd")
    if handed.client.signs_with is not None and authentic.key.kid != handed.client.signs_with:
        raise RejectedError("foreign-key", pointer="/kid")
    kept.id, kept.digest = envelope.id, authentic.parsed.digest
    return Heard(authentic.parsed.content, kept, envelope)


def read_as(model: type[M], content: Any) -> M:
    """Raises RejectedError invalid-field."""
    try:
        return validate(model, content)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error


class Act(Model):
    """A verb said in a request. request_no: required in a signed act, where it binds the signature to the request."""

    request_no: Annotated[RequestNo | None, label("请求编号", "The request; required when signed")] = None
    verb: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$"), label("动作", "What is said")]
    by: Annotated[StaffNo | None, label("经办人", "Staff number of the person who says it")] = None
    data: Annotated[dict[str, Any], label("内容", "Canonical data of the verb")] = {}
    sealed: Annotated[
        str | None,
        StringConstraints(max_length=1 << 20),
        label("密封内容", "Compact JWE of a location result, made by its author; `data` then holds its codes only"),
    ] = None
    message_id: Annotated[MessageId | None, label("报文编号", "The id inside `sealed`")] = None


class Hearer:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def hear(self, handed: Handed, number: str) -> Said:
        """number: of the request in the address. Raises RejectedError with the field, the rule and the fix."""
        now, participant = self._ctx.clock.now(), handed.participant
        request = await self._ctx.store.request(number) if is_request_no(number) else None
        if request is None or participant.code not in (request.asker, request.asked):
            raise RejectedError("unknown-request", pointer="/request_no")
        heard = hear(self._ctx, handed, number, now)
        act = read_as(Act, heard.content)
        if heard.envelope is None:
            await self._may_be_plain(participant, request, act)
        else:
            _belongs(heard.envelope, act, request, participant)
        if act.request_no not in (None, number):
            raise RejectedError("misdirected", pointer="/request_no")
        if (act.sealed is None) != (act.message_id is None):
            raise RejectedError("invalid-field", pointer="/message_id")
        return Said(
            participant=participant,
            request_no=number,
            verb=act.verb,
            by=act.by,
            data=act.data,
            sealed=act.sealed,
            message_id=act.message_id,
            act=heard.act,
            trace=handed.trace,
        )

    async def _may_be_plain(self, participant: Participant, request: Request, act: Act) -> None:
        if act.verb not in SIGNED_WHEN_OPENED_SIGNED or participant.code != request.asker:
            return
        opened = await self._ctx.store.submission_of(request.request_no)
        if opened is not None and opened.content_type != JSON:
            raise RejectedError("signature-required", pointer="/verb")


def _belongs(envelope: SubmissionEnvelope, act: Act, request: Request, participant: Participant) -> None:
    if envelope.matter_type != request.type or envelope.verb != act.verb:
        raise RejectedError("misdirected", pointer="/type")
    if envelope.receiver != request.other(participant.code):
        raise RejectedError("misdirected", pointer="/receiver")
    if act.request_no is None:
        raise RejectedError("misdirected", pointer="/request_no")
