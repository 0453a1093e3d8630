"""`apply`: one decision, or many, written in the order of the fields of `Changes`; events last.

Every statement has a name here. Values reach the drivers directly, converted by the records' tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, literal_column, select

from gateway.core.records import (
    Changes,
    CourtFigure,
    LedgerLine,
    Measure,
    Message,
    OutboxRow,
    PartnerClock,
    PartnerVersion,
    QuarantineRow,
    Timer,
)
from gateway.core.routing import route_of
from gateway.store.engine.columns import micros
from gateway.store.engine.connection import Connection
from gateway.store.engine.statements import Bulk, Query, Values, Write, delete, insert, update, update_where
from gateway.store.queries import alerts, outbox, papers
from gateway.store.queries.leasing import AT_ONCE
from gateway.store.queries.recovery import INSERT_FORGOTTEN
from gateway.store.tables import (
    APPROVAL,
    CALENDAR,
    CASE_DEBT,
    COURT_FIGURE,
    EARLY,
    EVENT,
    HELD,
    IDEMPOTENCY,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    OUTBOX,
    PAGE,
    PARTNER_CLOCK,
    PARTNER_VERSION,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBJECT_USE,
    SUBMISSION,
    TIMER,
)
from lianzhi.errors import ConflictError, MisuseError

# Every writer of events queues here on PostgreSQL until the one before has committed (docs/contracts.md 3.3 Feed).
FEED_LOCK = Query(select(func.pg_advisory_xact_lock(literal_column("4993446653023372133"))))

TICK = timedelta(microseconds=1)  # the finest that both databases keep
# What identifies a conversation never changes after `open`.
REQUEST_FIXED = frozenset(
    {
        *("request_no", "type", "version", "shape", "asker", "asked", "created_at", "rev"),
        *("case_no", "group_no", "related", "client", "submission_id"),
    }
)
_r, _m, _o, _t, _x = REQUEST.c, MESSAGE.c, OUTBOX.c, TIMER.c, MEASURE.c
_h, _q, _le = HELD.c, QUARANTINE.c, LEDGER.c
_request_changing = [c for c in REQUEST.written if c.name not in REQUEST_FIXED]
_measure_changing = [c for c in MEASURE.columns if c is not _x.measure_no]

INSERT_REQUESTS = REQUEST.insert()
UPDATE_REQUESTS = REQUEST.update(_request_changing, [_r.request_no, _r.rev], also=", rev = requests.rev + 1")
INSERT_SUBMISSIONS = SUBMISSION.insert()
INSERT_MESSAGES = MESSAGE.insert()
SET_DISPOSITIONS = update(MESSAGE.table, [_m.disposition], [_m.id, _m.sender])
SET_ANSWERS = update(MESSAGE.table, [_m.answer_id], [_m.id, _m.sender])
DESTROY_CONTENT = update(MESSAGE.table, [_m.disclosure], [_m.id, _m.sender])
DESTROY_REFUSED = update(QUARANTINE.table, [_q.body], [_q.message_id, _q.owner])
INSERT_OUTBOX = insert(OUTBOX.table, [*OUTBOX.written, _o.route, _o.due_at])
# Behind an earlier number that is not sent yet; `outbox.mark_sent` lets the next one go.
HOLD_OUTBOX = update_where(
    OUTBOX.table,
    "state = 'waiting'",
    [_o.message_id, _o.sender],
    "EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.request_no = outbox.request_no "
    "AND earlier.sender = outbox.sender AND earlier.seqno < outbox.seqno "
    "AND (earlier.state = 'ready' OR earlier.state = 'waiting' OR earlier.state = 'parked'))",
)
# A new budget of attempts, but never "not attempted" again.
OUTBOX_AGAIN = update_where(
    OUTBOX.table,
    f"state = 'ready', due_at = {AT_ONCE}, lease_owner = NULL, reason = NULL, "
    "attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END",
    [_o.message_id, _o.sender],
    "state IN ('sent', 'parked', 'dead')",
)
# What died in its receiver's queue; on its way once more already, it stays that.
OUTBOX_DEAD = update_where(
    OUTBOX.table, "state = 'dead', reason = 'dead-lettered'", [_o.message_id, _o.sender], "state = 'sent'"
)
# One after the other, in the order of their numbers: `HOLD_OUTBOX` puts all but the first behind it.
OUTBOX_IN_ORDER = update(
    OUTBOX.table,
    [_o.due_at],
    [_o.message_id, _o.sender],
    also=", state = 'ready', lease_owner = NULL, reason = NULL, "
    "attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END",
    condition="(state = 'sent' OR state = 'dead')",
)
SET_TIMERS = TIMER.insert(
    'ON CONFLICT (request_no, kind) DO UPDATE SET due_at = excluded.due_at, "count" = excluded."count", '
    "start_at = excluded.start_at, provisional = excluded.provisional, failures = 0, retry_at = NULL",
)
CLEAR_TIMERS = delete(TIMER.table, [_t.request_no, _t.kind])
INSERT_MEASURES = MEASURE.insert()
UPDATE_MEASURES = MEASURE.update(_measure_changing, [_x.measure_no])
INSERT_MEASURE_STEPS = MEASURE_STEP.insert()
INSERT_CASE_DEBTS = CASE_DEBT.insert()
INSERT_PAGES = PAGE.insert()
INSERT_HELD = HELD.insert()
END_HELD = delete(HELD.table, [_h.sender, _h.request_no, _h.seqno])
PUT_PARTNER_VERSIONS = PARTNER_VERSION.put("participant")
INSERT_EARLY = EARLY.insert("ON CONFLICT (owner, body_sha256) DO NOTHING")
PUT_PARTNER_CLOCKS = PARTNER_CLOCK.put("participant")
COUNT_QUARANTINE = QUARANTINE.insert(
    'ON CONFLICT (body_sha256, owner) DO UPDATE SET "count" = quarantine."count" + excluded."count"',
)
INSERT_IDEMPOTENCY = IDEMPOTENCY.insert()
PUT_LEDGER = LEDGER.put("ledger", "item_no", "source")
PUT_COURT_FIGURES = COURT_FIGURE.put("period", "name")
SET_CALENDARS = CALENDAR.put("year")
INSERT_APPROVALS = APPROVAL.insert()
INSERT_SUBJECT_USES = SUBJECT_USE.insert("ON CONFLICT (subject_key, request_no) DO NOTHING")
INSERT_RELEASES = RELEASE.insert()
INSERT_RELEASE_ITEMS = RELEASE_ITEM.insert()
# 交叉执行 alone moves a request to another case.
CHANGE_CASES = update(REQUEST.table, [_r.case_no], [_r.request_no])
# The one asked takes a request into its case: what its ledger says of that request follows.
JOIN_LEDGER = update(LEDGER.table, [_le.case_no], [_le.ledger, _le.item_no, _le.request_no])
INSERT_EVENTS = EVENT.insert()

_new_outbox = OUTBOX.writer(OUTBOX.written)


async def apply(connection: Connection, changes: Changes) -> None:
    """Write `changes`. Raises ConflictError (`request-rev`, or a constraint) and MisuseError (a row to be changed
    does not exist); the transaction is then of no further use."""
    writes = _conversations(changes)
    if changes.pages_cancel or changes.documents_named or changes.documents:  # these read before they write
        await connection.run_all(writes)
        writes = []
        if changes.pages_cancel:
            await connection.fetch(alerts.CANCEL_PAGES, alerts=changes.pages_cancel)
        await papers.name(connection, changes.documents_named)
        await papers.put(connection, changes.documents)
    writes += _records(changes)
    if changes.events and connection.locks:
        await connection.run_all(writes)
        writes = []
        await connection.fetch(FEED_LOCK)
    await connection.run_all([*writes, INSERT_EVENTS.of(changes.events)])


def _conversations(changes: Changes) -> list[Write]:
    """Requests and what is said in them: messages, what is to be sent, timers, measures, pages."""
    return [
        INSERT_REQUESTS.of(changes.new_requests),
        UPDATE_REQUESTS.of(changes.requests, ConflictError("request-rev")),
        INSERT_SUBMISSIONS.of(changes.submissions),
        INSERT_MESSAGES.of(_one_after_another(changes.messages)),
        _each(SET_DISPOSITIONS, _last_words(changes.dispositions)),
        _each(SET_ANSWERS, _last_words(changes.answers)),
        Write(DESTROY_CONTENT, [(None, i, sender) for sender, i in changes.destroyed]),
        Write(DESTROY_REFUSED, [(b"", i, sender) for sender, i in changes.destroyed]),
        Write(INSERT_OUTBOX, _outbox_rows(changes.outbox)),
        Write(HOLD_OUTBOX, [(r.message_id, r.sender) for r in changes.outbox if _may_have_to_wait(r)]),
        Write(OUTBOX_DEAD, [(i, sender) for sender, i in changes.outbox_dead]),
        Write(OUTBOX_AGAIN, [(i, sender) for sender, i in changes.outbox_again]),
        Write(OUTBOX_IN_ORDER, [(micros(due), i, sender) for due, sender, i in changes.outbox_in_order]),
        Write(HOLD_OUTBOX, [(i, sender) for _, sender, i in changes.outbox_in_order]),
        Write(outbox.CANCEL, [(number,) for number in changes.outbox_cancel]),
        SET_TIMERS.of(_last(changes.timers)),
        Write(CLEAR_TIMERS, changes.timers_clear),
        INSERT_MEASURES.of(changes.new_measures),
        _each(UPDATE_MEASURES.bulk, UPDATE_MEASURES.rows(_decided_last(changes.measures))),
        INSERT_MEASURE_STEPS.of(changes.measure_steps),
        INSERT_CASE_DEBTS.of(changes.case_debts),
        INSERT_PAGES.of(changes.new_pages),
    ]


def _records(changes: Changes) -> list[Write]:
    """What is kept beside them: what waits or was refused, keys, ledgers, calendars, approvals, releases."""
    return [
        INSERT_HELD.of(changes.held),
        Write(END_HELD, changes.held_over),
        INSERT_EARLY.of(changes.early),
        INSERT_FORGOTTEN.of(changes.forgotten),
        COUNT_QUARANTINE.of(_counted(changes.quarantine)),
        PUT_PARTNER_CLOCKS.of(_heard_last(changes.partner_clocks)),
        PUT_PARTNER_VERSIONS.of(_versions(changes.partner_versions)),
        INSERT_IDEMPOTENCY.of(changes.idempotency),
        PUT_LEDGER.of(_lines(changes.ledger)),
        PUT_COURT_FIGURES.of(_figures(changes.court_figures)),
        SET_CALENDARS.of(changes.calendars),
        INSERT_APPROVALS.of(changes.approvals),
        INSERT_SUBJECT_USES.of(changes.subject_uses),
        INSERT_RELEASES.of(changes.releases),
        INSERT_RELEASE_ITEMS.of(changes.release_items),
        _each(CHANGE_CASES, [(case_no, number) for number, case_no in changes.case_changes]),
        Write(JOIN_LEDGER, changes.ledger_cases),
    ]


def _each(statement: Bulk, rows: Sequence[Values]) -> Write:
    """Each of them must be there."""
    missing = MisuseError(f"not every row to change exists: {statement.sqlite}") if rows else None
    return Write(statement, rows, missing)


def _one_after_another(messages: list[Message]) -> Iterable[Message]:
    """What one unit stores of one request is read in this order, whatever ids its sender has drawn; the last of them
    at the unit's own moment, so that a unit after it comes after all."""
    places = [(message.request_no, message.stored_at) for message in messages]
    after = Counter(places)
    for message, place in zip(messages, places, strict=True):
        after[place] -= 1
        behind = after[place] if message.request_no is not None else 0
        yield replace(message, stored_at=message.stored_at - behind * TICK) if behind else message


