"""The outbox: what became of leased rows, and whose turn it is in a request. Leasing itself: `gateway.store.leasing`.

Of the unsent rows of one (request, sender) only the first is `ready`, those behind it are `waiting`: a poll never reads
them, however many they are. A withdrawal is ready at once. Whoever writes rows of a request has locked the request, so
the two always agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, exists, literal_column, null, select, text, update

from gateway.core.records import FailedMessage, OutboxRow
from gateway.store import bulk
from gateway.store.bulk import Bulk
from gateway.store.columns import among, micros
from gateway.store.connection import Connection
from gateway.store.leasing import AT_ONCE
from gateway.store.query import Query
from gateway.store.rows import OUTBOX
from gateway.store.tables import messages, outbox, requests

_o, _m = outbox.c, messages.c
_behind = outbox.alias("behind")

LOCK_REQUESTS_OF = Query(
    select(requests.c.request_no)
    .where(requests.c.request_no.in_(select(_o.request_no).where(among(_o.id, "ids"))))
    .order_by(requests.c.request_no)
    .with_for_update()
)
_somebody_waits = exists().where(
    _behind.c.request_no == _o.request_no, _behind.c.sender == _o.sender, text("behind.state = 'waiting'")
)
# Only a leased row has an owner, so its state need not be asked (and SQLite is not led to the wrong index).
_mark_sent = (
    update(outbox)
    .where(among(_o.id, "ids"), _o.lease_owner == bindparam("owner"))
    .values(state="sent", lease_owner=null())
)
# In RETURNING SQLite can ask only whether anything waits at all.
MARK_SENT = Query(
    _mark_sent.returning(*OUTBOX.columns, _o.id, _somebody_waits),
    sqlite=_mark_sent.returning(
        *OUTBOX.columns,
        _o.id,
        literal_column(
            "EXISTS (SELECT 1 FROM outbox AS behind INDEXED BY outbox_waiting WHERE behind.state = 'waiting')"
        ),
    ),
)
MARK_FAILED = bulk.update(
    outbox, [_o.state, _o.due_at, _o.reason], [_o.id, _o.lease_owner], also=", lease_owner = NULL"
)
# The first unsent row of a request, by the index that holds unsent rows only.
_FIRST = (
    "SELECT first.id, first.state FROM outbox AS first WHERE first.request_no = {number} AND first.sender = {sender} "
    "AND first.seqno > 0 AND (first.state = 'ready' OR first.state = 'waiting' OR first.state = 'parked') "
    "ORDER BY first.seqno LIMIT 1"
)
# The state is asked of what was found: an index that holds few waiting rows when PostgreSQL plans may hold many later.
RELEASE = Bulk(
    sqlite="UPDATE outbox SET state = 'ready' WHERE id = (SELECT id FROM "  # noqa: S608 -- our own names
    f"({_FIRST.format(number='?', sender='?')}) WHERE state = 'waiting')",
    postgresql="UPDATE outbox SET state = 'ready' WHERE id = ANY (ARRAY(SELECT next.id "  # noqa: S608
    "FROM UNNEST($1::TEXT[], $2::TEXT[]) AS w (request_no, sender) "
    f"CROSS JOIN LATERAL ({_FIRST.format(number='w.request_no', sender='w.sender')}) AS next "
    "WHERE next.state = 'waiting'))",
)
# Never of what was tried once: it may have arrived.
_NEVER_TRIED = "(state = 'ready' OR state = 'waiting') AND attempts = 0"
CANCEL = Bulk(
    sqlite=f"UPDATE outbox SET state = 'cancelled' WHERE request_no = ? AND {_NEVER_TRIED}",  # noqa: S608
    postgresql="UPDATE outbox SET state = 'cancelled' WHERE id = ANY (ARRAY(SELECT unsent.id "  # noqa: S608
    "FROM UNNEST($1::TEXT[]) AS w (request_no) CROSS JOIN LATERAL (SELECT id FROM outbox "
    f"WHERE outbox.request_no = w.request_no AND {_NEVER_TRIED} ORDER BY sender, seqno OFFSET 0) AS unsent))",
)
LOCK_OF_REQUEST = Query(
    select(_o.attempts)
    .join(messages, and_(_m.id == _o.message_id, _m.sender == _o.sender))
    .where(_m.request_no == bindparam("number"))
    .with_for_update(of=outbox)
)


async def mark_sent(connection: Connection, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
    """Requests are locked before their outbox rows, as every other unit does: no deadlock on PostgreSQL. What waited
    for one of these rows is ready from now on."""
    if connection.locks:
        await connection.fetch(LOCK_REQUESTS_OF, ids=row_ids)
    by_id: dict[int, OutboxRow] = {}
    release: set[tuple[str, str]] = set()
    for *columns, row_id, somebody_waits in await connection.fetch(MARK_SENT, ids=row_ids, owner=owner):
        row = by_id[row_id] = OUTBOX.read(columns)
        if somebody_waits and row.request_no is not None:
            release.add((row.request_no, row.sender))
    await connection.run(RELEASE, sorted(release))
    return [by_id[row_id] for row_id in row_ids if row_id in by_id]


async def mark_failed(connection: Connection, failed: Sequence[FailedMessage], owner: str) -> None:
    """Rows that are no longer this owner's stay as they are."""
    rows = [
        ("parked" if f.park else "ready", micros(f.next_at) if f.next_at else AT_ONCE, f.reason, f.row_id, owner)
        for f in failed
    ]
    await connection.run(MARK_FAILED, rows)


async def attempted(connection: Connection, request_no: str) -> bool:
    """Locks the rows, so that the answer stays true until this unit ends (a lease skips locked rows)."""
    return any(attempts for (attempts,) in await connection.fetch(LOCK_OF_REQUEST, number=request_no))
