"""The outbox: which rows are ready, who leased them, what became of them.

`due_at` is the earliest moment at which anybody may take a row: when it was written, the end of its back-off, or the
end of another worker's lease. So one index range finds the ready rows, and a lease that ran out needs no sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, and_, bindparam, exists, null, or_, select, text, update

from gateway.core.records import LeasedMessage, OutboxRow
from gateway.store import bulk
from gateway.store.columns import Instant, among, micros
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import OUTBOX
from gateway.store.tables import messages, outbox, requests

_o, _m = outbox.c, messages.c
_earlier = outbox.alias("earlier")
# Literals: with a bound parameter SQLite could not know that the partial index covers the condition.
_IS_READY = text("outbox.state = 'ready'")
_IS_FIRST_UNSENT = ~exists().where(
    _earlier.c.request_no == _o.request_no,
    _earlier.c.sender == _o.sender,
    _earlier.c.seqno < _o.seqno,
    text("earlier.state IN ('ready', 'parked')"),
)
_CAN_GO = and_(_IS_READY, _o.due_at <= bindparam("now", type_=Instant()), or_(_o.overtakes, _IS_FIRST_UNSENT))

ANY_READY = Query(select(exists().where(_CAN_GO)))
# With their bytes, and locked; rows that another worker is about to take are left to it (PostgreSQL).
READY = Query(
    select(_o.id, _o.sender, _o.message_id, _o.request_no, _o.verb, _o.routing_key, _m.jws, _m.disclosure, _o.attempts)
    .join(messages, and_(_m.id == _o.message_id, _m.sender == _o.sender))
    .where(_CAN_GO)
    .order_by(_o.due_at, _o.id)
    .limit(bindparam("limit", type_=Integer()))
    .with_for_update(of=outbox, skip_locked=True)
)
TAKE = bulk.update(outbox, [_o.due_at, _o.lease_owner], [_o.id], also=", attempts = outbox.attempts + 1")
LOCK_REQUESTS_OF = Query(
    select(requests.c.request_no)
    .where(requests.c.request_no.in_(select(_o.request_no).where(among(_o.id, "ids"))))
    .order_by(requests.c.request_no)
    .with_for_update()
)
# Only a leased row has an owner, so its state need not be asked (and SQLite is not led to the wrong index).
MARK_SENT = Query(
    update(outbox)
    .where(among(_o.id, "ids"), _o.lease_owner == bindparam("owner"))
    .values(state="sent", lease_owner=null())
    .returning(*OUTBOX.columns, _o.id)
)
MARK_FAILED = Query(
    update(outbox)
    .where(_o.id == bindparam("row"), _o.lease_owner == bindparam("owner"))
    .values(state=bindparam("new_state"), due_at=bindparam("next_at"), lease_owner=null(), reason=bindparam("why"))
)
LOCK_OF_REQUEST = Query(select(_o.attempts).where(_o.request_no == bindparam("number")).with_for_update())


async def lease(connection: Connection, owner: str, now: datetime, term: timedelta, limit: int) -> list[LeasedMessage]:
    """Take up to `limit` ready rows until `now + term`. The attempt is counted before it is made, so that a crash
    leaves it known; `attempts` of what is returned are the earlier ones."""
    rows = list(await connection.fetch(READY, now=now, limit=limit))
    until = micros(now + term)
    await connection.run(TAKE, [(until, owner, row[0]) for row in rows])
    leased = []
    for row_id, sender, message_id, request_no, verb, routing_key, jws, disclosure, attempts in rows:
        wire = body(jws, disclosure)
        leased.append(LeasedMessage(row_id, sender, message_id, request_no, verb, routing_key, wire, attempts))
    return leased


def body(jws: str, disclosure: str | None) -> bytes:
    """The wire form `<JWS>~<disclosure>~` (RFC 9901); without the disclosure once it has been destroyed."""
    return (f"{jws}~" if disclosure is None else f"{jws}~{disclosure}~").encode("ascii")


async def mark_sent(connection: Connection, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
    """Requests are locked before their outbox rows, as every other unit does: no deadlock on PostgreSQL."""
    if connection.locks:
        await connection.fetch(LOCK_REQUESTS_OF, ids=row_ids)
    sent = await connection.fetch(MARK_SENT, ids=row_ids, owner=owner)
    by_id = {row_id: OUTBOX.read(row) for *row, row_id in sent}
    return [by_id[row_id] for row_id in row_ids if row_id in by_id]


async def mark_failed(
    connection: Connection, row_id: int, owner: str, *, next_at: datetime, reason: str, park: bool
) -> None:
    state = "parked" if park else "ready"
    await connection.fetch(MARK_FAILED, row=row_id, owner=owner, new_state=state, next_at=next_at, why=reason)


async def attempted(connection: Connection, request_no: str) -> bool:
    """Locks the rows, so that the answer stays true until this unit ends (a lease skips locked rows)."""
    return any(attempts for (attempts,) in await connection.fetch(LOCK_OF_REQUEST, number=request_no))
