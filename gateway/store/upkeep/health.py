"""Whether the store answers and can be written, its clock, and the figures of `/metrics`, each read by an index and no
further than to a bound: what is finished grows for years.

Labels are found by jumping through an index from one to the next (PostgreSQL wiki, "Loose indexscan"), and of each at
most `MOST` rows are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Integer, TextClause, bindparam, func, literal, select, text

from gateway.store.engine import faults
from gateway.store.engine.columns import micros
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.tables import PAUSED_ROUTE
from lianzhi.errors import ConfigurationError

MOST = 10_000
"""Of one label; a figure of so many says "so many or more"."""

_p = PAUSED_ROUTE.c


def _labelled(table: str, column: str) -> TextClause:
    """Rows by the values of an indexed column."""
    return text(
        f"WITH RECURSIVE labels(label) AS (SELECT (SELECT min({column}) FROM {table}) UNION ALL"  # noqa: S608
        f" SELECT (SELECT min({column}) FROM {table} WHERE {column} > labels.label)"
        " FROM labels WHERE labels.label IS NOT NULL)"
        " SELECT label, (SELECT count(*) FROM"
        f" (SELECT 1 FROM {table} WHERE {column} = labels.label LIMIT :most) AS found)"
        " FROM labels WHERE label IS NOT NULL"
    ).bindparams(bindparam("most", type_=Integer()))


# By `requests_state_type`: the states that there are, the types in each, the rows of each pair.
REQUESTS = Query(
    text(
        "WITH RECURSIVE states(state) AS (SELECT (SELECT min(state) FROM requests) UNION ALL"
        " SELECT (SELECT min(state) FROM requests WHERE state > states.state)"
        " FROM states WHERE states.state IS NOT NULL),"
        " pairs(state, type) AS (SELECT state, (SELECT min(type) FROM requests WHERE requests.state = states.state)"
        " FROM states WHERE states.state IS NOT NULL UNION ALL"
        " SELECT state, (SELECT min(type) FROM requests WHERE requests.state = pairs.state"
        " AND requests.type > pairs.type) FROM pairs WHERE pairs.type IS NOT NULL)"
        " SELECT type || '|' || state, (SELECT count(*) FROM (SELECT 1 FROM requests"
        " WHERE requests.state = pairs.state AND requests.type = pairs.type LIMIT :most) AS found)"
        " FROM pairs WHERE type IS NOT NULL"
    ).bindparams(bindparam("most", type_=Integer()))
)
# Sent and cancelled rows are not counted: there are millions, and nobody waits for them. The others are as many as
# `[limits] backlog` lets in, and stand in an index of their own.
OUTBOX = Query(
    text(
        "SELECT outbox.state, count(*) FROM outbox WHERE"
        " (outbox.state = 'ready' OR outbox.state = 'waiting' OR outbox.state = 'parked') GROUP BY outbox.state"
    )
)
PAUSED = Query(select(_p.route + "|" + _p.reason, func.count()).group_by(_p.route, _p.reason))  # a row a queue
QUARANTINE = Query(_labelled("quarantine", "reason"))
EARLY = Query(_labelled("early_messages", "owner"))
FORGOTTEN = Query(_labelled("forgotten_messages", "owner"))
PAGES = Query(_labelled("pages", "state"))
# Those that are due next.
TIMERS = Query(
    text(
        "SELECT kind, count(*) FROM (SELECT kind FROM timers ORDER BY due_at LIMIT :most) AS next GROUP BY kind"
    ).bindparams(bindparam("most", type_=Integer()))
)

COUNTS = {
    "requests": REQUESTS,
    "outbox": OUTBOX,
    "paused": PAUSED,
    "quarantine": QUARANTINE,
    "early": EARLY,
    "forgotten": FORGOTTEN,
    "pages": PAGES,
    "timers": TIMERS,
}

CLOCK = Query(select(func.clock_timestamp()))  # PostgreSQL
PING = Query(select(literal(1, Integer())))

PROBE_BYTES = 64 << 10
"""On SQLite as many pages as a small request takes, so that the probe meets a full disk where a request would;
PostgreSQL packs them into a few bytes."""

WRITE_PROBE = Query(
    text(
        "INSERT INTO write_probes (name, at, content) VALUES ('readiness', :now, :content) "
        "ON CONFLICT (name) DO UPDATE SET at = excluded.at, content = excluded.content"
    )
)


# One of `gateway.store.engine.database.POSTGRES_SETTINGS`, which no pooler passes on.
SESSION_SETTING = Query(text("SELECT current_setting('enable_seqscan')"))


class Health(Reads):
    """Of `application.ports.store.Store` what says how the database is."""

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        return {what: {row[0]: row[1] for row in await self._rows(query, most=MOST)} for what, query in COUNTS.items()}

    async def now(self) -> datetime:
        if self.database.is_sqlite:
            return datetime.now(UTC)  # SQLite's clock is this machine's
        clock: datetime = await self._scalar(CLOCK)
        return clock.astimezone(UTC)

    async def check_direct(self) -> None:
        """Raises ConfigurationError: the session lacks the settings that we asked for, so something stands between us
        and the database."""
        if not self.database.is_sqlite and await self._scalar(SESSION_SETTING) != "off":
            raise ConfigurationError(faults.POOLER)

    async def ping(self) -> None:
        """Raises StoreUnavailableError."""
        await self._rows(PING)

    async def try_writing(self, now: datetime) -> None:
        """One row, written again and again. Raises StoreUnavailableError, there or at the commit."""
        async with self.database.writer() as connection:
            await connection.fetch(WRITE_PROBE, now=micros(now), content=bytes(PROBE_BYTES))
