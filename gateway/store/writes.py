"""`apply`: one decision, or many, written in the order of the fields of `Changes`; events last.

Every statement has a name here. Values reach the drivers directly (`bulk`), converted by the codecs of `rows`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import func, literal_column, select

from gateway.core.records import Changes, CourtFigure, LedgerLine, Message, OutboxRow, QuarantineRow, Timer
from gateway.errors import ConflictError, MisuseError
from gateway.store import bulk, paging, tables
from gateway.store.columns import EPOCH, micros
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
    CALENDAR,
    COURT_FIGURE,
    DOCUMENT,
    EVENT,
    IDEMPOTENCY,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    OUTBOX,
    PAGE,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBJECT_USE,
    SUBMISSION,
    TIMER,
    Values,
)

# Every writer of events queues here on PostgreSQL until the one before has committed (design.md 3.3 Feed).
FEED_LOCK = Query(select(func.pg_advisory_xact_lock(literal_column("4993446653023372133"))))

# What identifies a conversation never changes after `open`.
REQUEST_FIXED = frozenset(
    {
        *("request_no", "type", "version", "shape", "asker", "asked", "created_at", "rev"),
        *("case_no", "group_no", "related", "client", "submission_id"),
    }
)
_r, _m, _o, _t, _x = tables.requests.c, tables.messages.c, tables.outbox.c, tables.timers.c, tables.measures.c
_q, _refs = tables.quarantine.c, tables.document_refs.c
_request_changing = [c for c in REQUEST.columns if c.name not in REQUEST_FIXED]
_measure_changing = [c for c in MEASURE.columns if c is not _x.measure_no]
_outbox_rest = [c for c in OUTBOX.written if c is not _o.due_at]

INSERT_REQUESTS = bulk.insert(tables.requests, REQUEST.written)
UPDATE_REQUESTS = bulk.update(
    tables.requests, _request_changing, [_r.request_no, _r.rev], also=", rev = requests.rev + 1"
)
INSERT_SUBMISSIONS = bulk.insert(tables.submissions, SUBMISSION.written)
INSERT_MESSAGES = bulk.insert(tables.messages, MESSAGE.written)
SET_DISPOSITIONS = bulk.update(tables.messages, [_m.disposition], [_m.id, _m.sender])
SET_ANSWERS = bulk.update(tables.messages, [_m.answer_id], [_m.id, _m.sender])
DESTROY_CONTENT = bulk.update(tables.messages, [_m.disclosure], [_m.id, _m.sender])
DESTROY_REFUSED = bulk.update(tables.quarantine, [_q.body], [_q.message_id, _q.owner])
INSERT_OUTBOX = bulk.insert(tables.outbox, [*_outbox_rest, _o.due_at])
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
    'ON CONFLICT (request_no, kind) DO UPDATE SET due_at = excluded.due_at, "count" = excluded."count", '
    "start_at = excluded.start_at, provisional = excluded.provisional",
)
CLEAR_TIMERS = bulk.delete(tables.timers, [_t.request_no, _t.kind])
INSERT_MEASURES = bulk.insert(tables.measures, MEASURE.written)
UPDATE_MEASURES = bulk.update(tables.measures, _measure_changing, [_x.measure_no])
INSERT_MEASURE_STEPS = bulk.insert(tables.measure_steps, MEASURE_STEP.written)
INSERT_PAGES = bulk.insert(tables.pages, PAGE.written)
INSERT_DOCUMENT_REFS = bulk.insert(
    tables.document_refs, [_refs.request_no, _refs.sha256], "ON CONFLICT (sha256, request_no) DO NOTHING"
)
INSERT_DOCUMENTS = bulk.insert(tables.documents, DOCUMENT.written, "ON CONFLICT (sha256) DO NOTHING")
COUNT_QUARANTINE = bulk.insert(
    tables.quarantine,
    QUARANTINE.written,
    'ON CONFLICT (body_sha256, owner) DO UPDATE SET "count" = quarantine."count" + excluded."count"',
)
INSERT_IDEMPOTENCY = bulk.insert(tables.idempotency, IDEMPOTENCY.written)
PUT_LEDGER = bulk.insert(
    tables.ledger_entries,
    LEDGER.written,
    "ON CONFLICT (ledger, item_no, source) DO UPDATE SET "
    + ", ".join(f"{c.name} = excluded.{c.name}" for c in LEDGER.written if not c.primary_key),
)
PUT_COURT_FIGURES = bulk.insert(
    tables.court_figures,
    COURT_FIGURE.written,
    "ON CONFLICT (period, name) DO UPDATE SET value = excluded.value, at = excluded.at",
)
SET_CALENDARS = bulk.insert(
    tables.calendars,
    CALENDAR.written,
    "ON CONFLICT (year) DO UPDATE SET notice = excluded.notice, issued_on = excluded.issued_on, rest = excluded.rest, "
    'work = excluded.work, "at" = excluded."at"',
)
INSERT_APPROVALS = bulk.insert(tables.approvals, APPROVAL.written)
INSERT_SUBJECT_USES = bulk.insert(
    tables.subject_uses, SUBJECT_USE.written, "ON CONFLICT (subject_key, request_no) DO NOTHING"
)
INSERT_RELEASES = bulk.insert(tables.releases, RELEASE.written)
INSERT_RELEASE_ITEMS = bulk.insert(tables.release_items, RELEASE_ITEM.written)
# 交叉执行 alone moves a request to another case.
CHANGE_CASES = bulk.update(tables.requests, [_r.case_no], [_r.request_no])
INSERT_EVENTS = bulk.insert(tables.events, EVENT.written)

new_request = REQUEST.writer(REQUEST.written)
changed_request = REQUEST.writer([*_request_changing, _r.request_no, _r.rev])
new_submission = SUBMISSION.writer(SUBMISSION.written)
new_message = MESSAGE.writer(MESSAGE.written)
new_outbox = OUTBOX.writer(_outbox_rest)
timer = TIMER.writer(TIMER.written)
new_measure = MEASURE.writer(MEASURE.written)
changed_measure = MEASURE.writer([*_measure_changing, _x.measure_no])
measure_step = MEASURE_STEP.writer(MEASURE_STEP.written)
new_page = PAGE.writer(PAGE.written)
new_document = DOCUMENT.writer(DOCUMENT.written)
refused = QUARANTINE.writer(QUARANTINE.written)
remembered = IDEMPOTENCY.writer(IDEMPOTENCY.written)
ledger_line = LEDGER.writer(LEDGER.written)
court_figure = COURT_FIGURE.writer(COURT_FIGURE.written)
imported = CALENDAR.writer(CALENDAR.written)
approval = APPROVAL.writer(APPROVAL.written)
subject_use = SUBJECT_USE.writer(SUBJECT_USE.written)
release = RELEASE.writer(RELEASE.written)
release_item = RELEASE_ITEM.writer(RELEASE_ITEM.written)
event = EVENT.writer(EVENT.written)


async def apply(connection: Connection, changes: Changes) -> None:
    """Write `changes`. Raises ConflictError (`request-rev`, or a constraint) and MisuseError (a row to be changed
    does not exist); the transaction is then of no further use."""
    await connection.run(INSERT_REQUESTS, [new_request(r) for r in changes.new_requests])
    if await connection.run(UPDATE_REQUESTS, [changed_request(r) for r in changes.requests]) != len(changes.requests):
        raise ConflictError("request-rev")
    await connection.run(INSERT_SUBMISSIONS, [new_submission(s) for s in changes.submissions])
    await connection.run(INSERT_MESSAGES, [new_message(m) for m in changes.messages])
    dispositions = {(i, sender): (new, i, sender) for sender, i, new in changes.dispositions}
    await _all(SET_DISPOSITIONS, connection, list(dispositions.values()))
    answers = {(i, sender): (answer, i, sender) for sender, i, answer in changes.answers}
    await _all(SET_ANSWERS, connection, list(answers.values()))
    await connection.run(DESTROY_CONTENT, [(None, i, sender) for sender, i in changes.destroyed])
    await connection.run(DESTROY_REFUSED, [(b"", i, sender) for sender, i in changes.destroyed])
    await connection.run(INSERT_OUTBOX, _outbox_rows(changes.outbox, changes.messages))
    await connection.run(OUTBOX_AGAIN, [(i, sender) for sender, i in changes.outbox_again])
    await connection.run(OUTBOX_CANCEL, [(number,) for number in changes.outbox_cancel])
    await connection.run(SET_TIMERS, [timer(t) for t in _last(changes.timers)])
    await connection.run(CLEAR_TIMERS, changes.timers_clear)
    await connection.run(INSERT_MEASURES, [new_measure(m) for m in changes.new_measures])
    measures = {m.measure_no: m for m in changes.measures}  # what was decided last
    await _all(UPDATE_MEASURES, connection, [changed_measure(m) for m in measures.values()])
    await connection.run(INSERT_MEASURE_STEPS, [measure_step(s) for s in changes.measure_steps])
    await connection.run(INSERT_PAGES, [new_page(p) for p in changes.new_pages])
    if changes.pages_cancel:
        await connection.fetch(paging.CANCEL_PAGES, alerts=changes.pages_cancel)
    await connection.run(INSERT_DOCUMENT_REFS, changes.document_refs)
    await connection.run(INSERT_DOCUMENTS, [new_document(d) for d in changes.documents])
    await connection.run(COUNT_QUARANTINE, [refused(q) for q in _counted(changes.quarantine)])
    await connection.run(INSERT_IDEMPOTENCY, [remembered(i) for i in changes.idempotency])
    await connection.run(PUT_LEDGER, [ledger_line(line) for line in _lines(changes.ledger)])
    await connection.run(PUT_COURT_FIGURES, [court_figure(f) for f in _figures(changes.court_figures)])
    await connection.run(SET_CALENDARS, [imported(c) for c in changes.calendars])
    await connection.run(INSERT_APPROVALS, [approval(a) for a in changes.approvals])
    await connection.run(INSERT_SUBJECT_USES, [subject_use(u) for u in changes.subject_uses])
    await connection.run(INSERT_RELEASES, [release(r) for r in changes.releases])
    await connection.run(INSERT_RELEASE_ITEMS, [release_item(i) for i in changes.release_items])
    await _all(CHANGE_CASES, connection, [(case_no, number) for number, case_no in changes.case_changes])
    if changes.events and connection.locks:
        await connection.fetch(FEED_LOCK)
    await connection.run(INSERT_EVENTS, [event(e) for e in changes.events])


async def _all(statement: bulk.Bulk, connection: Connection, rows: list[Values]) -> None:
    if (changed := await connection.run(statement, rows)) != len(rows):
        raise MisuseError(f"{len(rows)} rows to change, {changed} exist: {statement.sqlite}")


def _outbox_rows(outbox: list[OutboxRow], messages: list[Message]) -> list[Values]:
    """A new row is due when its message was stored, unless it says when in `next_at`."""
    stored = {(m.sender, m.id): m.stored_at for m in messages} if outbox else {}
    return [
        (*new_outbox(row), micros(row.next_at or stored.get((row.sender, row.message_id), EPOCH))) for row in outbox
    ]


def _last(timers: list[Timer]) -> Iterable[Timer]:
    """Of several for one (request, kind) the last one holds; one statement writes a row once."""
    return {(t.request_no, t.kind): t for t in timers}.values()


def _counted(quarantine: list[QuarantineRow]) -> Iterable[QuarantineRow]:
    """Bytes that came twice in one batch are one row that counts both."""
    rows: dict[tuple[str, str], QuarantineRow] = {}
    for row in quarantine:
        key = (row.owner, row.body_sha256)
        rows[key] = replace(rows[key], count=rows[key].count + row.count) if key in rows else row
    return rows.values()


def _lines(ledger: list[LedgerLine]) -> Iterable[LedgerLine]:
    """Of several from one source the last one holds."""
    return {(line.ledger, line.item_no, line.source): line for line in ledger}.values()


def _figures(figures: list[CourtFigure]) -> Iterable[CourtFigure]:
    return {(figure.period, figure.name): figure for figure in figures}.values()
