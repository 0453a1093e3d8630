"""The outbox: what became of leased rows, and whose turn it is in a request. Leasing: `leasing`.

Of the unsent rows of one (request, sender) only the first is `ready`, those behind it are `waiting`: a poll never reads
them, however many they are. A withdrawal is ready at once. Whoever writes rows of a request has locked the request, so
the two always agree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, literal_column, null, select, text, update

from gateway.application.ports.outbox import LONGEST_WAITS
from gateway.core.records import FailedMessage, LeasedMessage, OutboxRow, PausedRoute
from gateway.core.retry import LongestWaits
from gateway.store.engine.columns import Instant, among, micros, moment
from gateway.store.engine.connection import Unit
from gateway.store.engine.database import Database, Reads
from gateway.store.engine.statements import Bulk, Query, delete
from gateway.store.engine.statements import update as bulk_update
from gateway.store.queries import leasing
from gateway.store.queries.leasing import AT_ONCE
from gateway.store.tables import MESSAGE, OUTBOX, PAUSED_ROUTE, REQUEST

_o, _m, _r, _p = OUTBOX.c, MESSAGE.c, REQUEST.c, PAUSED_ROUTE.c
_behind = OUTBOX.table.alias("behind")

LOCK_REQUESTS_OF = Query(
    select(_r.request_no)
    .where(_r.request_no.in_(select(_o.request_no).where(among(_o.id, "ids"))))
    .order_by(_r.request_no)
    .with_for_update()
)
_somebody_waits = exists().where(
    _behind.c.request_no == _o.request_no, _behind.c.sender == _o.sender, text("behind.state = 'waiting'")
)
# Only a leased row has an owner, so its state need not be asked (and SQLite is not led to the wrong index).
_mark_sent = (
    update(OUTBOX.table)
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
MARK_FAILED = bulk_update(
    OUTBOX.table, [_o.state, _o.due_at, _o.reason], [_o.id, _o.lease_owner], also=", lease_owner = NULL"
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
    .join(MESSAGE.table, and_(_m.id == _o.message_id, _m.sender == _o.sender))
    .where(_m.request_no == bindparam("number"))
    .with_for_update(of=OUTBOX.table)
)
# Word for word the condition of the partial index.
_waits = "outbox.state = 'ready' OR outbox.state = 'waiting'"
BACKLOG = Query(select(func.count()).select_from(OUTBOX.table).where(text(f"({_waits})")))
# Ids are given in the order of writing.
OLDEST_UNSENT = Query(
    select(_m.stored_at)
    .join(OUTBOX.table, (_m.id == _o.message_id) & (_m.sender == _o.sender))
    .where(_o.id == select(func.min(_o.id)).where(text(f"({_waits} OR outbox.state = 'parked')")).scalar_subquery())
)

_changing = [_p.reason, _p.until, _p.failures, _p.allowed]

LOCK_PAUSED = Query(select(*PAUSED_ROUTE.columns).where(among(_p.route, "routes")).order_by(_p.route).with_for_update())
INSERT_PAUSE = PAUSED_ROUTE.insert("ON CONFLICT (route) DO NOTHING")
UPDATE_PAUSE = PAUSED_ROUTE.update(_changing, [_p.route])
END_PAUSE = delete(PAUSED_ROUTE.table, [_p.route])
ANYTHING_READY = Query(
    select(
        exists().where(
            text("outbox.state = 'ready'"),
            _o.route == bindparam("which"),
            _o.due_at <= bindparam("now", type_=Instant()),
        )
    )
)


class OutboxReads(Reads):
    """`application.ports.outbox.OutboxReads`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._turns = leasing.Turns()

    async def lease_outbox(
        self,
        owner: str,
        now: datetime,
        term: timedelta,
        limit: int,
        longest: LongestWaits = LONGEST_WAITS,
        suspended: Collection[str] = frozenset(),
    ) -> list[LeasedMessage]:
        async with self.database.reader() as connection:
            routes = await leasing.ready_routes(connection, now, longest, suspended)
        if not routes:
            return []  # an idle poll is one read: no write lock, no transaction
        async with self.database.writer() as connection:
            return await leasing.lease(connection, owner, now, term, limit, routes, self._turns, longest)

    async def backlog(self) -> int:
        waiting: int = await self._scalar(BACKLOG)
        return waiting

    async def oldest_unsent(self) -> datetime | None:
        stored_at: int | None = await self._scalar(OLDEST_UNSENT)
        return None if stored_at is None else moment(stored_at)


class OutboxUnit(Unit):
    """`application.ports.outbox.OutboxUnit`."""

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        """Requests are locked before their outbox rows, as every other unit does: no deadlock on PostgreSQL. What
        waited for one of these rows is ready from now on."""
        if not row_ids:
            return []
        if self._db.locks:
            await self._rows(LOCK_REQUESTS_OF, ids=row_ids)
        by_id: dict[int, OutboxRow] = {}
        release: set[tuple[str, str]] = set()
        for *columns, row_id, somebody_waits in await self._rows(MARK_SENT, ids=row_ids, owner=owner):
            row = by_id[row_id] = OUTBOX.read(columns)
            if somebody_waits and row.request_no is not None:
                release.add((row.request_no, row.sender))
        await self._db.run(RELEASE, sorted(release))
        return [by_id[row_id] for row_id in row_ids if row_id in by_id]

    async def mark_failed(self, failed: Sequence[FailedMessage], owner: str) -> None:
        """Rows that are no longer this owner's stay as they are."""
        rows: list[Any] = [
            ("parked" if f.park else "ready", micros(f.next_at) if f.next_at else AT_ONCE, f.reason, f.row_id, owner)
            for f in failed
        ]
        await self._db.run(MARK_FAILED, rows)

    async def attempted(self, request_no: str) -> bool:
        """Locks the rows, so that the answer stays true until this unit ends (a lease skips locked rows)."""
        return any(attempts for (attempts,) in await self._rows(LOCK_OF_REQUEST, number=request_no))


class PauseUnit(Unit):
    """`application.ports.outbox.PauseUnit`."""

    async def paused(self, routes: Sequence[str]) -> dict[str, PausedRoute]:
        found = await self._all(PAUSED_ROUTE, LOCK_PAUSED, routes=list(routes)) if routes else ()
        return {pause.route: pause for pause in found}

    async def begin_pause(self, pause: PausedRoute) -> bool:
        return await self._db.run(INSERT_PAUSE.bulk, INSERT_PAUSE.rows([pause])) == 1

    async def go_on_pausing(self, pause: PausedRoute) -> None:
        await self._db.run(UPDATE_PAUSE.bulk, UPDATE_PAUSE.rows([pause]))

    async def end_pause(self, route: str) -> None:
        await self._db.run(END_PAUSE, [(route,)])

    async def anything_ready(self, route: str, now: datetime) -> bool:
        return bool(await self._scalar(ANYTHING_READY, which=route, now=now))
