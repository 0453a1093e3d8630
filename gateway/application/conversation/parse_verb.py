"""Parses a verb in an existing request, plain or signed, into one `Said` (docs/contracts.md 3.3).

Which verbs must be signed. Coercion begins with `open`, and ends with an `open` of the ending type: both signed when
they are coercive. Of the verbs that follow, `supplement` alone changes what the partner is asked to do, so in a
request that was opened signed it must be signed too. `withdraw`, `confirm`, `reopen` and the rest ask for less, or
for the same again: plain JSON does, under the client's token and with the registered person who says it. Any verb
may be signed, and then its signature is proof: the act is stored as it came, and its hash travels in
`submissionhash`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from gateway.application.context import Context
from gateway.application.conversation.parse_signed import JSON, hear, read_as
from gateway.application.conversation.send_verb import Said
from gateway.application.posts import Handed
from gateway.core.records import Request
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.protocol.base import Model, label
from lianzhi.protocol.envelope import MessageId, RequestNo, SubmissionEnvelope, is_request_no
from lianzhi.protocol.verbs import StaffNo

SIGNED_WHEN_OPENED_SIGNED = frozenset({"supplement"})


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
