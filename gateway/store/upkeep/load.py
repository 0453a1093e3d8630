"""How much lies with whom, for `/metrics`: each figure is a range of an index, counted no further than to `MOST`.

Partners, receivers and routes are found by jumping through an index from one to the next, as in `health`. Ranges are
compared as rows of columns, so that only the index over just these will do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, text

from gateway.core.requests.listing import IN, OUT, Waits
from gateway.core.signals.load import Load, PartnerLoad
from gateway.store.engine.columns import CODE, Instant, moment
from gateway.store.engine.connection import Row
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.upkeep.health import MOST

NEWEST = 2_000
"""Rows of the quarantine among which those are counted that nobody has dealt with."""
UNDELIVERED_STATES = ("approved", "blocked", "dispatched", "raised", "sent", "undeliverable")
UNANSWERED_STATES = (
    "delivered",
    "received",
    "accepted",
    "in-progress",
    "acknowledged",
    "team-sent",
    "identity-checked",
)
TURNS = ("approval", "asked", "asker", "gateway")

_PARAMETERS: dict[str, Any] = {
    "most": Integer(), "newest": Integer(), "now": Instant(), "soon": Instant(), "home": CODE, "home_first": CODE,
    "home_end": CODE, "state": CODE, "type": CODE,
}  # fmt: skip


def _asking(sql: str, **parts: str) -> Query:
    """parts: what stands for `<name>` in the text, until none is left."""
    while any(f"<{name}>" in sql for name in parts):
        for name, part in parts.items():
            sql = sql.replace(f"<{name}>", part)
    named = set(re.findall(r":([a-z_]+)", sql))
    return Query(text(sql).bindparams(*(bindparam(name, type_=_PARAMETERS[name]) for name in sorted(named))))


def _values(values: Sequence[str]) -> str:
    return "VALUES " + ", ".join(f"('{value}')" for value in values)


# Who is asked in anything that is open, one after the other. `~` is behind every turn.
_WHOM = """
    whom(code) AS (
        SELECT (SELECT asked FROM requests WHERE turn <> '' AND (asked, turn) > ('', '') ORDER BY asked, turn LIMIT 1)
        UNION ALL
        SELECT (SELECT asked FROM requests WHERE turn <> '' AND (asked, turn) > (whom.code, '~')
                ORDER BY asked, turn LIMIT 1)
        FROM whom WHERE whom.code IS NOT NULL
    )
"""
# Of each: what it owes, what of that is overdue, what is due soon.
OWED = _asking(
    """
    WITH RECURSIVE <whom>
    SELECT
        whom.code,
        (SELECT count(*) FROM (
            SELECT 1 FROM requests WHERE turn <> ''
            AND (asked, turn) >= (whom.code, 'asked') AND (asked, turn) <= (whom.code, 'asked') LIMIT :most) AS found),
        (SELECT count(*) FROM (
            SELECT 1 FROM requests WHERE turn <> ''
            AND (asked, turn, due_at) > (whom.code, 'asked', -1)
            AND (asked, turn, due_at) <= (whom.code, 'asked', :now) LIMIT :most) AS found),
        (SELECT count(*) FROM (
            SELECT 1 FROM requests WHERE turn <> ''
            AND (asked, turn, due_at) > (whom.code, 'asked', :now)
            AND (asked, turn, due_at) <= (whom.code, 'asked', :soon) LIMIT :most) AS found)
    FROM whom WHERE whom.code IS NOT NULL
    """,
    whom=_WHOM,
)
# Requests of one state, by the court whose code begins their numbers. These grow with the day: the first one is the
# oldest, or of its day.
_OF_STATE = """
    (asked, state, request_no) > (whom.code, states.state, :home_first)
    AND (asked, state, request_no) < (whom.code, states.state, :home_end)
"""
UNDELIVERED = _asking(
    """
    WITH RECURSIVE <whom>, states(state) AS (<states>)
    SELECT
        whom.code,
        (SELECT count(*) FROM (SELECT 1 FROM requests WHERE <of_state> LIMIT :most) AS found),
        (SELECT created_at FROM requests WHERE <of_state> ORDER BY asked, state, request_no LIMIT 1)
    FROM whom CROSS JOIN states WHERE whom.code IS NOT NULL
    """,
    whom=_WHOM,
    states=_values(UNDELIVERED_STATES),
    of_state=_OF_STATE,
)
UNANSWERED = _asking(
    """
    WITH RECURSIVE <whom>, states(state) AS (<states>)
    SELECT
        whom.code,
        (SELECT created_at FROM requests WHERE <of_state> AND coalesce(turn, '') = 'asked'
         ORDER BY asked, state, request_no LIMIT 1)
    FROM whom CROSS JOIN states WHERE whom.code IS NOT NULL
    """,
    whom=_WHOM,
    states=_values(UNANSWERED_STATES),
    of_state=_OF_STATE,
)
# By whose turn it is, where the court asks, and where it is asked: what is overdue, what is due soon.
_DUE = """
    WITH turns(turn) AS (<turns>)
    SELECT
        turns.turn,
        (SELECT count(*) FROM (
            SELECT 1 FROM requests WHERE requests.turn <> ''
            AND (<columns>, due_at) > (<values>, -1) AND (<columns>, due_at) <= (<values>, :now) LIMIT :most) AS found),
        (SELECT count(*) FROM (
            SELECT 1 FROM requests WHERE requests.turn <> ''
            AND (<columns>, due_at) > (<values>, :now) AND (<columns>, due_at) <= (<values>, :soon)
            LIMIT :most) AS found)
    FROM turns
