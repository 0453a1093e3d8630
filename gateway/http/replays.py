"""A partner's JWT allows one write: its `jti` is remembered, for all processes, until the token has expired anyhow (and
a while longer, for a clock that is put back).
"""

from __future__ import annotations

import re
from datetime import datetime

from gateway.application.context import Context
from gateway.http.caller import LIFETIME, Caller
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

READING = frozenset({"GET", "HEAD"})
_JTI = re.compile(r"[\x21-\x7e]{8,128}")


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
            raise _too_many(most)
        if not first:
            raise _unauthorized(
                "jti-reused",
                "该 JWT 已用过，请为每次写入生成新的 jti",
                "The JWT was used before; make one with a new jti for each call that writes",
            )


def _unauthorized(rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("unauthorized", [FieldError(pointer="/Authorization/jti", rule=rule, detail=zh, detail_en=en)])


def _too_many(most: int) -> RejectedError:
    detail = FieldError(
        pointer="/Authorization/jti",
        rule="tokens-remembered",
        detail=f"五分钟内的写入不得超过 {most} 次",
        detail_en=f"At most {most} calls that write within five minutes",
    )
    return RejectedError("too-many-requests", [detail], retry_after=60)