def _last_words(said: Sequence[tuple[str, str, str]]) -> list[Values]:
    """(sender, id, what of it) as rows to set; of several about one message the last one holds."""
    return [*{(i, sender): (what, i, sender) for sender, i, what in said}.values()]


def _decided_last(measures: list[Measure]) -> Iterable[Measure]:
    return {m.measure_no: m for m in measures}.values()


def _heard_last(clocks: list[PartnerClock]) -> Iterable[PartnerClock]:
    """In one order: two units that write the same clocks must not wait for each other."""
    last = {c.participant: c for c in clocks}
    return [last[participant] for participant in sorted(last)]


def _outbox_rows(rows: list[OutboxRow]) -> list[Values]:
    return [(*_new_outbox(row), route_of(row.routing_key), AT_ONCE) for row in rows]


def _may_have_to_wait(row: OutboxRow) -> bool:
    """Whether there can be an unsent row before it in its request."""
    return row.request_no is not None and row.seqno is not None and row.seqno > 1 and not row.overtakes


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


def _versions(said: list[PartnerVersion]) -> Iterable[PartnerVersion]:
    """What was said last."""
    return {v.participant: v for v in said}.values()


def _lines(ledger: list[LedgerLine]) -> Iterable[LedgerLine]:
    """Of several from one source the last one holds."""
    return {(line.ledger, line.item_no, line.source): line for line in ledger}.values()


def _figures(figures: list[CourtFigure]) -> Iterable[CourtFigure]:
    return {(figure.period, figure.name): figure for figure in figures}.values()
