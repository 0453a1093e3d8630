"""Pauses by hand: of everything, of a partner, of a matter type. Kept in the store, so that every process obeys and a
restart changes nothing. What waits meanwhile goes when the pause ends, in its order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.outbound.lease_gate import LeaseGate
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.operating.records import Hold, Scope
from gateway.core.records import Changes
from lianzhi.errors import RejectedError

SCOPES: tuple[Scope, ...] = ("all", "partner", "type")
ROUND_SECONDS = 15.0
"""How long an answer waits for the round of dispatch that was at work; a publish has its own, shorter time."""


class Pauses:
    """gate: of the dispatchers of this process. wake: there may be something to send."""

    def __init__(self, context: Context, gate: LeaseGate, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._gate = gate
        self._wake = wake

    async def list(self) -> list[dict[str, Any]]:
        return [shown(hold) for hold in await self._ctx.store.operating.holds()]

    async def pause(self, by: Operator, scope: object, name: object, why: object) -> dict[str, Any]:
        """`changed` False: it is paused already, by whom and since when. `quiet`: nothing that was leased before is
        still on its way from this process. Raises RejectedError."""
        which, called = self._what(scope, name)
        by.require("stop" if which == "all" else "act")
        act = Act(by, "pause", about(which, called), reason(why))
        now = self._ctx.clock.now()
        hold = Hold(which, called, now, by.user, by.name, act.why or "")
        async with self._ctx.store.begin() as tx:
            if not await tx.operating.begin_hold(hold):
                return {"changed": False, **shown(await self._present(which, called) or hold)}
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            await record(unit, act, "paused")
            await tx.apply(unit.changes)
        return {"changed": True, **shown(hold), "quiet": await self._gate.quiet(ROUND_SECONDS)}

    async def resume(self, by: Operator, scope: object, name: object, why: object) -> dict[str, Any]:
        """`changed` False: it was not paused. why: may be absent. Raises RejectedError."""
        which, called = self._what(scope, name)
        by.require("stop" if which == "all" else "act")
        act = Act(by, "resume", about(which, called), None if why is None else reason(why))
        async with self._ctx.store.begin() as tx:
            ended = await tx.operating.end_hold(which, called)
            if ended is None:
                return {"changed": False, "scope": which, "name": called}
            unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
            await record(unit, act, "resumed")
            await tx.apply(unit.changes)
        self._wake()
        return {"changed": True, **shown(ended)}

    async def _present(self, scope: Scope, name: str) -> Hold | None:
        return next((h for h in await self._ctx.store.operating.holds() if (h.scope, h.name) == (scope, name)), None)

    def _what(self, scope: object, name: object) -> tuple[Scope, str]:
        """Raises RejectedError invalid-field: no such scope, partner or type; a partner to which nothing is sent."""
        which = next((one for one in SCOPES if one == scope), None)
        if which is None or not isinstance(name, str):
            raise _wrong("/scope", "pause-scope", "须为 all、partner、type 之一", "One of all, partner, type")
        if which == "all":
            return which, ""
        if which == "type":
            if name not in self._ctx.catalogue:
                raise _wrong("/name", "unknown-type", "没有这种事项", "No such matter type")
            return which, name
        partner = self._ctx.directory.get(name)
        if partner is None:
            raise _wrong("/name", "unknown-partner", "没有登记这个单位", "No such participant is registered")
        if partner.channel != "amqp":
            zh, en = "该单位经 http 自取，网关不向它发送，无从暂停", "It fetches over http; nothing is sent to it"
            raise _wrong("/name", "not-sent-to", zh, en)
        return which, name


def about(scope: Scope, name: str) -> str:
    return f"{scope}:{name}" if name else scope


def shown(hold: Hold) -> dict[str, Any]:
    return {
        "scope": hold.scope, "name": hold.name, "since": hold.since.isoformat(), "user": hold.user,
        "person": hold.person, "why": hold.why,
    }  # fmt: skip


def _wrong(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return refused("invalid-field", rule, zh, en, pointer=pointer)
