"""Who calls: a court system by its token, or a partner by a short JWT that it signs itself (docs/contracts.md 3.3).

A token is `lz_<client>_<43 characters>`; we keep its SHA-256 and compare in constant time. A partner's JWT has
exactly the header members alg, kid and typ (`JWT`), so that no message is ever taken for one; `iss` and `sub` are the
participant, `aud` is the home court, and it lives five minutes at most. A partner may read what is its own. A token
with a `jti` of its own writes, and only once (`gateway.http.replays`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.core.routing import Client, Participant
from lianzhi.crypto import jws
from lianzhi.crypto.keys import CODE
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.problem import FieldError

_TOKEN = re.compile(r"lz_([a-z0-9][a-z0-9-]{0,40})_[A-Za-z0-9_-]{43}")
_CODE = re.compile(CODE)
_NOBODY = hashlib.sha256(b"no such client").hexdigest()
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
    """Raises MisuseError when two participants have a client of one name: idempotency keys are the client's."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._owners: dict[str, str] = {}  # client → participant; what both may do now is asked of the directory
        for participant in context.directory:
            for client in participant.clients if participant.local else ():
                if client.id in self._owners:
                    raise MisuseError(f"client {client.id} is registered twice")
                self._owners[client.id] = participant.code

    def caller(self, authorization: str | None, now: datetime) -> Caller:
        """Raises RejectedError unauthorized."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise RejectedError("unauthorized", pointer="/Authorization")
        if found := _TOKEN.fullmatch(credential):
            return self._client(found[1], credential)
        return self._partner(credential, now)

    def _client(self, name: str, token: str) -> Caller:
        participant = self._ctx.directory.get(self._owners.get(name, ""))
        client = next((c for c in participant.clients if c.id == name), None) if participant is not None else None
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
