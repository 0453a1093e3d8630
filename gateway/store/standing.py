"""How far the store has come: what the marks are compared with (docs/adr/0030).

Everything here only grows, so that single reads in this order give a standing that the store is never behind of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, exists, insert, select, text, update

from gateway.core.recovery.marks import Age, Mark, Standing
from gateway.store import reads, tables
from gateway.store.columns import Instant, moment
from gateway.store.connection import Connection
from gateway.store.query import Query

_i, _a, _n = tables.installation.c, tables.incarnations.c, tables.number_blocks.c

INSTALLATION = Query(select(_i.incarnation, _i.sequence, _i.token))
AGES = Query(select(_a.incarnation, _a.shared_event, _a.began_at).order_by(_a.id))
NUMBERS = Query(select(_n.opener, _n.day, _n.next).where(_n.day >= bindparam("since")))
ANY_REQUEST = Query(select(exists().where(tables.requests.c.request_no >= "")))
# Before any block is taken: whoever takes two in one unit locks in the same order.
RAISE = Query(update(tables.installation).values(sequence=_i.sequence + 1, token=bindparam("drawn")))
BEGIN_AGE = Query(
    insert(tables.incarnations).values(
        incarnation=bindparam("incarnation"), began_at=bindparam("at", type_=Instant()), shared_event=bindparam("event")
    )
)
REPLACE = Query(
    update(tables.installation).values(
        incarnation=bindparam("incarnation"), sequence=bindparam("reached"), token=bindparam("drawn")
    )
)
SKIP_NUMBERS = Query(
    text(
        "INSERT INTO number_blocks (opener, day, next) VALUES (:opener, :day, :following) "
        "ON CONFLICT (opener, day) DO UPDATE SET next = excluded.next WHERE number_blocks.next < excluded.next"
    )
)


async def standing(connection: Connection, since: str) -> Standing:
    """since: the first day (YYYYMMDD) whose numbers are told."""
    queries = (INSTALLATION, AGES, NUMBERS, reads.LAST_EVENT, ANY_REQUEST)
    installation, lives, days, events, requests = await connection.fetch_all(queries, since=since)
    ((incarnation, sequence, token),) = installation
    ages = tuple(Age(name, shared, moment(at) if n else None) for n, (name, shared, at) in enumerate(lives))
    numbers = {f"{opener}/{day}": following for opener, day, following in days}
    ((last,),), ((any_request,),) = events, requests
    mark = Mark(incarnation=incarnation, sequence=sequence, token=token, event_id=last or 0, numbers=numbers)
    return Standing(mark, ages, not any_request)


async def raise_sequence(connection: Connection, token: str) -> None:
    await connection.fetch(RAISE, drawn=token)


async def begin_age(connection: Connection, mark: Mark, shared_event: int, at: datetime) -> None:
    """From now on the store is `mark.incarnation`; whoever read it before reads another installation."""
    await connection.fetch(BEGIN_AGE, incarnation=mark.incarnation, at=at, event=shared_event)
    await connection.fetch(REPLACE, incarnation=mark.incarnation, reached=mark.sequence, drawn=mark.token)
    await skip_numbers(connection, mark.numbers)


async def skip_numbers(connection: Connection, numbers: Mapping[str, int]) -> None:
    for name, following in sorted(numbers.items()):
        opener, _, day = name.partition("/")
        await connection.fetch(SKIP_NUMBERS, opener=opener, day=day, following=following)
