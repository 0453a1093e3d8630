"""Messages whose `time` has not come, and what the partners' clocks show: `application.ports` says what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, bindparam, delete, func, select

from gateway.core.records import EarlyMessage
from gateway.store import bulk
from gateway.store.columns import Instant, among
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import EARLY, PARTNER_CLOCK
from gateway.store.tables import early_messages, partner_clocks

_e, _c = early_messages.c, partner_clocks.c

EARLY_DUE = Query(
    select(*EARLY.columns)
    .where(_e.time <= bindparam("until", type_=Instant()))
    .order_by(_e.time)
    .limit(bindparam("limit", type_=Integer()))
)
EARLY_TOTALS = Query(select(func.count(), func.coalesce(func.sum(_e.size), 0)).where(_e.owner == bindparam("whose")))
EARLY_COUNT = Query(select(func.count()).where(_e.owner == bindparam("whose"), _e.request_no == bindparam("number")))
IS_EARLY = Query(select(_e.id).where(_e.owner == bindparam("whose"), _e.body_sha256 == bindparam("digest")))
TAKE_EARLY = Query(delete(early_messages).where(among(_e.id, "ids")).returning(_e.id))
PARTNER_CLOCKS = Query(select(*PARTNER_CLOCK.columns).order_by(_c.participant))
INSERT_EARLY = bulk.insert(early_messages, EARLY.written, "ON CONFLICT (owner, body_sha256) DO NOTHING")
PUT_PARTNER_CLOCKS = bulk.insert(
    partner_clocks,
    PARTNER_CLOCK.written,
    "ON CONFLICT (participant) DO UPDATE SET offset_ms = excluded.offset_ms, at = excluded.at",
)

new_early = EARLY.writer(EARLY.written)
partner_clock = PARTNER_CLOCK.writer(PARTNER_CLOCK.written)


async def due(connection: Connection, until: datetime, limit: int) -> list[EarlyMessage]:
    rows = await connection.fetch(EARLY_DUE, until=until, limit=limit)
    return sorted(map(EARLY.read, rows), key=lambda message: message.id or 0)


async def take(connection: Connection, ids: Sequence[int]) -> set[int]:
    return {row[0] for row in await connection.fetch(TAKE_EARLY, ids=ids)} if ids else set()
