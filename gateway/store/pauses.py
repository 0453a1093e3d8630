"""Routes that are paused: `application.ports.store.Transaction` says what each of these is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, select, text

from gateway.core.records import PausedRoute
from gateway.store import bulk
from gateway.store.columns import Instant, among
from gateway.store.connection import Connection, scalar
from gateway.store.query import Query
from gateway.store.rows import PAUSED_ROUTE
from gateway.store.tables import outbox, paused_routes

_p, _o = paused_routes.c, outbox.c
_changing = [_p.reason, _p.until, _p.failures, _p.allowed]

LOCK_PAUSED = Query(select(*PAUSED_ROUTE.columns).where(among(_p.route, "routes")).order_by(_p.route).with_for_update())
INSERT_PAUSE = bulk.insert(paused_routes, PAUSED_ROUTE.written, "ON CONFLICT (route) DO NOTHING")
UPDATE_PAUSE = bulk.update(paused_routes, _changing, [_p.route])
END_PAUSE = bulk.delete(paused_routes, [_p.route])
ANYTHING_READY = Query(
    select(
        exists().where(
            text("outbox.state = 'ready'"),
            _o.route == bindparam("which"),
            _o.due_at <= bindparam("now", type_=Instant()),
        )
    )
)

new_pause = PAUSED_ROUTE.writer(PAUSED_ROUTE.written)
changed_pause = PAUSED_ROUTE.writer([*_changing, _p.route])


async def paused(connection: Connection, routes: Sequence[str]) -> dict[str, PausedRoute]:
    rows = await connection.fetch(LOCK_PAUSED, routes=list(routes)) if routes else ()
    return {pause.route: pause for pause in map(PAUSED_ROUTE.read, rows)}


async def begin(connection: Connection, pause: PausedRoute) -> bool:
    return await connection.run(INSERT_PAUSE, [new_pause(pause)]) == 1


async def go_on(connection: Connection, pause: PausedRoute) -> None:
    await connection.run(UPDATE_PAUSE, [changed_pause(pause)])


async def end(connection: Connection, route: str) -> None:
    await connection.run(END_PAUSE, [(route,)])


async def anything_ready(connection: Connection, route: str, now: datetime) -> bool:
    return bool(await scalar(connection, ANYTHING_READY, which=route, now=now))
