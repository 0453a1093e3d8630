"""The figures of `/metrics`, each read by an index and no further than to a bound: what is finished grows for years.

Labels are found by jumping through an index from one to the next (PostgreSQL wiki, "Loose indexscan"), and of each at
most `MOST` rows are counted.
"""

from __future__ import annotations

from sqlalchemy import Integer, TextClause, bindparam, func, select, text

from gateway.store import tables
from gateway.store.query import Query

MOST = 10_000
"""Of one label; a figure of so many says "so many or more"."""

_p = tables.paused_routes.c


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
