"""One unit of work: `services.ports.Transaction` over one connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.core.records import Changes, IdempotencyRow, Measure, Message, OutboxRow, Request, Submission, Timer
from gateway.services.ports import KnownMessage
from gateway.store import outbox, writes
from gateway.store.columns import Instant
from gateway.store.rows import IDEMPOTENCY, MEASURE, MESSAGE, REQUEST, SUBMISSION, TIMER
from gateway.store.tables import documents, idempotency, measures, messages, notices, requests, submissions, timers

OPEN_STATES = ("requested", "active")
NOTICE_WINDOW = timedelta(minutes=1)
TAKE_NUMBERS = text(
    "INSERT INTO number_blocks (opener, day, next) VALUES (:opener, :day, :size + 1) "
    "ON CONFLICT (opener, day) DO UPDATE SET next = number_blocks.next + :size RETURNING next"
)
INSERT_NOTICE = text(
    "INSERT INTO notices (owner, body_sha256, at) VALUES (:owner, :sha256, :at) "
    "ON CONFLICT (body_sha256, owner) DO NOTHING"
).bindparams(bindparam("at", type_=Instant()))


class SqlTransaction:
    """Loads first, one `apply` at the end; `SqlStore.begin` commits or rolls back."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_requests(self, numbers: Sequence[str]) -> dict[str, Request]:
        if not numbers:
            return {}
        rows = await self._connection.execute(
            select(*REQUEST.columns)
            .where(requests.c.request_no.in_(sorted(set(numbers))))
            .order_by(requests.c.request_no)
            .with_for_update()
        )
        return {row.request_no: REQUEST.read(row) for row in rows}

    async def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KnownMessage]:
        if not keys:
            return {}
        m, wanted = messages.c, set(keys)
        rows = await self._connection.execute(
            select(m.sender, m.id, m.digest, m.disposition, m.answer_id, m.request_no).where(
                m.id.in_({message_id for _, message_id in keys})
            )
        )
        return {(row[0], row[1]): KnownMessage(*row[2:]) for row in rows if (row[0], row[1]) in wanted}

    async def held(self, request_no: str, sender: str) -> list[Message]:
        m = messages.c
        rows = await self._connection.execute(
            select(*MESSAGE.columns)
            .where(m.request_no == request_no, m.sender == sender, m.disposition == "held")
            .order_by(m.seqno)
        )
        return [MESSAGE.read(row) for row in rows]

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        m = messages.c
        return await self._connection.scalar(
            select(m.id).where(m.request_no == request_no, m.sender == sender, m.seqno == seqno)
        )

    async def attempted(self, request_no: str) -> bool:
        return await outbox.attempted(self._connection, request_no)

    async def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]:
        if not keys:
            return {}
        wanted = set(keys)
        rows = await self._connection.execute(
            select(*SUBMISSION.columns).where(submissions.c.id.in_({submission_id for _, submission_id in keys}))
        )
        return {(row.sender, row.id): SUBMISSION.read(row) for row in rows if (row.sender, row.id) in wanted}

    async def idempotency(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], IdempotencyRow]:
        if not keys:
            return {}
        wanted = set(keys)
        rows = await self._connection.execute(
            select(*IDEMPOTENCY.columns).where(idempotency.c.key.in_({key for _, key in keys}))
        )
        return {(row.client, row.key): IDEMPOTENCY.read(row) for row in rows if (row.client, row.key) in wanted}

    async def open_measures(self, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
        if not keys:
            return []
        wanted = set(keys)
        found = await self._measures(
            measures.c.object_key.in_({key[0] for key in keys}), measures.c.state.in_(OPEN_STATES)
        )
        return [measure for measure in found if (measure.object_key, measure.action, measure.case_no) in wanted]

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        if not object_keys:
            return []
        return await self._measures(
            measures.c.object_key.in_(set(object_keys)), measures.c.action == action, measures.c.state == "active"
        )

    async def measures_of(self, request_no: str) -> list[Measure]:
        return await self._measures(measures.c.request_no == request_no)

    async def measure_by_control(self, control_no: str, asked: str) -> Measure | None:
        found = await self._measures(
            measures.c.control_no == control_no, measures.c.asked == asked, measures.c.state == "active"
        )
        return found[0] if found else None

    async def _measures(self, *conditions: ColumnElement[bool]) -> list[Measure]:
        rows = await self._connection.execute(
            select(*MEASURE.columns).where(*conditions).order_by(measures.c.measure_no)
        )
        return [MEASURE.read(row) for row in rows]

    async def documents_known(self, digests: Sequence[str]) -> set[str]:
        if not digests:
            return set()
        return set(
            await self._connection.scalars(select(documents.c.sha256).where(documents.c.sha256.in_(set(digests))))
        )

    async def notice_allowed(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> bool:
        n = notices.c
        recent = await self._connection.scalar(
            select(func.count()).select_from(notices).where(n.owner == owner, n.at > now - NOTICE_WINDOW)
        )
        if recent is not None and recent >= per_minute:
            return False
        inserted = await self._connection.execute(INSERT_NOTICE, {"owner": owner, "sha256": body_sha256, "at": now})
        return inserted.rowcount == 1

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        return await outbox.mark_sent(self._connection, row_ids, owner) if row_ids else []

    async def mark_failed(self, row_id: int, owner: str, *, next_at: datetime, reason: str, park: bool) -> None:
        await outbox.mark_failed(self._connection, row_id, owner, next_at=next_at, reason=reason, park=park)

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Locks the requests too, without waiting: a clock never stands between two units that do."""
        rows = await self._connection.execute(
            select(*TIMER.columns)
            .join(requests, requests.c.request_no == timers.c.request_no)
            .where(timers.c.due_at <= now)
            .order_by(timers.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [TIMER.read(row) for row in rows]

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        following = await self._connection.scalar(TAKE_NUMBERS, {"opener": opener, "day": day, "size": size})
        return int(following) - size

    async def apply(self, changes: Changes) -> None:
        await writes.apply(self._connection, changes)
