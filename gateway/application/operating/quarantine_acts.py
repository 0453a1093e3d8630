"""Quarantine as an operator sees it: listed, closed with a reason, or judged again.

Judging again takes the stored bytes through intake once more, after a key, a clock or our own code was mended. What
the broker said of a delivery (whose queue, which headers) is not mended by that, and a message that has used up its
number stays refused: its sender says it anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.compose import Composer
from gateway.application.inbound.consume import Intake
from gateway.application.inbound.quarantine import Quarantine, Refused
from gateway.application.operating.acts import Act, record, refused
from gateway.application.ports.broker import Delivery
from gateway.application.ports.store import Transaction
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.operating.records import QuarantineEnd
from gateway.core.records import Changes, QuarantineRow
from lianzhi.crypto.sdjwt import parse
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import CONTENT_TYPE

FINAL = frozenset({"misrouted", "forbidden-header", "not-sent"})
"""Reasons that the broker gave, not the bytes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row and what somebody did about it, if it is not open."""

    row: QuarantineRow
    end: QuarantineEnd | None

    @property
    def is_open(self) -> bool:
        return self.end is None or self.row.count > self.end.count


def row_of(listed: Listed) -> dict[str, Any]:
    """As lists show it: codes, numbers, digests."""
    row, end = listed.row, listed.end
    return {
        "id": row.id, "at": row.at.isoformat(), "owner": row.owner, "reason": row.reason, "pointer": row.pointer,
        "rule": row.rule, "request": row.request_no, "message": row.message_id, "count": row.count,
        "sha256": row.body_sha256, "size": row.size, "detail_zh": row.detail_zh, "detail_en": row.detail_en,
        "open": listed.is_open, "ended": None if end is None else ended(end),
    }  # fmt: skip


def whole_row_of(listed: Listed) -> dict[str, Any]:
    """With where it came from, and how much of it is kept."""
    row = listed.row
    return {
        "id": row.id, "at": row.at.isoformat(), "owner": row.owner, "queue": row.queue, "user_id": row.user_id,
        "reason": row.reason, "pointer": row.pointer, "rule": row.rule, "detail_zh": row.detail_zh,
        "detail_en": row.detail_en, "message_id": row.message_id, "request_no": row.request_no, "count": row.count,
        "body_sha256": row.body_sha256, "size": row.size, "kept": len(row.body), "open": listed.is_open,
        "ended": None if listed.end is None else ended(listed.end),
    }  # fmt: skip


class QuarantineActs:
    """wake: called after a commit that left something to dispatch."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._intake = Intake(context, NoBroker(), wake)
        self._quarantine = Quarantine(context, Composer(context))

    async def list(self, owner: str | None, limit: int, *, whole: bool) -> list[dict[str, Any]]:
        """Newest first. whole: also what is dealt with."""
        rows = await self._ctx.store.operating.quarantine(owner=owner, whole=whole, limit=limit)
        return [row_of(Listed(row, end)) for row, end in rows]

    async def show(self, number: int) -> dict[str, Any]:
        """Raises RejectedError not-found."""
        return whole_row_of(await self._listed(number))

    async def _listed(self, number: int) -> Listed:
        row = await self._ctx.store.quarantine_row(number)
        if row is None:
            raise absent(number)
        return Listed(row, await self._ctx.store.operating.quarantine_end(number))

    async def close(self, by: Operator, number: int, why: object) -> dict[str, Any]:
        """`changed` False: somebody had dealt with it, and who. Raises RejectedError."""
        by.require("act")
        act = Act(by, "quarantine-close", f"quarantine:{number}", reason(why))
        return await self._end(act, number, "closed")

    async def _end(self, act: Act, number: int, how: str) -> dict[str, Any]:
        now = self._ctx.clock.now()
        async with self._ctx.store.begin() as tx:
            row = await tx.operating.quarantine_row(number)
            if row is None:
                raise absent(number)
            end = ending(act, row, how, now)
            if not await tx.operating.end_quarantine(end):
                return done_before(await tx.operating.quarantine_end(number))
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            await record(unit, act, how)
            await tx.apply(unit.changes)
        return {"id": number, "changed": True, **ended(end)}

    async def retry(self, by: Operator, number: int) -> dict[str, Any]:
        """`result`: taken, waits (its time has not come), refused (and why, now). Raises RejectedError."""
        by.require("act")
        found = await self._listed(number)
        if not found.is_open:
            return done_before(found.end)
        delivery = await self._delivery(found.row)
        act = Act(by, "quarantine-retry", f"quarantine:{number}")
        again = _Again(self._ctx, self._quarantine, act, number)
        await self._intake.take_again(delivery, again)
        return again.told

    async def _delivery(self, row: QuarantineRow) -> Delivery:
        """As it came, as far as that is kept. Raises RejectedError not-now: it cannot be judged again."""
        if row.reason in FINAL:
            raise _final(
                row, "判定来自代理，重试不能改变；请单位重新发送", "the broker decided it; let its sender send it anew"
            )
        if len(row.body) < row.size or not row.body:
            raise _final(
                row, "未留存全文，无法重试；请单位重新发送", "not all of it is kept; let its sender send it anew"
            )
        if await self._used_up(row):
            raise _final(
                row,
                "该报文的顺序号已用掉，重试无效；请单位以新编号、下一顺序号另发",
                "it has used up its number; let its sender say it anew, under the number that is expected next",
            )
        return Delivery(
            owner=row.owner, queue=row.queue, body=bytes(row.body), user_id=row.user_id, content_type=CONTENT_TYPE,
            routing_key=row.owner, redelivered=True, dead_from=None, tag=None,
        )  # fmt: skip

    async def _used_up(self, row: QuarantineRow) -> bool:
        try:
            parsed = parse(bytes(row.body), self._ctx.limits)
        except RejectedError:
            return False
        source, message_id = parsed.event.get("source"), parsed.event.get("id")
        if not isinstance(source, str) or not isinstance(message_id, str):
            return False
        sender = source.removeprefix("//")
        async with self._ctx.store.begin() as tx:
            known = (await tx.known([(sender, message_id)])).get((sender, message_id))
        return known is not None and known.disposition == "quarantined" and known.digest == parsed.digest


