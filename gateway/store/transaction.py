"""One unit of work: `application.ports.Transaction` over one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, bindparam, exists, func, literal_column, select, text, update

from gateway.application.ports import NOTICE_WINDOW, KnownMessage, NoticeRoom
from gateway.core.doubts import Doubt, State
from gateway.core.forgotten import Forgotten
from gateway.core.lifecycle import ALERT_OPEN
from gateway.core.marks import Mark
from gateway.core.measure_moves import LIVE, OPEN_STATES
from gateway.core.records import (
    ApprovalRow,
    CaseDebt,
    Changes,
    DocumentRow,
    DutyShift,
    FailedMessage,
    Held,
    IdempotencyRow,
    LedgerLine,
    Measure,
    Message,
    OutboxRow,
    Page,
    PausedRoute,
    Request,
    SubjectUse,
    Submission,
    Timer,
)
from gateway.core.retry import CLOCKS_APART, Backoff, LongestWaits
from gateway.store import (
    books,
    budgets,
    bulk,
    doubts,
    duty,
    early,
    forgotten,
    outbox,
    paging,
    papers,
    pauses,
    reads,
    standing,
    stepped,
    writes,
)
from gateway.store.columns import Instant, among
from gateway.store.connection import Connection, scalar
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
    CASE_DEBT,
    FORGOTTEN,
    HELD,
    IDEMPOTENCY,
    LEDGER,
    MEASURE,
    MESSAGE,
    REQUEST,
    SUBJECT_USE,
    SUBMISSION,
    TIMER,
)
from gateway.store.tables import (
    approvals,
    calendars,
    held,
    idempotency,
    measures,
    messages,
    notices,
    partner_versions,
    quarantine,
    requests,
    subject_uses,
    submissions,
    timers,
)

_r, _m, _s, _i, _x = requests.c, messages.c, submissions.c, idempotency.c, measures.c
_h, _q = held.c, quarantine.c

LOCK_REQUESTS = Query(
    select(*REQUEST.columns).where(among(_r.request_no, "numbers")).order_by(_r.request_no).with_for_update()
)
KNOWN_MESSAGES = Query(
    select(_m.sender, _m.id, _m.digest, _m.disposition, _m.answer_id, _m.request_no, _m.receiver).where(
        among(_m.id, "ids")
    )
)
_held = select(*HELD.columns).where(_h.sender == bindparam("by"), _h.request_no == bindparam("number"))
HELD_AT = Query(_held.where(_h.seqno == bindparam("seqno")))
HELD_AFTER = Query(_held.where(_h.seqno > bindparam("seqno")).order_by(_h.seqno))
HELD_COUNT = Query(select(func.count()).where(_h.sender == bindparam("by"), _h.request_no == bindparam("number")))
# Rows without bytes, and never more than `[limits] held_per_partner`.
HELD_TOTALS = Query(select(func.count(), func.coalesce(func.sum(_h.size), 0)).where(_h.sender == bindparam("by")))
MESSAGE_BY_ID = Query(select(*MESSAGE.columns).where(_m.id == bindparam("message"), _m.sender == bindparam("by")))
MESSAGE_START = Query(
    select(
        func.substr(_m.jws, 1, bindparam("size", type_=Integer())),
        func.substr(_m.disclosure, 1, bindparam("size", type_=Integer())),
    ).where(_m.id == bindparam("message"), _m.sender == bindparam("by"))
)
SEQNO_OWNER = Query(
    select(_m.id).where(
        _m.request_no == bindparam("number"), _m.sender == bindparam("by"), _m.seqno == bindparam("seqno")
    )
)
SENT_FROM = Query(
    select(_m.id, _m.seqno)
    .where(
        _m.request_no == bindparam("number"),
        _m.sender == bindparam("by"),
        _m.seqno >= bindparam("seqno"),
        _m.disclosure.is_not(None),
    )
    .order_by(_m.seqno)
    .limit(bindparam("limit", type_=Integer()))
)
SUBMISSIONS = Query(select(*SUBMISSION.columns).where(among(_s.id, "ids")))
IDEMPOTENCY_ROWS = Query(select(*IDEMPOTENCY.columns).where(among(_i.key, "keys")))
# An object has few measures in its life: states and order are for memory, which keeps both databases on the index.
# Locked where they may be changed: a hit, an answer, a renewal and the clock come from different requests.
_measures = select(*MEASURE.columns)
MEASURES_ON = Query(_measures.where(among(_x.object_key, "objects")))
MEASURES_OF = Query(_measures.where(_x.request_no == bindparam("number")).with_for_update())
MEASURES_BY_CONTROL = Query(
    _measures.where(
        _x.control_no == bindparam("control"), _x.asked == bindparam("by"), _x.opener == bindparam("opener")
    ).with_for_update()
)
REQUESTS_IN_CASE = Query(
    select(*REQUEST.columns).where(_r.case_no == bindparam("case"), _r.asker == bindparam("court"))
)
TIMER_OF = Query(
    select(*TIMER.columns).where(timers.c.request_no == bindparam("number"), timers.c.kind == bindparam("which"))
)


def _until(at: Column[Any]) -> ColumnElement[bool]:
    """What is dated later was written by a clock that was ahead: it is not of this minute or hour."""
    return at <= bindparam("until", type_=Instant())


IN_QUARANTINE = Query(select(_q.owner, _q.body_sha256).where(among(_q.body_sha256, "digests")))
_of_the_hour = (
    select(literal_column("1"))
    .where(_q.owner == bindparam("whose"), _q.at > bindparam("since", type_=Instant()), _until(_q.at))
    .limit(bindparam("limit", type_=Integer()))
    .subquery("of_the_hour")
)
QUARANTINED_SINCE = Query(select(func.count()).select_from(_of_the_hour))
NOTICE_VERSION = Query(
    select(partner_versions.c.notice_version).where(partner_versions.c.participant == bindparam("code"))
)
RECENT_NOTICES = Query(
    select(func.count()).where(
        notices.c.owner == bindparam("to"), notices.c.at > bindparam("since", type_=Instant()), _until(notices.c.at)
    )
)
INSERT_NOTICE = Query(
    text(
        "INSERT INTO notices (owner, body_sha256, at) VALUES (:owner, :sha256, :at) "
        "ON CONFLICT (body_sha256, owner) DO NOTHING RETURNING 1"
    ).bindparams(bindparam("at", type_=Instant()))
)
LONGEST_FAULT = LongestWaits().after_fault
# What cannot be taken back: an alert's end, a measure's, the destruction of a place. (A colon before a word is a
# parameter to SQLAlchemy.)
_IS_NOT_FINAL = text("NOT (timers.kind = 'hold' OR timers.kind LIKE 'destroy:%' OR timers.kind LIKE 'measure:%\\:0')")
_due_timers = (
    select(*TIMER.columns)
    .where(
        timers.c.due_at <= bindparam("now", type_=Instant()),
        (timers.c.due_at <= bindparam("sure", type_=Instant())) | _IS_NOT_FINAL,
        timers.c.retry_at.is_(None)
        | (timers.c.retry_at <= bindparam("now", type_=Instant()))
        | (timers.c.retry_at > bindparam("longest", type_=Instant())),
    )
    .order_by(timers.c.due_at)
    .limit(bindparam("limit", type_=Integer()))
)
DUE_TIMERS = Query(_due_timers)
# The requests are locked too, and nothing is waited for, so a clock never stands between two units.
LOCK_DUE_TIMERS = Query(
    _due_timers.join(requests, _r.request_no == timers.c.request_no).with_for_update(skip_locked=True)
)
LOCK_DUE_TIMERS_OF_NONE = Query(
    _due_timers.where(~exists().where(_r.request_no == timers.c.request_no)).with_for_update(skip_locked=True)
)
_this_timer = (timers.c.request_no == bindparam("number"), timers.c.kind == bindparam("which"))
COUNT_FAILURE = Query(
    update(timers).where(*_this_timer).values(failures=timers.c.failures + 1).returning(timers.c.failures)
)
RETRY_TIMER = Query(update(timers).where(*_this_timer).values(retry_at=bindparam("again", type_=Instant())))
TIMERS_OF = Query(select(*TIMER.columns).where(among(timers.c.request_no, "numbers")))
TAKE_NUMBERS = Query(
    text(
        "INSERT INTO number_blocks (opener, day, next) VALUES (:opener, :day, :size + 1) "
        "ON CONFLICT (opener, day) DO UPDATE SET next = number_blocks.next + :size RETURNING next"
    )
)

# Counts up to the limit and no further; whoever comes second waits for the first one's commit.
TAKE_USE = Query(
    text(
        "INSERT INTO daily_uses (participant, who, day, what, used) VALUES (:participant, :who, :day, :what, 1) "
        "ON CONFLICT (participant, who, day, what) DO UPDATE SET used = daily_uses.used + 1 "
        "WHERE daily_uses.used < :most RETURNING used"
    )
)
REMOVE_CALENDAR = bulk.delete(calendars, [calendars.c.year])
APPROVALS_OF = Query(
    select(*APPROVAL.columns)
    .where(among(approvals.c.request_no, "numbers"))
    .order_by(approvals.c.recorded_at, approvals.c.approver)
)
USES_OF = Query(
    select(*SUBJECT_USE.columns)
    .where(among(subject_uses.c.subject_key, "subjects"), subject_uses.c.at > bindparam("since", type_=Instant()))
    .order_by(subject_uses.c.at, subject_uses.c.request_no)
)
GROUP = Query(
    select(*REQUEST.columns)
    .where(_r.group_no == bindparam("number"), _r.asker == bindparam("opener"))
    .order_by(_r.request_no)
    .with_for_update()
)
CASE_REQUESTS = Query(
    select(*REQUEST.columns)
    .where(_r.case_no == bindparam("case"), _r.asker == bindparam("court"))
    .order_by(_r.request_no)
    .with_for_update()
)
CASE_MEASURES = Query(_measures.where(_x.case_no == bindparam("case"), _x.opener == bindparam("court")))
OPEN_ALERTS = Query(
    select(*REQUEST.columns)
    .where(
        _r.asked_case_no == bindparam("case"),
        _r.asked == bindparam("court"),
        _r.shape == literal_column("'alert'"),
        among(_r.state, "states"),
    )
    .order_by(_r.request_no)
    .with_for_update()
)
# PostgreSQL: whoever decides by what is (not) in force on an object has it alone until its commit.
LOCK_OBJECT = Query(select(func.pg_advisory_xact_lock(literal_column("1867"), bindparam("half", type_=Integer()))))


class SqlTransaction:
    """Loads first, one `apply` at the end; `SqlStore.begin` commits or rolls back."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def lock_requests(self, numbers: Sequence[str]) -> dict[str, Request]:
        rows = await self._db.fetch(LOCK_REQUESTS, numbers=list(set(numbers))) if numbers else ()
        return {request.request_no: request for request in map(REQUEST.read, rows)}

    async def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KnownMessage]:
        rows = await self._db.fetch(KNOWN_MESSAGES, ids=_second(keys)) if keys else ()
        found = {(sender, message_id): KnownMessage(*rest) for sender, message_id, *rest in rows}
        return {key: found[key] for key in keys if key in found}

    async def held_at(self, request_no: str, sender: str, seqno: int) -> Held | None:
        rows = await self._db.fetch(HELD_AT, number=request_no, by=sender, seqno=seqno)
        return next((HELD.read(row) for row in rows), None)

    async def held_after(self, request_no: str, sender: str, seqno: int) -> list[Held]:
        rows = await self._db.fetch(HELD_AFTER, number=request_no, by=sender, seqno=seqno)
        return [HELD.read(row) for row in rows]

    async def held_count(self, request_no: str, sender: str) -> int:
        count: int = await scalar(self._db, HELD_COUNT, number=request_no, by=sender)
        return count

    async def held_totals(self, sender: str) -> tuple[int, int]:
        ((count, size),) = await self._db.fetch(HELD_TOTALS, by=sender)
        return int(count), int(size)

    async def message(self, sender: str, message_id: str) -> Message | None:
        rows = await self._db.fetch(MESSAGE_BY_ID, message=message_id, by=sender)
        return next((MESSAGE.read(row) for row in rows), None)

    async def message_start(self, sender: str, message_id: str, size: int) -> bytes:
        rows = await self._db.fetch(MESSAGE_START, message=message_id, by=sender, size=size)
        return next((f"{jws}~{disclosure or ''}~".encode()[:size] for jws, disclosure in rows), b"")

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        owner: str | None = await scalar(self._db, SEQNO_OWNER, number=request_no, by=sender, seqno=seqno)
        return owner

    async def sent_from(self, request_no: str, sender: str, seqno: int, limit: int) -> list[tuple[str, int]]:
        rows = await self._db.fetch(SENT_FROM, number=request_no, by=sender, seqno=seqno, limit=limit)
        return [(message_id, number) for message_id, number in rows]

    async def attempted(self, request_no: str) -> bool:
        return await outbox.attempted(self._db, request_no)

    async def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]:
        rows = await self._db.fetch(SUBMISSIONS, ids=_second(keys)) if keys else ()
        found = {(row.sender, row.id): row for row in map(SUBMISSION.read, rows)}
        return {key: found[key] for key in keys if key in found}

    async def submission_of(self, request_no: str) -> Submission | None:
        rows = list(await self._db.fetch(reads.SUBMISSION_OF, number=request_no))
        return SUBMISSION.read(rows[0]) if rows else None

    async def idempotency(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], IdempotencyRow]:
        rows = await self._db.fetch(IDEMPOTENCY_ROWS, keys=_second(keys)) if keys else ()
        found = {(row.client, row.key): row for row in map(IDEMPOTENCY.read, rows)}
        return {key: found[key] for key in keys if key in found}

    async def open_measures(self, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
        found = await self._measures(MEASURES_ON, objects=[key[0] for key in keys]) if keys else []
        wanted = set(keys)
        return [m for m in found if m.state in OPEN_STATES and (m.object_key, m.action, m.case_no) in wanted]

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        return [m for m in await self.measures_on(object_keys) if m.state in LIVE and m.action == action]

    async def measures_on(self, object_keys: Sequence[str]) -> list[Measure]:
        return await self._measures(MEASURES_ON, objects=object_keys) if object_keys else []

    async def requests_in_case(self, case_no: str, court: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(REQUESTS_IN_CASE, case=case_no, court=court)]

    async def timer(self, request_no: str, kind: str) -> Timer | None:
        rows = await self._db.fetch(TIMER_OF, number=request_no, which=kind)
        return next((TIMER.read(row) for row in rows), None)

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        return await duty.shifts(self._db, participant, since, until)

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None:
        await duty.replace(self._db, participant, shifts)

    async def remove_calendar(self, year: int) -> bool:
        return await self._db.run(REMOVE_CALENDAR, [(year,)]) == 1

    async def mark_page(self, page: Page) -> None:
        await paging.mark(self._db, page)

    async def measures_of(self, request_no: str) -> list[Measure]:
        return await self._measures(MEASURES_OF, number=request_no)

    async def measure_by_control(self, control_no: str, asked: str, opener: str) -> Measure | None:
        found = await self._measures(MEASURES_BY_CONTROL, control=control_no, by=asked, opener=opener)
        return next((m for m in found if m.state in LIVE), None)

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        rows = await self._db.fetch(papers.READABLE, digests=digests, whose=participant) if digests else ()
        return {sha256 for (sha256,) in rows}

    async def quarantined(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        rows = await self._db.fetch(IN_QUARANTINE, digests=_second(keys)) if keys else ()
        return {(owner, sha256) for owner, sha256 in rows} & set(keys)

    async def quarantined_since(self, owner: str, since: datetime, now: datetime, limit: int) -> int:
        until = now + CLOCKS_APART
        count: int = await scalar(self._db, QUARANTINED_SINCE, whose=owner, since=since, until=until, limit=limit)
        return count

    async def is_early(self, owner: str, body_sha256: str) -> bool:
        return await scalar(self._db, early.IS_EARLY, whose=owner, digest=body_sha256) is not None

    async def early_count(self, owner: str, request_no: str) -> int:
        count: int = await scalar(self._db, early.EARLY_COUNT, whose=owner, number=request_no)
        return count

    async def early_totals(self, owner: str) -> tuple[int, int]:
        [(count, size)] = await self._db.fetch(early.EARLY_TOTALS, whose=owner)
        return count, int(size)

    async def take_early(self, ids: Sequence[int]) -> set[int]:
        return await early.take(self._db, ids)

    async def forgotten_totals(self, owner: str) -> tuple[int, int]:
        [(count, size)] = await self._db.fetch(forgotten.TOTALS, whose=owner)
        return count, int(size)

    async def is_forgotten_kept(self, owner: str, body_sha256: str) -> bool:
        return await scalar(self._db, forgotten.IS_KEPT, whose=owner, digest=body_sha256) is not None

    async def forgotten_of(self, request_no: str) -> list[Forgotten]:
        return [FORGOTTEN.read(row) for row in await self._db.fetch(forgotten.OF_REQUEST, number=request_no)]

    async def end_forgotten(self, messages: Sequence[Forgotten], now: datetime | None) -> int:
        taken = [m.id for m in messages if m.ours and now is not None]
        rest = [m.id for m in messages if m.id not in taken]
        ended = await self._db.fetch(forgotten.TAKEN_UP, ids=taken, now=now) if taken else ()
        gone = await self._db.fetch(forgotten.TAKE, ids=rest) if rest else ()
        return len(list(ended)) + len(list(gone))

    async def done_before(self, submissionhash: str, request_no: str) -> int:
        return len(list(await self._db.fetch(doubts.DONE_BEFORE, digest=submissionhash, number=request_no)))

    async def skip_numbers(self, opener: str, day: str, following: int) -> None:
        await standing.skip_numbers(self._db, {f"{opener}/{day}": following})

    async def end_waits(self, now: datetime, longest: Mapping[str, timedelta]) -> int:
        return await stepped.end_waits(self._db, now, longest)

    async def look_at(self, request_no: str) -> Request | None:
        rows = await self._db.fetch(reads.REQUEST_BY_NUMBER, number=request_no)
        return next((REQUEST.read(row) for row in rows), None)

    async def notice_version(self, participant: str) -> int | None:
        version: int | None = await scalar(self._db, NOTICE_VERSION, code=participant)
        return version

    async def admit_notice(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> NoticeRoom:
        if (
            await scalar(self._db, RECENT_NOTICES, to=owner, since=now - NOTICE_WINDOW, until=now + CLOCKS_APART)
            >= per_minute
        ):
            return "full"
        recorded = await scalar(self._db, INSERT_NOTICE, owner=owner, sha256=body_sha256, at=now)
        return "told" if recorded is None else "free"

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        return await outbox.mark_sent(self._db, row_ids, owner) if row_ids else []

    async def mark_failed(self, failed: Sequence[FailedMessage], owner: str) -> None:
        await outbox.mark_failed(self._db, failed, owner)

    async def paused(self, routes: Sequence[str]) -> dict[str, PausedRoute]:
        return await pauses.paused(self._db, routes)

    async def begin_pause(self, pause: PausedRoute) -> bool:
        return await pauses.begin(self._db, pause)

    async def go_on_pausing(self, pause: PausedRoute) -> None:
        await pauses.go_on(self._db, pause)

    async def end_pause(self, route: str) -> None:
        await pauses.end(self._db, route)

    async def anything_ready(self, route: str, now: datetime) -> bool:
        return await pauses.anything_ready(self._db, route, now)

    async def due_timers(self, now: datetime, limit: int, sure: datetime | None = None) -> list[Timer]:
        """Of requests, and of numbers whose `open` has not come."""
        queries = (LOCK_DUE_TIMERS, LOCK_DUE_TIMERS_OF_NONE) if self._db.locks else (DUE_TIMERS,)
        times = {"now": now, "sure": sure or now, "longest": now + LONGEST_FAULT}
        found = [row for query in queries for row in await self._db.fetch(query, limit=limit, **times)]
        return [TIMER.read(row) for row in found[:limit]]

    async def set_timer_aside(self, timer: Timer, now: datetime, backoff: Backoff) -> int:
        which = {"number": timer.request_no, "which": timer.kind}
        failures = await scalar(self._db, COUNT_FAILURE, **which)
        if failures is None:
            return 0
        await self._db.fetch(RETRY_TIMER, **which, again=now + backoff.after(failures))
        return int(failures)

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        found = [TIMER.read(row) for row in await self._db.fetch(TIMERS_OF, numbers=numbers)]
        return sorted(found, key=lambda t: (t.request_no, t.kind))

    async def note_doubt(self, doubt: Doubt, most: int) -> bool:
        if await scalar(self._db, doubts.COUNT) >= most:
            return False
        if await scalar(self._db, doubts.DOUBT, which=doubt.key, whose=doubt.client) is None:
            await self._db.fetch(doubts.NOTE, **asdict(doubt))
        return True

    async def settle_doubt(self, client: str, key: str, state: State) -> bool:
        return await scalar(self._db, doubts.SETTLE, which=key, whose=client, said=state) is not None

    async def end_doubts(self, incarnation: str, now: datetime) -> None:
        await self._db.fetch(doubts.END, which=incarnation, now=now)

    async def raise_sequence(self, token: str) -> None:
        await standing.raise_sequence(self._db, token)

    async def begin_age(self, mark: Mark, shared_event: int, at: datetime) -> None:
        await standing.begin_age(self._db, mark, shared_event, at)

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        following: int = await scalar(self._db, TAKE_NUMBERS, opener=opener, day=day, size=size)
        return following - size

    async def ledger_item(self, ledger: str, item_no: str) -> list[LedgerLine]:
        if self._db.locks:
            await self._db.fetch(books.LOCK_ITEM, item=f"{ledger}:{item_no}")
        return [LEDGER.read(row) for row in await self._db.fetch(books.ITEM_LINES, ledger=ledger, item=item_no)]

    async def take_use(self, participant: str, who: str, day: str, what: str, most: int) -> bool:
        used = await scalar(self._db, TAKE_USE, participant=participant, who=who, day=day, what=what, most=most)
        return used is not None and used <= most

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        rows = await self._db.fetch(APPROVALS_OF, numbers=numbers) if numbers else ()
        return [APPROVAL.read(row) for row in rows]

    async def subject_uses(self, keys: Sequence[str], since: datetime) -> list[SubjectUse]:
        rows = await self._db.fetch(USES_OF, subjects=keys, since=since) if keys else ()
        return [SUBJECT_USE.read(row) for row in rows]

    async def lock_group(self, group_no: str, opener: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(GROUP, number=group_no, opener=opener)]

    async def wait_for_name(self, row: DocumentRow) -> None:
        await budgets.wait_for_name(self._db, row)

    async def use_token(self, participant: str, jti: str, now: datetime, until: datetime, most: int) -> bool | None:
        return await budgets.use_token(self._db, participant, jti, now, until, most)

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(CASE_REQUESTS, case=case_no, court=court)]

    async def case_measures(self, case_no: str, court: str) -> list[Measure]:
        return await self._measures(CASE_MEASURES, case=case_no, court=court)

    async def case_debts(self, case_no: str, court: str) -> list[CaseDebt]:
        return [CASE_DEBT.read(row) for row in await self._db.fetch(reads.DEBTS_OF_CASE, case=case_no, court=court)]

    async def lock_open_alerts(self, case_no: str, court: str) -> list[Request]:
        rows = await self._db.fetch(OPEN_ALERTS, case=case_no, court=court, states=ALERT_OPEN)
        return [REQUEST.read(row) for row in rows]

    async def lock_objects(self, object_keys: Sequence[str]) -> None:
        if self._db.locks:
            for half in sorted({int(key[:8], 16) - 2**31 for key in object_keys}):
                await self._db.fetch(LOCK_OBJECT, half=half)

    async def apply(self, changes: Changes) -> None:
        try:
            await writes.apply(self._db, changes)
        except BaseException:
            self._db.failed = True  # some of it may be written: this unit must not commit
            raise

    async def _measures(self, query: Query, **parameters: Any) -> list[Measure]:
        found = [MEASURE.read(row) for row in await self._db.fetch(query, **parameters)]
        return sorted(found, key=lambda measure: measure.measure_no)


def _second(keys: Sequence[tuple[str, str]]) -> list[str]:
    """The ids of (owner, id): one look-up by ids alone, owners compared in memory."""
    return list({identifier for _, identifier in keys})
