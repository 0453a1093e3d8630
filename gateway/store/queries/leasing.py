"""Which rows of the outbox a dispatcher takes next: urgent ones first, then every route in its turn (docs/adr/0023).

A route is a participant's lane (`police-610114.urgent`), which is one queue of the broker. `due_at` is the earliest
moment at which anybody may take a row: at once (`AT_ONCE`) until it is tried, then the end of its back-off, or the end
of another worker's lease. So a first try depends on no clock (docs/adr/0032). A wait that lies further ahead than any
that is given is the work of a clock that was wrong meanwhile: it is over. Index ranges of each route find its ready
rows, and a lease that ran out needs no sweeper. No statement here reads more rows than it returns, plus a few index
look-ups per route: what waits for one participant costs the others nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Integer, Text, bindparam, text, update

from gateway.core.records import LeasedMessage
from gateway.core.retry import LongestWaits
from gateway.core.routing import is_urgent
from gateway.store.engine.columns import Instant, KeyList, among, micros
from gateway.store.engine.connection import Connection, Row
from gateway.store.engine.statements import Query
from gateway.store.engine.statements import update as bulk_update
from gateway.store.tables import OUTBOX, PAUSED_ROUTE

TRIALS_AT_ONCE = 32
"""Paused routes that are tried in one lease."""

AT_ONCE = 0
"""`due_at` of what was never tried."""

_now = bindparam("now", type_=Instant())
_o, _p = OUTBOX.c, PAUSED_ROUTE.c

# From one route to the next by the first column of the index, and of each its earliest row. States are literals: with
# a bound parameter SQLite could not know that the partial index covers the condition. LIMIT, not min(): a plan that
# PostgreSQL made while the table was empty would read the whole index for it; there each route is looked up once,
# because entries of rows that are sent by now stand before the first live one until the next vacuum.
# Of rows that were tried the earliest and the latest one show whether a wait is over, or further off than any may be.
_UNTIL = "(SELECT p.until FROM paused_routes AS p WHERE p.route = routes.route)"
_TRIED = "SELECT {alias}.due_at FROM outbox AS {alias} WHERE {alias}.state = 'ready' AND {alias}.route = routes.route "
_FIRST_TRIED = f"({_TRIED.format(alias='tried')}AND tried.due_at > 0 ORDER BY tried.due_at LIMIT 1)"
_TOO_FAR = (
    "AND {alias}.due_at > :longest "
    "AND (coalesce({alias}.reason, '') <> 'fault' OR {alias}.due_at > :longest_of_faults) "
)
_TOO_FAR_OFF = f"({_TRIED.format(alias='far')}{_TOO_FAR.format(alias='far')}ORDER BY far.due_at DESC LIMIT 1)"
# What an operator has stopped (docs/adr/0047): a table of a few rows, most days of none.
_HELD = (
    "EXISTS (SELECT 1 FROM holds AS h WHERE h.scope = 'all' OR (h.scope = 'partner' "
    "AND (routes.route = h.name || '.normal' OR routes.route = h.name || '.urgent')))"
)
_TYPES_HELD = "EXISTS (SELECT 1 FROM holds AS h WHERE h.scope = 'type')"
_moments = tuple(bindparam(name, type_=Instant()) for name in ("longest", "longest_of_faults"))
READY_ROUTES = Query(
    text(
        "WITH RECURSIVE routes (route, due_at) AS ("  # noqa: S608 -- our own names
        "(SELECT route, due_at FROM outbox WHERE state = 'ready' ORDER BY route, due_at LIMIT 1) "
        "UNION ALL "
        "SELECT later.route, later.due_at FROM routes CROSS JOIN LATERAL (SELECT head.route, head.due_at "
        "FROM outbox AS head WHERE head.state = 'ready' AND head.route > routes.route "
        "ORDER BY head.route, head.due_at LIMIT 1) AS later"
        f") SELECT route, due_at, {_FIRST_TRIED}, {_TOO_FAR_OFF}, {_UNTIL}, {_HELD}, {_TYPES_HELD} FROM routes"
    ).bindparams(*_moments),
    sqlite=text(
        "WITH RECURSIVE routes (route) AS ("  # noqa: S608
        "SELECT (SELECT route FROM outbox WHERE state = 'ready' ORDER BY route LIMIT 1) "
        "UNION ALL "
        "SELECT (SELECT later.route FROM outbox AS later WHERE later.state = 'ready' "
        "AND later.route > routes.route ORDER BY later.route LIMIT 1) FROM routes WHERE routes.route IS NOT NULL"
        ") SELECT route, (SELECT head.due_at FROM outbox AS head WHERE head.state = 'ready' "
        f"AND head.route = routes.route ORDER BY head.due_at LIMIT 1), {_FIRST_TRIED}, {_TOO_FAR_OFF}, {_UNTIL}, "
        f"{_HELD}, {_TYPES_HELD} FROM routes WHERE route IS NOT NULL"
    ).bindparams(*_moments),
)
# Whoever comes first tries a paused route; it is nobody else's until `until`.
CLAIM_TRIALS = Query(
    update(PAUSED_ROUTE.table)
    .where(among(_p.route, "routes"), (_p.until <= _now) | (_p.until > bindparam("longest", type_=Instant())))
    .values(until=bindparam("until_then", type_=Instant()))
    .returning(_p.route, _p.allowed)
)
_COLUMNS = "o.id, o.sender, o.message_id, o.request_no, o.verb, o.routing_key, o.route, m.jws, m.disclosure, o.attempts"
_picked = (bindparam("routes", type_=KeyList(Text)), bindparam("quota", type_=Integer()))


def _pick(index_range: str, *parameters: BindParameter[Any]) -> Query:
    """Up to `quota` rows of each route, with their bytes, and locked; rows that another worker is about to take are
    left to it (PostgreSQL)."""
    postgresql, sqlite = index_range.format(alias="outbox"), index_range.format(alias="waits")
    return Query(
        text(
            f"SELECT {_COLUMNS} FROM UNNEST(CAST(:routes AS TEXT[])) AS r (route) "  # noqa: S608 -- our own names
            "CROSS JOIN LATERAL (SELECT * FROM outbox WHERE outbox.state = 'ready' AND outbox.route = r.route "
            f"{postgresql} LIMIT :quota FOR UPDATE SKIP LOCKED) AS o "
            "JOIN messages AS m ON m.id = o.message_id AND m.sender = o.sender"
        ).bindparams(*_picked, *parameters),
        sqlite=text(
            f"SELECT {_COLUMNS} FROM json_each(:routes) AS r "  # noqa: S608
            "CROSS JOIN outbox AS o CROSS JOIN messages AS m WHERE o.id IN (SELECT waits.id FROM outbox AS waits "
            f"WHERE waits.state = 'ready' AND waits.route = r.value {sqlite} LIMIT :quota) "
            "AND m.id = o.message_id AND m.sender = o.sender"
        ).bindparams(*_picked, *parameters),
    )


# What was never tried; what has waited long enough; what is put off further than anything may be.
PICK = _pick("AND {alias}.due_at <= 0 ORDER BY {alias}.due_at, {alias}.id")
PICK_TRIED = _pick("AND {alias}.due_at > 0 AND {alias}.due_at <= :now ORDER BY {alias}.due_at, {alias}.id", _now)
PICK_TOO_FAR_OFF = _pick(f"{_TOO_FAR}ORDER BY {{alias}}.due_at, {{alias}}.id", *_moments)
# The same while a matter type is held: its rows are passed over, at the cost of reading them.
_NOT_HELD = (
    "AND NOT EXISTS (SELECT 1 FROM holds AS h WHERE h.scope = 'type' "
    "AND substr({alias}.routing_key, length({alias}.route) + 2) = h.name || '.' || {alias}.verb) "
)
PICK_OPEN = _pick(f"AND {{alias}}.due_at <= 0 {_NOT_HELD}ORDER BY {{alias}}.due_at, {{alias}}.id")
PICK_TRIED_OPEN = _pick(
    f"AND {{alias}}.due_at > 0 AND {{alias}}.due_at <= :now {_NOT_HELD}ORDER BY {{alias}}.due_at, {{alias}}.id", _now
)
PICK_TOO_FAR_OFF_OPEN = _pick(f"{_TOO_FAR}{_NOT_HELD}ORDER BY {{alias}}.due_at, {{alias}}.id", *_moments)
PICKS = {
    False: (PICK, PICK_TRIED, PICK_TOO_FAR_OFF),
    True: (PICK_OPEN, PICK_TRIED_OPEN, PICK_TOO_FAR_OFF_OPEN),
}
TAKE = bulk_update(OUTBOX.table, [_o.due_at, _o.lease_owner], [_o.id], also=", attempts = outbox.attempts + 1")


_LEAST_TRIED = itemgetter(-1, 0)
"""Of a trial: attempts, then age. One message that cannot go must not be what the whole queue is judged by, and whoever
asks for his own hears why it waits."""


@dataclass(frozen=True, slots=True)
class ReadyRoute:
    """A route with rows that may go now. paused: only as a trial. tried: among them are rows whose back-off or lease is
    over; too_far_off: rows that are put off further than anything may be. types_held: some of them may be of a
    matter type that an operator holds."""

    route: str
    paused: bool
    tried: bool = False
    too_far_off: bool = False
    types_held: bool = False


@dataclass(slots=True)
class Turns:
    """Where the next lease begins, when there are more routes than places: behind the last one that had a place."""

    urgent: str = ""
    normal: str = ""


async def ready_routes(
    connection: Connection, now: datetime, longest: LongestWaits, suspended: Collection[str] = ()
) -> list[ReadyRoute]:
    """Those with a row that may go now, none that an operator holds, none of a suspended participant."""
    moment, longest_pause = micros(now), micros(now + longest.pause)
    rows = await connection.fetch(
        READY_ROUTES, longest=now + longest.tried, longest_of_faults=now + longest.after_fault
    )
    routes = []
    for route, head, first_tried, too_far_off, until, held, types_held in rows:
        if held or route.partition(".")[0] in suspended:
            continue
        tried = first_tried is not None and first_tried <= moment
        may_be_tried = until is None or until <= moment or until > longest_pause
        if may_be_tried and (head <= AT_ONCE or tried or too_far_off is not None):
            routes.append(ReadyRoute(route, until is not None, tried, too_far_off is not None, bool(types_held)))
    return routes


async def lease(
    connection: Connection,
    owner: str,
    now: datetime,
    term: timedelta,
    limit: int,
    routes: Sequence[ReadyRoute],
    turns: Turns,
    longest: LongestWaits,
) -> list[LeasedMessage]:
    """Take up to `limit` ready rows of `routes` until `now + term`. The attempt is counted before it is made, so that
    a crash leaves it known; `attempts` of what is returned are the earlier ones.

    While anything normal is ready, a quarter of the places is kept for it: a flood of urgent messages must not silence
    the rest. Places that one kind does not need go to the other."""
    lessee = _Lessee(connection, owner, now, term, routes, longest)
    open_routes = [r.route for r in routes if not r.paused]
    urgent = beginning_after(turns.urgent, filter(is_urgent, open_routes))
    normal = beginning_after(turns.normal, (route for route in open_routes if not is_urgent(route)))
    taken = await lessee.trials([r.route for r in routes if r.paused], limit // 4)
    room = limit - len(taken)
    for_urgent = room - (room // 4 if normal else 0)
    first, more = await lessee.in_turn(urgent, for_urgent)
    then, _ = await lessee.in_turn(normal, room - len(first))
    turns.urgent = last_of(urgent, for_urgent, turns.urgent)
    turns.normal = last_of(normal, room - len(first), turns.normal)
    last, _ = await lessee.in_turn(more, room - len(first) - len(then))
    return [*first, *last, *taken, *then]


def beginning_after(last: str, routes: Iterable[str]) -> list[str]:
    """In their order, as a ring."""
    return sorted(routes, key=lambda route: (route <= last, route))


def last_of(routes: Sequence[str], places: int, before: str) -> str:
    """The last one that had a place; where all had one, it does not matter who begins."""
    return routes[places - 1] if 0 < places < len(routes) else before


class _Lessee:
    def __init__(
        self,
        connection: Connection,
        owner: str,
        now: datetime,
        term: timedelta,
        routes: Sequence[ReadyRoute],
        longest: LongestWaits,
    ) -> None:
        self._db = connection
        self._owner = owner
        self._now = now
        self._until = now + term
        self._tried = {r.route for r in routes if r.tried}
        self._too_far_off = {r.route for r in routes if r.too_far_off}
        self._types_held = any(r.types_held for r in routes)
        self._longest_pause = now + longest.pause
        self._ahead = {"longest": now + longest.tried, "longest_of_faults": now + longest.after_fault}

    async def in_turn(self, routes: list[str], room: int) -> tuple[list[LeasedMessage], list[str]]:
        """Up to `room` rows, of each route as many as of any other that has them; and the routes that have more.

        Each round fills the room, or finds a route that has no more."""
        taken: list[LeasedMessage] = []
        while routes and room > 0:
            asked, later = routes[:room], routes[room:]
            quota = room // len(asked)
            rows = await self._take(asked, quota)
            found = Counter(row.route for row in rows)
            routes = [*later, *(route for route in asked if found[route] == quota)]
            taken += rows
            room -= len(rows)
        return taken, routes

    async def trials(self, routes: list[str], room: int) -> list[LeasedMessage]:
        """Of each paused route what it is allowed."""
        routes = routes[: min(TRIALS_AT_ONCE, max(1, room))]
        if not routes:
            return []
        share = max(1, room // len(routes))
        claimed = await self._db.fetch(
            CLAIM_TRIALS, routes=routes, now=self._now, longest=self._longest_pause, until_then=self._until
        )
        allowed: dict[int, list[str]] = {}
        for route, count in claimed:
            allowed.setdefault(min(count, share), []).append(route)
        taken: list[LeasedMessage] = []
        for count, those in allowed.items():
            taken += await self._take(those, count, order=_LEAST_TRIED)
        for row in taken:
            row.trial = True
        return taken

    async def _take(
        self, routes: list[str], quota: int, *, order: Callable[[Row], Any] = itemgetter(0)
    ) -> list[LeasedMessage]:
        """Of each route the first ones in that order, by default its oldest; one of each route, then the second of
        each, and so on."""
        by_route: dict[str, list[LeasedMessage]] = {}
        picked = sorted(await self._pick(routes, quota), key=order)
        for row_id, sender, message_id, number, verb, key, route, jws, disclosure, attempts in picked:
            rows = by_route.setdefault(route, [])
            if len(rows) < quota:
                rows.append(
                    LeasedMessage(row_id, sender, message_id, number, verb, key, route, body(jws, disclosure), attempts)
                )
        taken = [row for turn in zip_longest(*by_route.values()) for row in turn if row is not None]
        until = micros(self._until)
        await self._db.run(TAKE, [(until, self._owner, row.row_id) for row in taken])
        return taken

    async def _pick(self, routes: list[str], quota: int) -> list[Row]:
        """What may go of these routes, of each range up to `quota`."""
        pick, pick_tried, pick_far = PICKS[self._types_held]
        rows = list(await self._db.fetch(pick, routes=routes, quota=quota))
        if tried := [route for route in routes if route in self._tried]:
            rows += await self._db.fetch(pick_tried, routes=tried, quota=quota, now=self._now)
        if far := [route for route in routes if route in self._too_far_off]:
            rows += await self._db.fetch(pick_far, routes=far, quota=quota, **self._ahead)
        return rows


def body(jws: str, disclosure: str | None) -> bytes:
    """The wire form `<JWS>~<disclosure>~` (RFC 9901); without the disclosure once it has been destroyed."""
    return (f"{jws}~" if disclosure is None else f"{jws}~{disclosure}~").encode("ascii")
