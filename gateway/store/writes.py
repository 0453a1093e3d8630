"""`apply`: one decision, or many, written in the order of the fields of `Changes`; events last.

Every statement has a name here. Values reach the drivers directly (`bulk`), converted by the codecs of `rows`.
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
from gateway.store import bulk, early, forgotten, outbox, paging, papers, tables
from gateway.store.columns import micros
from gateway.store.connection import Connection, Write
from gateway.store.leasing import AT_ONCE
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
    CALENDAR,
    CASE_DEBT,
    COURT_FIGURE,
    EVENT,
    HELD,
    IDEMPOTENCY,
    LEDGER,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    OUTBOX,
    PAGE,
    PARTNER_VERSION,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBJECT_USE,
    SUBMISSION,
    TIMER,
    Values,
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
_r, _m, _o, _t, _x = tables.requests.c, tables.messages.c, tables.outbox.c, tables.timers.c, tables.measures.c
_h = tables.held.c
_q, _le = tables.quarantine.c, tables.ledger_entries.c
_request_changing = [c for c in REQUEST.columns if c.name not in REQUEST_FIXED]
_measure_changing = [c for c in MEASURE.columns if c is not _x.measure_no]

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
INSERT_OUTBOX = bulk.insert(tables.outbox, [*OUTBOX.written, _o.route, _o.due_at])
# Behind an earlier number that is not sent yet; `outbox.mark_sent` lets the next one go.
HOLD_OUTBOX = bulk.update_where(
    tables.outbox,
    "state = 'waiting'",
    [_o.message_id, _o.sender],
    "EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.request_no = outbox.request_no "
    "AND earlier.sender = outbox.sender AND earlier.seqno < outbox.seqno "
    "AND (earlier.state = 'ready' OR earlier.state = 'waiting' OR earlier.state = 'parked'))",
)
# A new budget of attempts, but never "not attempted" again.
OUTBOX_AGAIN = bulk.update_where(
    tables.outbox,
    f"state = 'ready', due_at = {AT_ONCE}, lease_owner = NULL, reason = NULL, "
    "attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END",
    [_o.message_id, _o.sender],
    "state IN ('sent', 'parked', 'dead')",
)
# What died in its receiver's queue; on its way once more already, it stays that.
OUTBOX_DEAD = bulk.update_where(
    tables.outbox, "state = 'dead', reason = 'dead-lettered'", [_o.message_id, _o.sender], "state = 'sent'"
)
# One after the other, in the order of their numbers: `HOLD_OUTBOX` puts all but the first behind it.
OUTBOX_IN_ORDER = bulk.update(
    tables.outbox,
    [_o.due_at],
    [_o.message_id, _o.sender],
    also=", state = 'ready', lease_owner = NULL, reason = NULL, "
    "attempts = CASE WHEN attempts > 1 THEN 1 ELSE attempts END",
    condition="(state = 'sent' OR state = 'dead')",
)
SET_TIMERS = bulk.insert(
    tables.timers,
    TIMER.written,
    'ON CONFLICT (request_no, kind) DO UPDATE SET due_at = excluded.due_at, "count" = excluded."count", '
    "start_at = excluded.start_at, provisional = excluded.provisional, failures = 0, retry_at = NULL",
)
CLEAR_TIMERS = bulk.delete(tables.timers, [_t.request_no, _t.kind])
INSERT_MEASURES = bulk.insert(tables.measures, MEASURE.written)
UPDATE_MEASURES = bulk.update(tables.measures, _measure_changing, [_x.measure_no])
INSERT_MEASURE_STEPS = bulk.insert(tables.measure_steps, MEASURE_STEP.written)
INSERT_CASE_DEBTS = bulk.insert(tables.case_debts, CASE_DEBT.written)
INSERT_PAGES = bulk.insert(tables.pages, PAGE.written)
INSERT_HELD = bulk.insert(tables.held, HELD.written)
END_HELD = bulk.delete(tables.held, [_h.sender, _h.request_no, _h.seqno])
PUT_PARTNER_VERSIONS = bulk.insert(
    tables.partner_versions,
    PARTNER_VERSION.written,
    "ON CONFLICT (participant) DO UPDATE SET notice_version = excluded.notice_version, at = excluded.at",
)
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
# The one asked takes a request into its case: what its ledger says of that request follows.
JOIN_LEDGER = bulk.update(tables.ledger_entries, [_le.case_no], [_le.ledger, _le.item_no, _le.request_no])
INSERT_EVENTS = bulk.insert(tables.events, EVENT.written)

new_request = REQUEST.writer(REQUEST.written)
changed_request = REQUEST.writer([*_request_changing, _r.request_no, _r.rev])
new_submission = SUBMISSION.writer(SUBMISSION.written)
new_message = MESSAGE.writer(MESSAGE.written)
new_outbox = OUTBOX.writer(OUTBOX.written)
timer = TIMER.writer(TIMER.written)
new_measure = MEASURE.writer(MEASURE.written)
changed_measure = MEASURE.writer([*_measure_changing, _x.measure_no])
measure_step = MEASURE_STEP.writer(MEASURE_STEP.written)
case_debt = CASE_DEBT.writer(CASE_DEBT.written)
new_page = PAGE.writer(PAGE.written)
waiting = HELD.writer(HELD.written)
partner_version = PARTNER_VERSION.writer(PARTNER_VERSION.written)
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
    writes = _conversations(changes)
    if changes.pages_cancel or changes.documents_named or changes.documents:  # these read before they write
        await connection.run_all(writes)
        writes = []
        if changes.pages_cancel:
            await connection.fetch(paging.CANCEL_PAGES, alerts=changes.pages_cancel)
        await papers.name(connection, changes.documents_named)
        await papers.put(connection, changes.documents)
    writes += _records(changes)
    if changes.events and connection.locks:
        await connection.run_all(writes)
        writes = []
        await connection.fetch(FEED_LOCK)
    await connection.run_all([*writes, Write(INSERT_EVENTS, [event(e) for e in changes.events])])


def _conversations(changes: Changes) -> list[Write]:
    """Requests and what is said in them: messages, what is to be sent, timers, measures, pages."""
    return [
        Write(INSERT_REQUESTS, [new_request(r) for r in changes.new_requests]),
        Write(UPDATE_REQUESTS, [changed_request(r) for r in changes.requests], ConflictError("request-rev")),
        Write(INSERT_SUBMISSIONS, [new_submission(s) for s in changes.submissions]),
        Write(INSERT_MESSAGES, [new_message(m) for m in _one_after_another(changes.messages)]),
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
        Write(SET_TIMERS, [timer(t) for t in _last(changes.timers)]),
        Write(CLEAR_TIMERS, changes.timers_clear),
        Write(INSERT_MEASURES, [new_measure(m) for m in changes.new_measures]),
        _each(UPDATE_MEASURES, [changed_measure(m) for m in _decided_last(changes.measures)]),
        Write(INSERT_MEASURE_STEPS, [measure_step(s) for s in changes.measure_steps]),
        Write(INSERT_CASE_DEBTS, [case_debt(d) for d in changes.case_debts]),
        Write(INSERT_PAGES, [new_page(p) for p in changes.new_pages]),
    ]


def _records(changes: Changes) -> list[Write]:
    """What is kept beside them: what waits or was refused, keys, ledgers, calendars, approvals, releases."""
    return [
        Write(INSERT_HELD, [waiting(h) for h in changes.held]),
        Write(END_HELD, changes.held_over),
        Write(early.INSERT_EARLY, [early.new_early(e) for e in changes.early]),
        Write(forgotten.INSERT, [forgotten.new(f) for f in changes.forgotten]),
        Write(COUNT_QUARANTINE, [refused(q) for q in _counted(changes.quarantine)]),
        Write(early.PUT_PARTNER_CLOCKS, [early.partner_clock(c) for c in _heard_last(changes.partner_clocks)]),
        Write(PUT_PARTNER_VERSIONS, [partner_version(v) for v in _versions(changes.partner_versions)]),
        Write(INSERT_IDEMPOTENCY, [remembered(i) for i in changes.idempotency]),
        Write(PUT_LEDGER, [ledger_line(line) for line in _lines(changes.ledger)]),
        Write(PUT_COURT_FIGURES, [court_figure(f) for f in _figures(changes.court_figures)]),
        Write(SET_CALENDARS, [imported(c) for c in changes.calendars]),
        Write(INSERT_APPROVALS, [approval(a) for a in changes.approvals]),
        Write(INSERT_SUBJECT_USES, [subject_use(u) for u in changes.subject_uses]),
        Write(INSERT_RELEASES, [release(r) for r in changes.releases]),
        Write(INSERT_RELEASE_ITEMS, [release_item(i) for i in changes.release_items]),
        _each(CHANGE_CASES, [(case_no, number) for number, case_no in changes.case_changes]),
        Write(JOIN_LEDGER, changes.ledger_cases),
    ]


def _each(statement: bulk.Bulk, rows: Sequence[Values]) -> Write:
    return Write(statement, rows, MisuseError(f"not every row to change exists: {statement.sqlite}"))


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
    return [(*new_outbox(row), route_of(row.routing_key), AT_ONCE) for row in rows]


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
