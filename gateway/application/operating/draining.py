"""Drains this process before it is stopped: nothing more is leased, what is leased is finished. A start opens it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record
from gateway.application.outbound.lease_gate import LeaseGate
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.records import Changes


class Draining:
    """gate: of the dispatchers of this process. wake: there may be something to send."""

    def __init__(self, context: Context, gate: LeaseGate, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._gate = gate
        self._wake = wake

    async def state(self) -> dict[str, Any]:
        """`at_work`: rounds that are not done. `done`: it may be stopped. `waiting`: messages that stay for later."""
        closed, at_work = self._gate.closed, self._gate.at_work
        waiting = await self._ctx.store.backlog()
        return {"draining": closed, "at_work": at_work, "done": closed and not at_work, "waiting": waiting}

    async def drain(self, by: Operator) -> dict[str, Any]:
        """From now on nothing is leased here. Raises RejectedError."""
        return await self._set(by, closed=True)

    async def undo(self, by: Operator) -> dict[str, Any]:
        """Raises RejectedError."""
        return await self._set(by, closed=False)

    async def _set(self, by: Operator, *, closed: bool) -> dict[str, Any]:
        by.require("stop")
        changed = self._gate.closed != closed
        self._gate.closed = closed
        if changed:
            act = Act(by, "drain" if closed else "drain-undo", "process")
            async with self._ctx.store.begin() as tx:
                unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
                await record(unit, act, "draining" if closed else "open")
                await tx.apply(unit.changes)
            self._wake()
        return {"changed": changed, **await self.state()}
