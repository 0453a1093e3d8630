"""`apply`: one decision, or many, written in the order of the fields of `Changes`; events last.

Every statement has a name here. Values reach the drivers directly (`bulk`), converted by the codecs of `rows`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.core.records import Changes, Event, Measure, Message, OutboxRow, QuarantineRow, Request, Timer
from gateway.errors import ConflictError, MisuseError
from gateway.store import bulk, tables
from gateway.store.columns import EPOCH
from gateway.store.rows import (
    DOCUMENT,
    EVENT,
    IDEMPOTENCY,
    MEASURE,
    MESSAGE,
    OUTBOX,
    QUARANTINE,
    REQUEST,
    SUBMISSION,
    TIMER,
    Values,
)

# Every writer of events queues here on PostgreSQL until the one before has committed (design.md 3.3 Feed).
FEED_LOCK = "SELECT pg_advisory_xact_lock(4993446653023372133)"  # 'Lianzhie' as a number

# What identifies a conversation never changes after `open`.
REQUEST_FIXED = frozenset(
    {
        *("request_no", "type", "version", "shape", "asker", "asked", "created_at", "rev"),
        *("case_no", "group_no", "related", "client", "submission_id"),
    }
)
_REQUEST_CHANGING = [c for c in REQUEST.columns if c.name not in REQUEST_FIXED]
_r, _m, _o, _t, _x = tables.requests.c, tables.messages.c, tables.outbox.c, tables.timers.c, tables.measures.c
_MEASURE_CHANGING = [c for c in MEASURE.columns if c.name != "measure_no"]

INSERT_REQUESTS = bulk.insert(tables.requests, REQUEST.written)
UPDATE_REQUESTS = bulk.update(
    tables.requests, _REQUEST_CHANGING, [_r.request_no, _r.rev], also=", rev = requests.rev + 1"
)
INSERT_SUBMISSIONS = bulk.insert(tables.submissions, SUBMISSION.written)
INSERT_MESSAGES = bulk.insert(tables.messages, MESSAGE.written)
SET_DISPOSITIONS = bulk.update(tables.messages, [_m.disposition], [_m.id, _m.sender])
SET_ANSWERS = bulk.update(tables.messages, [_m.answer_id], [_m.id, _m.sender])
INSERT_OUTBOX = bulk.insert(tables.outbox, OUTBOX.written)
# A new budget of attempts, but never "not attempted" again.
OUTBOX_AGAIN = bulk.update_where(
    tables.outbox,
    "state = 'ready', due_at = 0, lease_owner = NULL, reason = NULL, "
    "attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END",
    [_o.message_id, _o.sender],
    "state IN ('sent', 'parked')",
)
OUTBOX_CANCEL = bulk.update_where(
    tables.outbox, "state = 'cancelled'", [_o.request_no], "state = 'ready' AND attempts = 0"
)
SET_TIMERS = bulk.insert(
    tables.timers,
    TIMER.written,
    'ON CONFLICT (request_no, kind) DO UPDATE SET due_at = excluded.due_at, "count" = excluded."count"',
)
CLEAR_TIMERS = bulk.delete(tables.timers, [_t.request_no, _t.kind])
INSERT_MEASURES = bulk.insert(tables.measures, MEASURE.written)
UPDATE_MEASURES = bulk.update(tables.measures, _MEASURE_CHANGING, [_x.measure_no])
INSERT_DOCUMENT_REFS = bulk.insert(
    tables.document_refs,
    [tables.document_refs.c.request_no, tables.document_refs.c.sha256],
    "ON CONFLICT (sha256, request_no) DO NOTHING",
)
INSERT_DOCUMENTS = bulk.insert(tables.documents, DOCUMENT.written, "ON CONFLICT (sha256) DO NOTHING")
COUNT_QUARANTINE = bulk.insert(
    tables.quarantine,
    QUARANTINE.written,
    'ON CONFLICT (body_sha256, owner) DO UPDATE SET "count" = quarantine."count" + excluded."count"',
)
INSERT_IDEMPOTENCY = bulk.insert(tables.idempotency, IDEMPOTENCY.written)
INSERT_EVENTS = bulk.insert(tables.events, EVENT.written)


async def apply(connection: AsyncConnection, changes: Changes) -> None:
    """Write `changes`. Raises ConflictError (`request-rev`, or a constraint) and MisuseError (a row to be changed
    does not exist); the transaction is then of no further use."""
    await INSERT_REQUESTS.run(connection, REQUEST.rows(changes.new_requests))
    await _update_requests(connection, changes.requests)
    await INSERT_SUBMISSIONS.run(connection, SUBMISSION.rows(changes.submissions))
    await INSERT_MESSAGES.run(connection, MESSAGE.rows(changes.messages))
    dispositions = {(i, sender): (new, i, sender) for sender, i, new in changes.dispositions}
    await _all(SET_DISPOSITIONS, connection, dispositions.values())
    answers = {(i, sender): (answer, i, sender) for sender, i, answer in changes.answers}
    await _all(SET_ANSWERS, connection, answers.values())
    await INSERT_OUTBOX.run(connection, _outbox_rows(changes.outbox, changes.messages))
    await OUTBOX_AGAIN.run(connection, [(i, sender) for sender, i in changes.outbox_again])
    await OUTBOX_CANCEL.run(connection, [(number,) for number in changes.outbox_cancel])
    await SET_TIMERS.run(connection, _last_timers(changes.timers))
    await CLEAR_TIMERS.run(connection, changes.timers_clear)
    await INSERT_MEASURES.run(connection, MEASURE.rows(changes.new_measures))
    await _all(UPDATE_MEASURES, connection, [_measure_update(m) for m in changes.measures])
    await INSERT_DOCUMENT_REFS.run(connection, changes.document_refs)
    await INSERT_DOCUMENTS.run(connection, DOCUMENT.rows(changes.documents))
    await COUNT_QUARANTINE.run(connection, _counted(changes.quarantine))
    await INSERT_IDEMPOTENCY.run(connection, IDEMPOTENCY.rows(changes.idempotency))
    await _insert_events(connection, changes.events)


async def _update_requests(connection: AsyncConnection, requests: list[Request]) -> None:
    """All of them, each only if its `rev` is still the one that was read."""
    rows = [(*_changing(REQUEST.write(r)), r.request_no, r.rev) for r in requests]
    if await UPDATE_REQUESTS.run(connection, rows) != len(rows):
        raise ConflictError("request-rev")


_CHANGING_AT = [i for i, c in enumerate(REQUEST.written) if c.name not in REQUEST_FIXED]


def _changing(values: Values) -> Values:
    return tuple(values[i] for i in _CHANGING_AT)


async def _all(statement: bulk.Bulk, connection: AsyncConnection, rows: Iterable[Values]) -> None:
    rows = list(rows)
    if (changed := await statement.run(connection, rows)) != len(rows):
        raise MisuseError(f"{len(rows)} rows to change, {changed} exist: {statement.sqlite}")


def _outbox_rows(outbox: list[OutboxRow], messages: list[Message]) -> list[Values]:
    """A new row is due when its message was stored; one that waits says so in `next_at`."""
    stored: dict[tuple[str, str], datetime] = {(m.sender, m.id): m.stored_at for m in messages} if outbox else {}
    rows = []
    for row in outbox:
        due_at = row.next_at or stored.get((row.sender, row.message_id), EPOCH)
        rows.append(OUTBOX.write(replace(row, next_at=due_at)))
    return rows


def _last_timers(timers: list[Timer]) -> list[Values]:
    return TIMER.rows(list({(t.request_no, t.kind): t for t in timers}.values()))


def _measure_update(measure: Measure) -> Values:
    number, *rest = MEASURE.write(measure)
    return (*rest, number)


def _counted(refused: list[QuarantineRow]) -> list[Values]:
    """Bytes that came twice in one batch are one row that counts both."""
    rows: dict[tuple[str, str], QuarantineRow] = {}
    for row in refused:
        key = (row.owner, row.body_sha256)
        rows[key] = replace(rows[key], count=rows[key].count + row.count) if key in rows else row
    return QUARANTINE.rows(list(rows.values()))


async def _insert_events(connection: AsyncConnection, events: list[Event]) -> None:
    if events and connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(FEED_LOCK)
    await INSERT_EVENTS.run(connection, EVENT.rows(events))
