"""After our clock was set back: ends the waits that the clock had set while it was ahead (docs/adr/0032)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Text, bindparam, text, update

from gateway.store.columns import Instant
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.tables import pages, timers

PAGES = "pages"
_now, _far = bindparam("now", type_=Instant()), bindparam("far", type_=Instant())

# Once after a step, so these may read the whole table: most timers are deadlines, which are days ahead by right.
END_TIMERS = Query(
    update(timers)
    .where(timers.c.due_at > _far, timers.c.kind >= bindparam("first", type_=Text()))
    .where(timers.c.kind < bindparam("end", type_=Text()))
    .values(due_at=_now)
    .returning(timers.c.kind)
)
END_PAGES = Query(
    update(pages)
    .where(text("pages.state = 'waiting'"), pages.c.due_at > _far)
    .values(due_at=_now)
    .returning(pages.c.id)
)


async def end_waits(connection: Connection, now: datetime, longest: Mapping[str, timedelta]) -> int:
    count = 0
    for kind, wait in sorted(longest.items()):
        if kind == PAGES:
            found = await connection.fetch(END_PAGES, now=now, far=now + wait)
        else:
            end = kind[:-1] + chr(ord(kind[-1]) + 1)
            found = await connection.fetch(END_TIMERS, now=now, far=now + wait, first=kind, end=end)
        count += len(list(found))
    return count