class _Again:
    """What is written beside a message that is judged again, in the same unit."""

    def __init__(self, context: Context, quarantine: Quarantine, act: Act, number: int) -> None:
        self._ctx = context
        self._quarantine = quarantine
        self._act = act
        self._number = number
        self.told: dict[str, Any] = {}

    async def __call__(self, tx: Transaction, changes: Changes, all_refused: Sequence[Refused], now: datetime) -> None:
        row = await tx.operating.quarantine_row(self._number)
        if row is None:
            raise absent(self._number)
        before = await tx.operating.quarantine_end(self._number)
        if before is not None and before.count >= row.count:
            raise refused(
                "not-now",
                "done-before",
                f"{before.person}（{before.user}）刚刚已处理这一条",
                f"{before.user} has just dealt with it",
            )
        unit = UnitOfWork(self._ctx, tx, changes, now)
        # What had waited behind it and is refused now, and what has used up its number by this, is told like any other.
        await self._quarantine.keep(tx, changes, [r for r in all_refused if r.refusal.held or r.refusal.numbered], now)
        mine = [one for one in all_refused if one.refusal.held is None]
        errors = [one.refusal.error for one in mine if not one.waits]
        if errors:
            error = errors[0]
            first = error.errors[0] if error.errors else None
            await tx.operating.judge_quarantined(
                replace(
                    row,
                    reason=error.code,
                    pointer=error.pointer,
                    rule=first.rule if first else error.code,
                    detail_zh=first.detail if first else error.reason.zh,
                    detail_en=first.detail_en if first else error.reason.en,
                )
            )
            await record(unit, self._act, f"refused:{error.code}")
            self.told = {
                "id": self._number,
                "changed": False,
                "result": "refused",
                "reason": error.code,
                "reason_zh": error.reason.zh,
                "reason_en": error.reason.en,
            }
            return
        result = "waits" if mine else "taken"
        end = ending(self._act, row, "retried", now)
        await tx.operating.end_quarantine(end)
        await record(unit, self._act, result)
        self.told = {"id": self._number, "changed": True, "result": result, **ended(end)}


class NoBroker:
    """The consumer of what intake takes from the store: no queue delivers it, and none hears of it."""

    async def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        """None ever comes."""
        del max_size, max_bytes
        nothing: list[list[Delivery]] = []
        for batch in nothing:
            yield batch

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Nothing waits for it."""
        del deliveries

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        """It stays in quarantine, where it is."""
        del deliveries

    async def pause(self, seconds: float) -> None:
        """There is nothing to pause."""
        del seconds


def ending(act: Act, row: QuarantineRow, how: str, now: datetime) -> QuarantineEnd:
    assert row.id is not None
    return QuarantineEnd(row.id, now, act.operator.user, act.operator.name, how, act.why or "", row.count)


def ended(end: QuarantineEnd) -> dict[str, Any]:
    return {"how": end.how, "at": end.at.isoformat(), "user": end.user, "name": end.person, "why": end.why}


def done_before(end: QuarantineEnd | None) -> dict[str, Any]:
    """What is told to whoever comes second, or comes again."""
    assert end is not None
    return {"id": end.row_id, "changed": False, **ended(end)}


def absent(number: int) -> RejectedError:
    return refused("not-found", "no-such-row", f"隔离区没有第 {number} 条", f"Quarantine has no row {number}")


def _final(row: QuarantineRow, zh: str, en: str) -> RejectedError:
    return refused("not-now", "not-retried", f"{row.reason}：{zh}", f"{row.reason}: {en}")
