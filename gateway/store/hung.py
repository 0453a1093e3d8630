"""Sessions of processes that hang in a transaction (PostgreSQL): ended, so that the rows they locked are given back.

`idle_in_transaction_session_timeout` ends a session that waits for its next command. A process may also hang within
one: the driver sends Parse and Flush, reads the answer, then sends Bind, and for that the server waits without limit
(docs/adr/0018). `state_change` is when the command began.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import Float, bindparam, text

from gateway.store.connection import scalar
from gateway.store.engine import HUNG_SECONDS, Database
from gateway.store.query import Query
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of

LOOK_SECONDS = 1.0

END_HUNG = Query(
    text(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        " AND application_name = current_setting('application_name') AND state = 'active' AND wait_event = 'ClientRead'"
        " AND state_change < clock_timestamp() - make_interval(secs => :seconds)"
    ).bindparams(bindparam("seconds", type_=Float()))
)

log = structlog.get_logger("store")


async def watch(database: Database, stop: asyncio.Event) -> None:
    """Until `stop`; survives a database that is away. SQLite has nothing of the kind: one process writes."""
    while not stop.is_set():
        try:
            async with database.reader() as connection:
                ended = await scalar(connection, END_HUNG, seconds=HUNG_SECONDS)
        except StoreUnavailableError as error:
            log.warning("store-unavailable", error=cause_of(error))
        else:
            if ended:
                log.warning("hung-sessions-ended", count=ended)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
