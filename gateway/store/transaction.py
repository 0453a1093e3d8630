"""One unit of work: `services.ports.Transaction` over one connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, exists, func, literal_column, select, text

from gateway.core.measure_moves import LIVE, OPEN_STATES
from gateway.core.records import (
    ApprovalRow,
    Changes,
    DutyShift,
    IdempotencyRow,
    LedgerLine,
    Measure,
    Message,
    OutboxRow,
    Page,
    Request,
    SubjectUse,
    Submission,
    Timer,
)
from gateway.services.ports import KnownMessage
from gateway.store import books, duty, outbox, paging, reads, writes
from gateway.store.columns import Instant, among
from gateway.store.connection import Connection, scalar
from gateway.store.query import Query
from gateway.store.rows import (
    APPROVAL,
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
    documents,
    idempotency,
    measures,
    messages,
    notices,
    requests,
    subject_uses,
    submissions,
    timers,
)

NOTICE_WINDOW = timedelta(minutes=1)
_r, _m, _s, _i, _x = requests.c, messages.c, submissions.c, idempotency.c, measures.c

LOCK_REQUESTS = Query(
    select(*REQUEST.columns).where(among(_r.request_no, "numbers")).order_by(_r.request_no).with_for_update()
)
KNOWN_MESSAGES = Query(
    select(_m.sender, _m.id, _m.digest, _m.disposition, _m.answer_id, _m.request_no).where(among(_m.id, "ids"))
)
HELD_MESSAGES = Query(
    select(*MESSAGE.columns)
    .where(_m.request_no == bindparam("number"), _m.sender == bindparam("by"), _m.disposition == "held")
    .order_by(_m.seqno)
)
SEQNO_OWNER = Query(
    select(_m.id).where(
        _m.request_no == bindparam("number"), _m.sender == bindparam("by"), _m.seqno == bindparam("seqno")
    )
)
SUBMISSIONS = Query(select(*SUBMISSION.columns).where(among(_s.id, "ids")))
IDEMPOTENCY_ROWS = Query(select(*IDEMPOTENCY.columns).where(among(_i.key, "keys")))
# An object has few measures in its life: states and order are for memory, which keeps both databases on the index.
# Locked where they may be changed: a hit, an answer, a renewal and the clock come from different requests.
_measures = select(*MEASURE.columns)
MEASURES_ON = Query(_measures.where(among(_x.object_key, "objects")))
MEASURES_OF = Query(_measures.where(_x.request_no == bindparam("number")).with_for_update())
MEASURES_BY_CONTROL = Query(
    _measures.where(_x.control_no == bindparam("control"), _x.asked == bindparam("by")).with_for_update()
)
MEASURES_IN_CASE = Query(_measures.where(_x.case_no == bindparam("case")))
REQUESTS_IN_CASE = Query(select(*REQUEST.columns).where(_r.case_no == bindparam("case")))
TIMER_OF = Query(
    select(*TIMER.columns).where(timers.c.request_no == bindparam("number"), timers.c.kind == bindparam("which"))
)
DOCUMENTS_KNOWN = Query(select(documents.c.sha256).where(among(documents.c.sha256, "digests")))
RECENT_NOTICES = Query(
    select(func.count()).where(notices.c.owner == bindparam("to"), notices.c.at > bindparam("since", type_=Instant()))
)
INSERT_NOTICE = Query(
    text(
        "INSERT INTO notices (owner, body_sha256, at) VALUES (:owner, :sha256, :at) "
        "ON CONFLICT (body_sha256, owner) DO NOTHING RETURNING 1"
    ).bindparams(bindparam("at", type_=Instant()))
)
_due_timers = (
    select(*TIMER.columns)
    .where(timers.c.due_at <= bindparam("now", type_=Instant()))
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
    select(*REQUEST.columns).where(_r.group_no == bindparam("number")).order_by(_r.request_no).with_for_update()
)
CASE_REQUESTS = Query(
    select(*REQUEST.columns)
    .where(_r.case_no == bindparam("case"), _r.asker == bindparam("court"))
    .order_by(_r.request_no)
    .with_for_update()
)
CASE_MEASURES = Query(_measures.where(_x.case_no == bindparam("case")))
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

    async def held(self, request_no: str, sender: str) -> list[Message]:
        return [MESSAGE.read(row) for row in await self._db.fetch(HELD_MESSAGES, number=request_no, by=sender)]

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        owner: str | None = await scalar(self._db, SEQNO_OWNER, number=request_no, by=sender, seqno=seqno)
        return owner

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

    async def measures_in_case(self, case_no: str) -> list[Measure]:
        return await self._measures(MEASURES_IN_CASE, case=case_no)

    async def requests_in_case(self, case_no: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(REQUESTS_IN_CASE, case=case_no)]

    async def timer(self, request_no: str, kind: str) -> Timer | None:
        rows = await self._db.fetch(TIMER_OF, number=request_no, which=kind)
        return next((TIMER.read(row) for row in rows), None)

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        return await duty.shifts(self._db, participant, since, until)

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None:
        await duty.replace(self._db, participant, shifts)

    async def mark_page(self, page: Page) -> None:
        await paging.mark(self._db, page)

    async def measures_of(self, request_no: str) -> list[Measure]:
        return await self._measures(MEASURES_OF, number=request_no)

    async def measure_by_control(self, control_no: str, asked: str) -> Measure | None:
        found = await self._measures(MEASURES_BY_CONTROL, control=control_no, by=asked)
        return next((m for m in found if m.state in LIVE), None)

    async def documents_known(self, digests: Sequence[str]) -> set[str]:
        rows = await self._db.fetch(DOCUMENTS_KNOWN, digests=digests) if digests else ()
        return {sha256 for (sha256,) in rows}

    async def notice_allowed(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> bool:
        if await scalar(self._db, RECENT_NOTICES, to=owner, since=now - NOTICE_WINDOW) >= per_minute:
            return False
        return await scalar(self._db, INSERT_NOTICE, owner=owner, sha256=body_sha256, at=now) is not None

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        return await outbox.mark_sent(self._db, row_ids, owner) if row_ids else []

    async def mark_failed(self, row_id: int, owner: str, *, next_at: datetime, reason: str, park: bool) -> None:
        await outbox.mark_failed(self._db, row_id, owner, next_at=next_at, reason=reason, park=park)

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Of requests, and of numbers whose `open` has not come."""
        queries = (LOCK_DUE_TIMERS, LOCK_DUE_TIMERS_OF_NONE) if self._db.locks else (DUE_TIMERS,)
        found = [row for query in queries for row in await self._db.fetch(query, now=now, limit=limit)]
        return [TIMER.read(row) for row in found[:limit]]

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        found = [TIMER.read(row) for row in await self._db.fetch(TIMERS_OF, numbers=numbers)]
        return sorted(found, key=lambda t: (t.request_no, t.kind))

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

    async def lock_group(self, group_no: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(GROUP, number=group_no)]

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        return [REQUEST.read(row) for row in await self._db.fetch(CASE_REQUESTS, case=case_no, court=court)]

    async def case_measures(self, case_no: str) -> list[Measure]:
        return await self._measures(CASE_MEASURES, case=case_no)

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
