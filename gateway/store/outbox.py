"""The outbox: which rows are ready, who leased them, what became of them.

`due_at` is the earliest moment at which anybody may take a row: when it was written, the end of its back-off, or the
end of another worker's lease. So one index range finds the ready rows, and a lease that ran out needs no sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, exists, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.core.records import LeasedMessage, OutboxRow
from gateway.store.rows import OUTBOX
from gateway.store.tables import messages, outbox, requests

_earlier = outbox.alias("earlier")
# Literals: with a bound parameter SQLite could not know that the partial index covers the condition.
_READY = text("outbox.state = 'ready'")
_FIRST_UNSENT = ~exists().where(
    _earlier.c.request_no == outbox.c.request_no,
    _earlier.c.sender == outbox.c.sender,
    _earlier.c.seqno < outbox.c.seqno,
    text("earlier.state IN ('ready', 'parked')"),
)


def ready_rows(now: datetime, limit: int) -> Select[tuple[object, ...]]:
    """Ready rows with their bytes, locked, rows that another worker is leasing left out (PostgreSQL)."""
    o, m = outbox.c, messages.c
    return (
        select(o.id, o.sender, o.message_id, o.request_no, o.verb, o.routing_key, m.jws, m.disclosure, o.attempts)
        .join(messages, and_(m.id == o.message_id, m.sender == o.sender))
        .where(_READY, o.due_at <= now, or_(o.overtakes, _FIRST_UNSENT))
        .order_by(o.due_at, o.id)
        .limit(limit)
        .with_for_update(of=outbox, skip_locked=True)
    )


async def lease(
    connection: AsyncConnection, owner: str, now: datetime, term: timedelta, limit: int
) -> list[LeasedMessage]:
    """Take up to `limit` ready rows until `now + term`; the attempt is counted before it is made."""
    rows = (await connection.execute(ready_rows(now, limit))).all()
    if rows:
        await connection.execute(
            update(outbox)
            .where(outbox.c.id.in_([row.id for row in rows]))
            .values(lease_owner=owner, due_at=now + term, attempts=outbox.c.attempts + 1)
        )
    return [
        LeasedMessage(
            row.id,
            row.sender,
            row.message_id,
            row.request_no,
            row.verb,
            row.routing_key,
            body(row.jws, row.disclosure),
            row.attempts + 1,
        )
        for row in rows
    ]


def body(jws: str, disclosure: str | None) -> bytes:
    """The wire form `<JWS>~<disclosure>~` (RFC 9901); without the disclosure once it has been destroyed."""
    return (f"{jws}~" if disclosure is None else f"{jws}~{disclosure}~").encode("ascii")


async def mark_sent(connection: AsyncConnection, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
    """Requests are locked before their outbox rows, as every other unit does: no deadlock on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_lock_requests_of(row_ids))
    sent = await connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(row_ids), _READY, outbox.c.lease_owner == owner)
        .values(state="sent", lease_owner=None)
        .returning(*OUTBOX.columns, outbox.c.id)
    )
    by_id = {row_id: OUTBOX.read(row) for *row, row_id in sent}
    return [by_id[row_id] for row_id in row_ids if row_id in by_id]


def _lock_requests_of(row_ids: Sequence[int]) -> Select[tuple[str]]:
    mine = select(outbox.c.request_no).where(outbox.c.id.in_(row_ids))
    return (
        select(requests.c.request_no)
        .where(requests.c.request_no.in_(mine))
        .order_by(requests.c.request_no)
        .with_for_update()
    )


async def mark_failed(
    connection: AsyncConnection, row_id: int, owner: str, *, next_at: datetime, reason: str, park: bool
) -> None:
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == row_id, _READY, outbox.c.lease_owner == owner)
        .values(state="parked" if park else "ready", due_at=next_at, lease_owner=None, reason=reason)
    )


async def attempted(connection: AsyncConnection, request_no: str) -> bool:
    """Locks the rows, so that the answer stays true until this unit ends (a lease skips locked rows)."""
    found = await connection.scalars(
        select(outbox.c.attempts).where(outbox.c.request_no == request_no).with_for_update()
    )
    return any(found)
