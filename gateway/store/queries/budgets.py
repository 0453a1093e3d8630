"""What is counted against a caller, and numbers that are given out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, text

from gateway.core.records import SubjectUse
from gateway.store.engine.columns import Instant, among, micros
from gateway.store.engine.connection import Unit
from gateway.store.engine.statements import Query
from gateway.store.tables import SUBJECT_USE, tokens_used

_s, _t = SUBJECT_USE.c, tokens_used.c

TAKE_NUMBERS = Query(
    text(
        "INSERT INTO number_blocks (opener, day, next) VALUES (:opener, :day, :size + 1) "
        "ON CONFLICT (opener, day) DO UPDATE SET next = number_blocks.next + :size RETURNING next"
    )
)

# Counts up to the limit and no further; whoever comes second waits for the first one's commit.
TAKE_USE = Query(
    text(
        "INSERT INTO daily_uses (participant, who, day, what, used) VALUES (:participant, :who, :day, :what, 1) "
        "ON CONFLICT (participant, who, day, what) DO UPDATE SET used = daily_uses.used + 1 "
        "WHERE daily_uses.used < :most RETURNING used"
    )
)
USES_OF = Query(
    select(*SUBJECT_USE.columns)
    .where(among(_s.subject_key, "subjects"), _s.at > bindparam("since", type_=Instant()))
    .order_by(_s.at, _s.request_no)
)
FORGET_TOKENS = Query(delete(tokens_used).where(_t.expires_at <= bindparam("now", type_=Instant())))
TOKENS_OF = Query(select(func.count()).where(_t.participant == bindparam("whose")))
USE_TOKEN = Query(
    text(
        "INSERT INTO tokens_used (participant, jti, expires_at) VALUES (:whose, :jti, :until) "
        "ON CONFLICT (participant, jti) DO NOTHING RETURNING jti"
    )
)


class BudgetUnit(Unit):
    """`application.ports.budgets.BudgetUnit`."""

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        following: int = await self._scalar(TAKE_NUMBERS, opener=opener, day=day, size=size)
        return following - size

    async def take_use(self, participant: str, who: str, day: str, what: str, most: int) -> bool:
        used = await self._scalar(TAKE_USE, participant=participant, who=who, day=day, what=what, most=most)
        return used is not None and used <= most

    async def subject_uses(self, keys: Sequence[str], since: datetime) -> list[SubjectUse]:
        return await self._all(SUBJECT_USE, USES_OF, subjects=keys, since=since) if keys else []

    async def use_token(self, participant: str, jti: str, now: datetime, until: datetime, most: int) -> bool | None:
        await self._rows(FORGET_TOKENS, now=now)
        if await self._scalar(TOKENS_OF, whose=participant) >= most:
            return None
        return await self._scalar(USE_TOKEN, whose=participant, jti=jti, until=micros(until)) is not None
