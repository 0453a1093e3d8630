"""Incidents with what people did about them: who has taken one on, and notes. The event itself never changes."""

from __future__ import annotations

from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.operating.records import ActRow
from gateway.core.records import Changes, Event
from lianzhi.errors import RejectedError

OWN, NOTE = "incident-own", "incident-note"


class Incidents:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def list(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Newest first. owner: who has taken it on last; notes: how many."""
        reads, home = self._ctx.store.operating, self._ctx.home.code
        events = await reads.incidents(home, before, limit)
        acts = await reads.acts_about([_about(event.id) for event in events])
        return [_shown(event, acts.get(_about(event.id), [])) for event in events]

    async def show(self, number: int) -> dict[str, Any]:
        """With its notes, oldest first. Raises RejectedError not-found."""
        event = await self._incident(number)
        acts = (await self._ctx.store.operating.acts_about([_about(number)])).get(_about(number), [])
        history = [{"at": a.at.isoformat(), "user": a.user, "name": a.name, "act": a.act, "text": a.why} for a in acts]
        return {**_shown(event, acts), "history": history}

    async def note(self, by: Operator, number: int, text: object) -> dict[str, Any]:
        """Raises RejectedError."""
        by.require("act")
        return await self._write(Act(by, NOTE, _about(number), reason(text, pointer="/text")), number, "noted")

    async def own(self, by: Operator, number: int) -> dict[str, Any]:
        """`changed` False: it is his already. Taking it from somebody else is told. Raises RejectedError."""
        by.require("act")
        return await self._write(Act(by, OWN, _about(number)), number, "owned")

    async def _write(self, act: Act, number: int, result: str) -> dict[str, Any]:
        event = await self._incident(number)
        async with self._ctx.store.begin() as tx:
            before = await tx.operating.acts_about(_about(number))
            owner = _owner(before)
            if act.act == OWN and owner is not None and owner.user == act.operator.user:
                return {"changed": False, **_shown(event, before)}
            unit = UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())
            request = await tx.request(event.request_no) if event.request_no else None
            await record(unit, act, result, request=request)
            await tx.apply(unit.changes)
        taken = {} if owner is None or act.act != OWN else {"taken_from": owner.user, "taken_from_name": owner.name}
        return {"changed": True, **taken, **await self.show(number)}

    async def _incident(self, number: int) -> Event:
        event = await self._ctx.store.operating.incident(self._ctx.home.code, number)
        if event is None:
            raise absent(number)
        return event


def absent(number: int) -> RejectedError:
    return refused("not-found", "no-such-incident", f"没有第 {number} 号异常事件", f"There is no incident {number}")


def _about(number: int | None) -> str:
    return f"incident:{number}"


def _owner(acts: list[ActRow]) -> ActRow | None:
    return next((act for act in reversed(acts) if act.act == OWN), None)


def _shown(event: Event, acts: list[ActRow]) -> dict[str, Any]:
    owner = _owner(acts)
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "detail": event.detail,
        "request_no": event.request_no,
        "type": event.type,
        "state": event.state,
        "owner": None if owner is None else owner.user,
        "owner_name": None if owner is None else owner.name,
        "notes": sum(act.act == NOTE for act in acts),
    }
