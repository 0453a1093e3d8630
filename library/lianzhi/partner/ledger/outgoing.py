"""The ledger's outbox: what waits for the broker's confirm, what goes out again, what was confirmed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from lianzhi.partner.ledger.records import OUTBOX, OutboxRow
from lianzhi.partner.ledger.unit import Unit

_COLUMNS = ",".join(OUTBOX)


def ready(connection: sqlite3.Connection, limit: int) -> list[OutboxRow]:
    """What is not confirmed, in the order in which it was made."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM lz_outbox WHERE state = 'ready' ORDER BY no LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_row(row) for row in rows]


def answers_again(unit: Unit, message_id: str, more: int) -> list[OutboxRow]:
    """What we said from that message on, ready once more: the stored answer to it and up to `more` that came after it
    in its request, the same bytes in order. Who asks again may have lost them all."""
    first = unit.execute(
        "SELECT no, request_no, seqno FROM lz_outbox WHERE cause = ? ORDER BY no LIMIT 1", (message_id,)
    ).fetchone()
    if first is None:
        return []
    no, request_no, seqno = first
    if request_no is None:
        return _again(unit, "no = ?", (no,))
    return said_again(unit, request_no, seqno, 1 + more)


def said_again(unit: Unit, request_no: str, seqno: int, limit: int) -> list[OutboxRow]:
    """What the broker confirmed of ours in that request from that number on, the first `limit` of it."""
    return _again(
        unit,
        "no IN (SELECT no FROM lz_outbox WHERE request_no = ? AND seqno >= ? AND state = 'sent' AND text != ''"
        " ORDER BY seqno LIMIT ?)",
        (request_no, seqno, limit),
    )


def from_seqno_again(unit: Unit, request_no: str, seqno: int, limit: int) -> list[OutboxRow]:
    """What is ours in that request from that number on, the first `limit` of it, ready once more."""
    return _again(
        unit,
        "no IN (SELECT no FROM lz_outbox WHERE request_no = ? AND seqno >= ? AND state IN ('sent', 'refused')"
        " AND text != '' ORDER BY seqno LIMIT ?)",
        (request_no, seqno, limit),
        "'sent', 'refused'",
    )


def ready_again(unit: Unit, row: OutboxRow, since: str) -> OutboxRow | None:
    """A row that may have gone before: it waits for the broker from now on. None where it was made after `since`."""
    found = unit.execute(
        "INSERT INTO lz_outbox (id, request_no, seqno, verb, cause, routing_key, text, made_at, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'ready') ON CONFLICT (id) DO UPDATE SET state = 'ready',"
        " made_at = excluded.made_at WHERE lz_outbox.made_at < ? AND lz_outbox.state = 'sent' RETURNING id",
        (row.id, row.request_no, row.seqno, row.verb, row.cause, row.routing_key, row.text, row.made_at, since),
    ).fetchone()
    return row if found else None


def by_id(unit: Unit, message_id: str) -> OutboxRow | None:
    row = unit.execute(f"SELECT {_COLUMNS} FROM lz_outbox WHERE id = ?", (message_id,)).fetchone()  # noqa: S608
    return _row(row) if row else None


def _again(unit: Unit, where: str, parameters: Sequence[Any], states: str = "'sent'") -> list[OutboxRow]:
    rows = unit.execute(
        f"UPDATE lz_outbox SET state = 'ready' WHERE {where} AND state IN ({states}) AND text != ''"  # noqa: S608
        f" RETURNING {_COLUMNS}",
        parameters,
    ).fetchall()
    return sorted((_row(row) for row in rows), key=lambda r: r.seqno or 0)


def _row(values: Sequence[Any]) -> OutboxRow:
    return OutboxRow(**dict(zip(OUTBOX, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Job: the broker has these."""

    message_ids: Collection[str]
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> None:
        unit.execute(
            "UPDATE lz_outbox SET state = 'sent', error = NULL"
            " WHERE id IN (SELECT value FROM json_each(?)) AND state = 'ready'",
            (json.dumps(list(self.message_ids)),),
        )


@dataclass(frozen=True, slots=True)
class Failed:
    """Job: this one could not be published; it stays ready. error: for `doctor`."""

    message_id: str
    error: str
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> None:
        unit.execute("UPDATE lz_outbox SET error = ? WHERE id = ?", (self.error, self.message_id))


@dataclass(frozen=True, slots=True)
class Refused:
    """Job: the peer will not take this one, whatever we do; the application has to say it again."""

    message_id: str
    error: str
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> None:
        refuse(unit, self.message_id, self.error)


def refuse(unit: Unit, message_id: str, error: str) -> None:
    unit.execute("UPDATE lz_outbox SET state = 'refused', error = ? WHERE id = ?", (error, message_id))
