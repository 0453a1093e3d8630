"""Who calls, and whether the call is let in: credentials, single-use tokens, budgets in flight, backpressure.

Who calls: a court system by its token, or a partner by a short JWT that it signs itself (docs/contracts.md 3.3). A
token is `lz_<client>_<43 characters>`; we keep its SHA-256 and compare in constant time. A partner's JWT has exactly
the header members alg, kid and typ (`JWT`), so that no message is ever taken for one; `iss` and `sub` are the
participant, `aud` is the home court, and it lives five minutes at most. A partner may read what is its own. A token
with a `jti` of its own writes, and only once (`Replays`).

Whether it is let in: a credential has only so many requests, long polls and uploads in flight (`Budgets`, `[limits]`);
above so many unsent messages no submission is taken (`Backlog`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal

from gateway.application.context import Context
from gateway.core.routing import Client, Participant
from lianzhi.crypto import jws
from lianzhi.crypto.keys import CODE
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

_TOKEN = re.compile(r"lz_([a-z0-9][a-z0-9-]{0,40})_[A-Za-z0-9_-]{43}")
READING = frozenset({"GET", "HEAD"})
_JTI = re.compile(r"[\x21-\x7e]{8,128}")
_CODE = re.compile(CODE)
_NOBODY = hashlib.sha256(b"no such client").hexdigest()
Kind = Literal["requests_in_flight", "polls_in_flight", "uploads_in_flight"]
RETRY_SECONDS: dict[Kind, int] = {"requests_in_flight": 1, "polls_in_flight": 5, "uploads_in_flight": 5}
WORDS: dict[Kind, tuple[str, str]] = {
    "requests_in_flight": ("在办请求", "requests"),
    "polls_in_flight": ("长轮询", "long polls"),
    "uploads_in_flight": ("上传", "uploads"),
}
LOOK_SECONDS = 1.0
BACKLOG_RETRY_SECONDS = 30
PARTNER_SCOPES = frozenset({"read", "documents"})
"""A partner speaks over its queues; here it reads its own requests and hands in the evidence that its answers name."""
LIFETIME = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
LONGEST_JWT = 4096


@dataclass(frozen=True, slots=True)
class PartnerToken:
    """What else a partner's JWT says. jti: None where there is none, or none that is text."""

    jti: str | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """client: None for a partner; token: of a partner alone. name: what the logs call it."""

    participant: Participant
    client: Client | None
    scopes: frozenset[str]
    token: PartnerToken | None = None

    @property
    def name(self) -> str:
        return self.client.id if self.client else self.participant.code

    def require(self, scope: str) -> None:
        """Raises RejectedError forbidden."""
        if scope not in self.scopes:
            detail = FieldError(
                pointer="/Authorization",
                rule=f"scope-{scope}",
                detail=f"凭证没有 {scope} 权限",
                detail_en=f"The credential lacks the scope {scope}",
            )
            raise RejectedError("forbidden", [detail])


class Credentials:
    """Of the participants as they are now: a token that was revoked is unknown with the next call."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    def caller(self, authorization: str | None, now: datetime) -> Caller:
        """Raises RejectedError unauthorized."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise RejectedError("unauthorized", pointer="/Authorization")
        if found := _TOKEN.fullmatch(credential):
            return self._client(found[1], credential)
        return self._partner(credential, now)

    def _client(self, name: str, token: str) -> Caller:
        participant, client = self._ctx.directory.client(name) or (None, None)
        expected = client.token_sha256 if client else _NOBODY
        right = hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), expected.lower())
        if not right or participant is None or client is None or client.revoked or not participant.enabled:
            raise RejectedError("unauthorized", pointer="/Authorization")
        return Caller(participant, client, client.scopes)

    def _partner(self, token: str, now: datetime) -> Caller:
        try:
            participant, claims = self._proved(token, now)
        except RejectedError as error:
            detail = FieldError(
                pointer="/Authorization", rule=error.code, detail=error.reason.zh, detail_en=error.reason.en
            )
            raise RejectedError("unauthorized", [detail]) from error
        return Caller(participant, None, PARTNER_SCOPES, claims)

    def _proved(self, token: str, now: datetime) -> tuple[Participant, PartnerToken]:
        if len(token) > LONGEST_JWT or not token.isascii():
            raise RejectedError("too-large")
        message = jws.split(token, self._ctx.limits)
        header = message.header
        kid = header.get("kid")
        if header.keys() != {"alg", "kid", "typ"} or not isinstance(kid, str):
            raise RejectedError("bad-header")
        if header["typ"] != "JWT":
            raise RejectedError("bad-typ")
        code = kid.partition(".")[0]
        participant = self._ctx.directory.get(code) if _CODE.fullmatch(code) else None
        if participant is None or not participant.enabled or participant.local:
            raise RejectedError("unknown-kid")
        key = self._ctx.keyring.verification_key(code, kid, "sig")
        jws.verify(message, key)
        if not key.valid_at(now):
            raise RejectedError("key-not-valid-at-time")
        if key.revoked_by(now):
            raise RejectedError("key-revoked")
        return participant, self._claims(loads(message.payload, depth=self._ctx.limits.json_depth), code, now)

    def _claims(self, claims: Any, code: str, now: datetime) -> PartnerToken:
        if not isinstance(claims, dict) or claims.get("iss") != code or claims.get("sub") != code:
            raise RejectedError("sender-mismatch")
        audience = claims.get("aud")
        if self._ctx.home.code not in (audience if isinstance(audience, list) else [audience]):
            raise RejectedError("wrong-receiver")
        expires = claims.get("exp")
        if not isinstance(expires, int) or isinstance(expires, bool):
            raise RejectedError("bad-envelope")
        left = expires - now.timestamp()
        if left <= 0:
            raise RejectedError("expired")
        if left > (LIFETIME + LEEWAY).total_seconds():
            raise RejectedError("clock-ahead")
        jti = claims.get("jti")
        return PartnerToken(jti if isinstance(jti, str) else None, datetime.fromtimestamp(expires, UTC))


