"""Parses what a court system signs beside the opening of a request: a verb, an approval, an act about a group or a
case.

The same form as a submission (docs/adr/0007): the type names the matter and the act, the body names what it is about.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from gateway.application.context import Context, new_id
from gateway.application.posts import Handed
from gateway.core.records import Submission
from lianzhi.crypto.sdjwt import SUBMISSION_TYP
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.protocol import policy
from lianzhi.protocol.base import Model
from lianzhi.protocol.envelope import CONTENT_TYPE, SubmissionEnvelope
from schemas.validation import InvalidError, validate

JSON = "application/json"
M = TypeVar("M", bound=Model)


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
