"""After a restore a POST under an unknown key may be a retry: a person decides before it is done (docs/adr/0030).

What was signed is recognised by what partners hold of it: our message of the lost hour, which they give back, names the
submission by its digest. Then nobody has to decide: it was done before, under that number (docs/adr/0041).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.idempotency import named_id
from gateway.core.recovery.doubts import Doubt, is_new
from lianzhi.crypto import base64url
from lianzhi.crypto.keys import CODE
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import digest_of, parse
from lianzhi.crypto.strictjson import bound_depth, loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE, parse_timestamp
from schemas.values.identifiers import case_number

RETRY_SECONDS = 300
RECEIVERS_NAMED, CASE_LENGTH = 20, 100
_CODE = re.compile(CODE)
_TYPE = re.compile(r"(?:lianzhi\.)?([a-z][a-z0-9-]{0,30}(?:\.[a-z][a-z0-9-]{0,40}){1,4})")
_VERB = re.compile(r"[a-z][a-z-]{0,40}")


class Doubts:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def judge(
        self, make: Callable[[datetime], Doubt], *, content_type: str, body: bytes, said: str | None
    ) -> None:
        """Before anything else is done with a POST. make: the row to keep of it. said: `Lianzhi-Incarnation`.

        Raises RejectedError in-doubt, done-before, unavailable (no room to keep it); StoreUnavailableError."""
        ctx, age = self._ctx, self._ctx.identity.ages[-1]
        if age.began_at is None:
            return
        now, signed = ctx.clock.now(), content_type == CONTENT_TYPE
        signed_at = signed_time(body, ctx.limits.json_depth) if signed else None
        term = timedelta(days=ctx.bounds.doubt_days)
        if is_new(age, now=now, term=term, said=said, signed_at=signed_at):
            return
        doubt = make(now)
        if await self._known(doubt, content_type, body) or await ctx.store.doubts_ended(age.incarnation):
            return
        kept = await ctx.store.doubt(doubt.client, doubt.key)
        if kept is not None and kept.fingerprint != doubt.fingerprint:
            raise RejectedError("idempotency-key-reused", pointer="/Idempotency-Key")
        if kept is not None and kept.state == "accepted":
            return
        doubt = replace(kept or doubt, submissionhash=submission_hash(body) if signed else None)
        await self._recognise(doubt)
        if kept is None:
            await self._keep(about(doubt, content_type, body, ctx.limits))
        elif kept.state == "refused":
            raise done_before([kept.request_no] if kept.request_no else [])
        raise RejectedError("in-doubt", pointer="/Idempotency-Key")

    async def _known(self, doubt: Doubt, content_type: str, body: bytes) -> bool:
        """Whether it has been answered in this store: under its key, or, taken up again, by the very same bytes."""
        named = named_id(content_type, body, self._ctx.limits)
        signed = [] if named is None else [(doubt.participant, named)]
        remembered, stored = await self._ctx.store.remembered([(doubt.client, doubt.key)], signed)
        return bool(remembered) or any(submission.body == body for submission in stored.values())

    async def _recognise(self, doubt: Doubt) -> None:
        """Raises RejectedError done-before where a partner has shown it."""
        if doubt.submissionhash is not None and (numbers := await self._ctx.store.submitted_as(doubt.submissionhash)):
            raise done_before(numbers)

    async def _keep(self, doubt: Doubt) -> None:
        async with self._ctx.store.begin() as tx:
            room = await tx.note_doubt(doubt, self._ctx.bounds.doubts)
        if not room:
            self._ctx.reached.count("doubts", doubt.participant)
            raise RejectedError("unavailable", retry_after=RETRY_SECONDS)


def done_before(numbers: Sequence[str]) -> RejectedError:
    """numbers: what it was given, where that is known."""
    if not numbers:
        return RejectedError("done-before", pointer="/Idempotency-Key")
    told = FieldError(
        pointer="/Idempotency-Key",
        rule="done-before",
        detail=f"该件在数据库恢复之前已受理，编号 {'、'.join(numbers)}，请勿重发；查不到时请网关管理员恢复该请求",
        detail_en=f"Accepted before the database was restored, as {', '.join(numbers)}: do not send it again; where it"
        " is not found the gateway's operator takes it up",
    )
    return RejectedError("done-before", [told])


def about(doubt: Doubt, content_type: str, body: bytes, limits: Limits) -> Doubt:
    """With receiver, type, verb and case_no, as far as what was handed in says them in the form that they have: codes
    and a case number, nothing else of it. Nothing is verified, and what cannot be read says nothing."""
    try:
        if content_type != CONTENT_TYPE:
            said, named = loads(body, depth=limits.json_depth), {}
        else:
            parsed = parse(body, limits)
            said, event = parsed.content, parsed.event
            matter, _, verb = str(event.get("type")).rpartition(".")
            named = {"type": matter, "verb": verb, "receiver": event.get("receiver")}
    except RejectedError:
        return doubt
    told = {**(said if isinstance(said, dict) else {}), **named}
    matter_type = _TYPE.fullmatch(str(told.get("type")))
    verb_said = _VERB.fullmatch(str(told.get("verb") or ("open" if matter_type else "")))
    return replace(
        doubt,
        receiver=_receivers(told) or None,
        type=matter_type[1] if matter_type else None,
        verb=verb_said[0] if verb_said else None,
        case_no=_case_number(told.get("case_no")),
    )


def _receivers(told: Mapping[str, Any]) -> str:
    named = told.get("receivers")
    named = named if isinstance(named, list) else [told.get("receiver")]
    codes = [code for code in named if isinstance(code, str) and _CODE.fullmatch(code)]
    return ",".join(codes[:RECEIVERS_NAMED]) + (",…" if len(codes) > RECEIVERS_NAMED else "")


def _case_number(text: object) -> str | None:
    try:
        return case_number(text) if isinstance(text, str) and len(text) <= CASE_LENGTH else None
    except ValueError:
        return None


def submission_hash(body: bytes) -> str | None:
    """By which our messages name what was signed (docs/contracts.md 3.1 `submissionhash`)."""
    try:
        return digest_of(body.split(b"~", 1)[0].decode("ascii"))
    except ValueError:
        return None


def signed_time(body: bytes, depth: int) -> datetime | None:
    """The time that a signed submission gives itself; nothing is verified: whoever proves it says what is wrong."""
    try:
        payload = body.split(b"~", 1)[0].decode("ascii").split(".")[1]
        text = base64url.decode(payload).decode()
        bound_depth(text, depth)
        return parse_timestamp(json.loads(text)["time"])
    except (ValueError, LookupError, TypeError, RejectedError):
        return None