# --- a partner's JWT allows one write: its `jti` is remembered, for all processes, until the token has expired anyhow
# (and a while longer, for a clock that is put back)


class Replays:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def once(self, caller: Caller, method: str, now: datetime) -> None:
        """Of a partner's call that writes. A court system's POST has its idempotency key instead.

        Raises RejectedError: unauthorized (no `jti`, or one that was used), too-many-requests.
        """
        token = caller.token
        if token is None or method in READING:
            return
        if token.jti is None or not _JTI.fullmatch(token.jti):
            raise _unauthorized(
                "jti-required",
                "写入类调用的 JWT 须有 jti：8 至 128 个可打印字符，每次新生成",
                "The JWT of a call that writes has a jti: 8 to 128 printable characters, new for each call",
            )
        code, most = caller.participant.code, self._ctx.bounds.tokens_remembered
        async with self._ctx.store.begin() as tx:
            first = await tx.use_token(code, token.jti, now, token.expires + LIFETIME, most)
        if first is None:
            self._ctx.reached.count("tokens_remembered", code)
            raise _too_many_writes(most)
        if not first:
            raise _unauthorized(
                "jti-reused",
                "该 JWT 已用过，请为每次写入生成新的 jti",
                "The JWT was used before; make one with a new jti for each call that writes",
            )


def _unauthorized(rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("unauthorized", [FieldError(pointer="/Authorization/jti", rule=rule, detail=zh, detail_en=en)])


def _too_many_writes(most: int) -> RejectedError:
    detail = FieldError(
        pointer="/Authorization/jti",
        rule="tokens-remembered",
        detail=f"五分钟内的写入不得超过 {most} 次",
        detail_en=f"At most {most} calls that write within five minutes",
    )
    return RejectedError("too-many-requests", [detail], retry_after=60)


# --- what one credential may have in flight at once
#
# A credential is a client of a court, or a partner by its JWT; another credential never feels what one has open.


class Budgets:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self.taken: Counter[tuple[Kind, str, str]] = Counter()
        """(kind, participant, client) → how many now."""

    def take(self, kind: Kind, caller: Caller) -> InFlight:
        """One more until the block is left. Raises RejectedError too-many-requests."""
        code = caller.participant.code
        key = (kind, code, caller.client.id if caller.client else "")
        most: int = getattr(self._ctx.bounds, kind)
        if self.taken[key] >= most:
            self._ctx.reached.count(kind, code)
            raise _too_many(kind, most)
        self.taken[key] += 1
        return InFlight(self.taken, key)


class InFlight:
    """One place that is taken."""

    __slots__ = ("_key", "_taken")

    def __init__(self, taken: Counter[tuple[Kind, str, str]], key: tuple[Kind, str, str]) -> None:
        self._taken = taken
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = self._taken[self._key] - 1
        if left:
            self._taken[self._key] = left
        else:
            del self._taken[self._key]


def _too_many(kind: Kind, most: int) -> RejectedError:
    zh, en = WORDS[kind]
    detail = FieldError(
        pointer="/Authorization",
        rule=kind.replace("_", "-"),
        detail=f"同一凭证同时最多 {most} 个{zh}，请等前面的结束后再发",
        detail_en=f"One credential has at most {most} {en} in flight; wait until one of them has ended",
    )
    return RejectedError("too-many-requests", [detail], retry_after=RETRY_SECONDS[kind])


# --- backpressure: above so many unsent messages, submissions are answered 503 before anything of them is read


class Backlog:
    """Counts at most once a second, however many submissions come; meanwhile the last count holds."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._count = 0
        self._looked = float("-inf")

    async def check(self) -> None:
        """Raises RejectedError unavailable with `retry_after`, StoreUnavailableError."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            before, self._looked = self._looked, now
            try:
                self._count = await self._ctx.store.backlog()
            except BaseException:
                self._looked = before
                raise
        if self._count >= self._ctx.settings.backlog_limit:
            raise RejectedError("unavailable", retry_after=BACKLOG_RETRY_SECONDS)