"""
DUE_OUT = _asking(_DUE, turns=_values(TURNS), columns="requests.turn, asker", values="turns.turn, :home")
DUE_IN = _asking(_DUE, turns=_values(TURNS), columns="asked, requests.turn", values=":home, turns.turn")
# By the first column of a partial index of the outbox.
_LABELLED = """
    WITH RECURSIVE labels(label) AS (
        SELECT (SELECT <label> FROM outbox WHERE (<condition>) AND <label> > '' ORDER BY <label>, <then> LIMIT 1)
        UNION ALL
        SELECT (SELECT <label> FROM outbox WHERE (<condition>) AND <label> > labels.label
                ORDER BY <label>, <then> LIMIT 1)
        FROM labels WHERE labels.label IS NOT NULL
    )
    SELECT label, (SELECT count(*) FROM (
        SELECT 1 FROM outbox WHERE (<condition>) AND <label> = labels.label LIMIT :most) AS found)
    FROM labels WHERE label IS NOT NULL
"""
DEAD_BY_RECEIVER = _asking(_LABELLED, label="receiver", then="id", condition="state = 'parked' OR state = 'dead'")
READY_BY_ROUTE = _asking(_LABELLED, label="route", then="due_at", condition="state = 'ready'")
QUARANTINE_OPEN = _asking(
    """
    SELECT newest.reason, count(*)
    FROM (SELECT id, reason, "count" AS times FROM quarantine ORDER BY id DESC LIMIT :newest) AS newest
    LEFT JOIN quarantine_ends ON quarantine_ends.row_id = newest.id
    WHERE quarantine_ends.row_id IS NULL OR newest.times > quarantine_ends."count"
    GROUP BY newest.reason
    """
)
# Of one state and type; few are open at a time.
OLDEST_OF = _asking(
    """
    SELECT min(created_at) FROM (
        SELECT created_at FROM requests
        WHERE (state, type) >= (:state, :type) AND (state, type) <= (:state, :type) LIMIT :most) AS found
    """
)

LOAD = (OWED, UNDELIVERED, UNANSWERED, DUE_OUT, DUE_IN, DEAD_BY_RECEIVER, READY_BY_ROUTE, QUARANTINE_OPEN)


class Loads(Reads):
    """Of `application.ports.store.Store` what a monitor asks."""

    async def load(self, home: str, now: datetime, soon: datetime) -> Load:
        async with self.database.reader() as connection:
            owed, undelivered, unanswered, out, into, dead, ready, open_rows = await connection.fetch_all(
                LOAD, most=MOST, newest=NEWEST, now=now, soon=soon, home=home, home_first=f"{home}-",
                home_end=f"{home}.",
            )  # fmt: skip
        partners: dict[str, PartnerLoad] = {}

        def of(code: str) -> PartnerLoad:
            return partners.setdefault(code, PartnerLoad())

        for code, owes, overdue, due_soon in owed:
            one = of(code)
            one.owes, one.overdue, one.due_soon = owes, overdue, due_soon
        for code, count, oldest in undelivered:
            one = of(code)
            one.undelivered += count
            one.oldest_undelivered = _earlier(one.oldest_undelivered, oldest)
        for code, oldest in unanswered:
            of(code).oldest_unanswered = _earlier(of(code).oldest_unanswered, oldest)
        for code, count in dead:
            of(code).dead = count
        for route, count in ready:
            code, _, lane = route.partition(".")
            of(code).ready[lane] = count
        return Load(partners, *_by_turn(out, into), {row[0]: row[1] for row in open_rows})

    async def oldest_of(self, state: str, type: str) -> datetime | None:
        """When the oldest request of that state and type was made."""
        at: int | None = await self._scalar(OLDEST_OF, state=state, type=type, most=MOST)
        return None if at is None else moment(at)


def _earlier(known: datetime | None, at: int | None) -> datetime | None:
    if at is None:
        return known
    return moment(at) if known is None else min(known, moment(at))


def _by_turn(out: Sequence[Row], into: Sequence[Row]) -> tuple[Mapping[Waits, int], Mapping[Waits, int]]:
    """(overdue, due soon) by whom they wait for."""
    overdue: dict[Waits, int] = {"us": 0, "partner": 0, "approval": 0}
    due_soon = dict(overdue)
    for rows, sides in ((out, OUT), (into, IN)):
        for turn, late, soon in rows:
            for waits in overdue:
                if turn in sides[waits]:
                    overdue[waits] += late
                    due_soon[waits] += soon
    return overdue, due_soon
