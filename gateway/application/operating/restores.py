"""What a person decides after a restore, through the gateway that runs: doubtful POSTs, forgotten requests
(docs/adr/0030, docs/adr/0041)."""

from __future__ import annotations

from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.recovery.rebuild_request import Beside
from gateway.application.recovery.take_up import TakenUp, TakingUp
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.records import Changes
from gateway.core.recovery.doubts import State
from lianzhi.errors import RejectedError

DECISIONS: tuple[State, ...] = ("accepted", "refused")


class Restores:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def settle(self, by: Operator, client: str, key: str, state: object) -> dict[str, Any]:
        """What a person says of a doubtful POST. Raises RejectedError."""
        by.require("act")
        said = next((one for one in DECISIONS if one == state), None)
        if said is None:
            raise refused("invalid-field", "doubt-state", "须为 accepted 或 refused", "accepted or refused")
        async with self._ctx.store.begin() as tx:
            if not await tx.settle_doubt(client, key, said):
                raise refused("not-found", "no-such-doubt", "没有这件存疑提交", "There is no such doubt")
            unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
            await record(unit, Act(by, "doubt-settle", f"client:{client}"), said)
            await tx.apply(unit.changes)
        return {"client": client, "key": key, "state": said}

    async def end_doubts(self, by: Operator) -> dict[str, Any]:
        """Nothing of before the restore comes any more. Raises RejectedError."""
        by.require("stop")
        incarnation, now = self._ctx.identity.incarnation, self._ctx.clock.now()
        async with self._ctx.store.begin() as tx:
            await tx.end_doubts(incarnation, now)
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            await record(unit, Act(by, "doubts-end", f"incarnation:{incarnation}"), "ended")
            await tx.apply(unit.changes)
        return {"incarnation": incarnation}

    async def drop(self, by: Operator, number: str) -> dict[str, Any]:
        """What is kept of a request that will not be taken up is deleted. Raises RejectedError."""
        by.require("act")
        kept = await self._ctx.store.forgotten_of(number)
        async with self._ctx.store.begin() as tx:
            count = await tx.end_forgotten(kept, None)
            if not count:
                raise refused("not-found", "nothing-kept", "没有留存该编号的报文", "Nothing is kept of it")
            unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
            await record(unit, Act(by, "forgotten-drop", f"request:{number}"), f"dropped:{count}")
            await tx.apply(unit.changes)
        return {"request_no": number, "dropped": count}

    async def take_up(self, by: Operator, number: str, beside: Beside) -> dict[str, Any]:
        """The request stands again, as `lianzhi db forgotten take-up` tells it. Raises RejectedError."""
        by.require("act")
        taken = await TakingUp(self._ctx).take_up(number, beside)
        async with self._ctx.store.begin() as tx:
            unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
            request = await tx.request(number)
            act = Act(by, "forgotten-take-up", f"request:{number}")
            await record(unit, act, f"applied:{taken.applied}", request=request)
            await tx.apply(unit.changes)
        return told(taken)


def told(taken: TakenUp) -> dict[str, Any]:
    """What became of it. stopped: why what is kept could not all be applied, in words."""
    waits, stopped = taken.waits_for, taken.stopped
    return {
        "request_no": taken.request.request_no,
        "state": taken.request.state,
        "applied": taken.applied,
        "refused": [{"message_id": message_id, "reason": reason} for message_id, reason in taken.refused],
        "waits_for": None if waits is None else {"partner": waits.owner, "verb": waits.verb, "seqno": waits.seqno},
        "stopped": None if stopped is None else words(stopped),
    }


def words(error: RejectedError) -> list[dict[str, str]]:
    return [{"detail": one.detail, "detail_en": one.detail_en} for one in error.errors]
