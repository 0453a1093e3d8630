"""What arrives and is not applied at once: it waits for its number or its time, or was refused; partners' clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Integer,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
)

from gateway.application.ports.arrivals import NOTICE_WINDOW, NoticeRoom
from gateway.core.records import EarlyMessage, Held, PartnerClock, QuarantineRow
from gateway.core.retry import CLOCKS_APART
from gateway.store.engine.columns import Instant, among
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.queries.conversations import Keys, second
from gateway.store.tables import EARLY, HELD, PARTNER_CLOCK, PARTNER_VERSION, QUARANTINE, notices

_h, _e, _q, _n, _v = HELD.c, EARLY.c, QUARANTINE.c, notices.c, PARTNER_VERSION.c
_limit = bindparam("limit", type_=Integer())
_whose: BindParameter[str] = bindparam("whose")

_of_this = (_h.sender == bindparam("by"), _h.request_no == bindparam("number"))
_held = select(*HELD.columns).where(*_of_this)
HELD_AT = Query(_held.where(_h.seqno == bindparam("seqno")))
HELD_AFTER = Query(_held.where(_h.seqno > bindparam("seqno")).order_by(_h.seqno))
HELD_COUNT = Query(select(func.count()).where(*_of_this))
# Rows without bytes, and never more than `[limits] held_per_partner`.
HELD_TOTALS = Query(select(func.count(), func.coalesce(func.sum(_h.size), 0)).where(_h.sender == bindparam("by")))

EARLY_DUE = Query(
    select(*EARLY.columns).where(_e.time <= bindparam("until", type_=Instant())).order_by(_e.time).limit(_limit)
)
EARLY_TOTALS = Query(select(func.count(), func.coalesce(func.sum(_e.size), 0)).where(_e.owner == _whose))
EARLY_COUNT = Query(select(func.count()).where(_e.owner == _whose, _e.request_no == bindparam("number")))
IS_EARLY = Query(select(_e.id).where(_e.owner == _whose, _e.body_sha256 == bindparam("digest")))
TAKE_EARLY = Query(delete(EARLY.table).where(among(_e.id, "ids")).returning(_e.id))
PARTNER_CLOCKS = Query(select(*PARTNER_CLOCK.columns).order_by(PARTNER_CLOCK.c.participant))

_refused = select(*QUARANTINE.columns).order_by(_q.id.desc()).limit(_limit)
NEWEST_QUARANTINE = Query(_refused)
NEWEST_QUARANTINE_OF = Query(_refused.where(_q.owner == _whose))
QUARANTINE_ROW = Query(select(*QUARANTINE.columns).where(_q.id == bindparam("row")))
IN_QUARANTINE = Query(select(_q.owner, _q.body_sha256).where(among(_q.body_sha256, "digests")))


def _within(at: Column[Any]) -> tuple[ColumnElement[bool], ...]:
    """What is dated later was written by a clock that was ahead: it is not of this minute or hour."""
    return at > bindparam("since", type_=Instant()), at <= bindparam("until", type_=Instant())


_of_the_hour = (
    select(literal_column("1")).where(_q.owner == _whose, *_within(_q.at)).limit(_limit).subquery("of_the_hour")
)
QUARANTINED_SINCE = Query(select(func.count()).select_from(_of_the_hour))
RECENT_NOTICES = Query(select(func.count()).where(_n.owner == bindparam("to"), *_within(_n.at)))
INSERT_NOTICE = Query(
    text(
        "INSERT INTO notices (owner, body_sha256, at) VALUES (:owner, :sha256, :at) "
        "ON CONFLICT (body_sha256, owner) DO NOTHING RETURNING 1"
    ).bindparams(bindparam("at", type_=Instant()))
)
NOTICE_VERSION = Query(select(_v.notice_version).where(_v.participant == bindparam("code")))


class ArrivalReads(Reads):
    """`application.ports.arrivals.ArrivalReads`."""

    async def early_due(self, until: datetime, limit: int) -> list[EarlyMessage]:
        found = await self._all(EARLY, EARLY_DUE, until=until, limit=limit)
        return sorted(found, key=lambda message: message.id or 0)

    async def partner_clocks(self) -> list[PartnerClock]:
        return await self._all(PARTNER_CLOCK, PARTNER_CLOCKS)

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]:
        """Newest first."""
        query = NEWEST_QUARANTINE if owner is None else NEWEST_QUARANTINE_OF
        return await self._all(QUARANTINE, query, whose=owner, limit=limit)

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None:
        return await self._one(QUARANTINE, QUARANTINE_ROW, row=row_id)


class ArrivalUnit(Unit):
    """`application.ports.arrivals.ArrivalUnit`."""

    async def held_at(self, request_no: str, sender: str, seqno: int) -> Held | None:
        return await self._one(HELD, HELD_AT, number=request_no, by=sender, seqno=seqno)

    async def held_after(self, request_no: str, sender: str, seqno: int) -> list[Held]:
        return await self._all(HELD, HELD_AFTER, number=request_no, by=sender, seqno=seqno)

    async def held_count(self, request_no: str, sender: str) -> int:
        count: int = await self._scalar(HELD_COUNT, number=request_no, by=sender)
        return count

    async def held_totals(self, sender: str) -> tuple[int, int]:
        [(count, size)] = await self._rows(HELD_TOTALS, by=sender)
        return int(count), int(size)

    async def is_early(self, owner: str, body_sha256: str) -> bool:
        return await self._scalar(IS_EARLY, whose=owner, digest=body_sha256) is not None

    async def early_count(self, owner: str, request_no: str) -> int:
        count: int = await self._scalar(EARLY_COUNT, whose=owner, number=request_no)
        return count

    async def early_totals(self, owner: str) -> tuple[int, int]:
        [(count, size)] = await self._rows(EARLY_TOTALS, whose=owner)
        return count, int(size)

    async def take_early(self, ids: Sequence[int]) -> set[int]:
        return {row_id for (row_id,) in await self._rows(TAKE_EARLY, ids=ids)}

    async def quarantined(self, keys: Keys) -> set[tuple[str, str]]:
        rows = await self._rows(IN_QUARANTINE, digests=second(keys)) if keys else ()
        return {(owner, sha256) for owner, sha256 in rows} & set(keys)

    async def quarantined_since(self, owner: str, since: datetime, now: datetime, limit: int) -> int:
        until = now + CLOCKS_APART
        count: int = await self._scalar(QUARANTINED_SINCE, whose=owner, since=since, until=until, limit=limit)
        return count

    async def notice_version(self, participant: str) -> int | None:
        version: int | None = await self._scalar(NOTICE_VERSION, code=participant)
        return version

    async def admit_notice(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> NoticeRoom:
        since, until = now - NOTICE_WINDOW, now + CLOCKS_APART
        if await self._scalar(RECENT_NOTICES, to=owner, since=since, until=until) >= per_minute:
            return "full"
        recorded = await self._scalar(INSERT_NOTICE, owner=owner, sha256=body_sha256, at=now)
        return "told" if recorded is None else "free"
