"""What happens when a clock of a request runs out (`core.time.clocks`): remind, urge in the asker's name, ask the
superior, let lapse.

Each happens once. Its event carries when it was due, which after a downtime is earlier than the event itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import basis_of, carry_out
from gateway.application.conversation.compose import Composer
from gateway.application.deadlines.escalation import Supervisor
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Request, Timer
from gateway.core.requests.lifecycle import Step, decide
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.clocks import DUE, STEPS, Basis, FallenDue, fallen_due, running
from gateway.core.time.deadlines import due
from lianzhi.errors import MisuseError, RejectedError
from lianzhi.protocol.envelope import timestamp
from schemas.catalogue import Deadline, DeadlineKind

NOTE = "已超过办理期限，请尽快办理并回复。"
ONE_DAY = Deadline(DeadlineKind.WORKING_DAYS, 1)


class Reminder:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._composer = Composer(context)
        self._supervisor = Supervisor(context)

    async def fell_due(self, unit: UnitOfWork, timer: Timer, request: Request) -> bool:
        """Whether the request's row changed."""
        changes, now = unit.changes, unit.now
        basis = basis_of(self._ctx, request)
        if timer.kind not in running(request, basis):
            return False
        said = fallen_due(timer, request, basis)
        request.updated_at = now
        if said.following is not None:
            changes.set_timer(said.following)
        if said.lapse:
            carry_out(self._ctx, request, decide(request, Step("lapse", "gateway", now)), changes, now)
            return True
        unit.tell(request, said.event, head=_head(timer, said), detail=said.detail)
        if said.level is not None and self._ctx.participant(request.asker).local:
            await self._urge(unit, request, said.level, _reply_by(said, basis, now))
        if said.supervise:
            await self._supervisor.ask(unit, request)
        return True

    async def _urge(self, unit: UnitOfWork, request: Request, level: int, reply_by: str) -> None:
        """A message of the asker's, signed by the gateway; none where the state machine allows none."""
        changes, now = unit.changes, unit.now
        data = {"level": level, "reply_by": reply_by, "note": NOTE}
        try:
            decision = decide(request, Step("urge", "asker", now, data=data))
            composed = await self._composer.say(request, sender=request.asker, verb="urge", data=data, now=now)
        except RejectedError as error:
            unit.tell(request, "not-urged", detail=error.code)
            return
        except MisuseError:
            unit.tell(request, "incident", detail="key-missing")
            return
        settled = replace(decision, facts=request.facts, marks=request.marks)
        carry_out(self._ctx, request, settled, changes, now, message=composed.message, head=composed.head)
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)


def _head(timer: Timer, said: FallenDue) -> dict[str, Any]:
    """clock, step: what ran out. due_at: when. to: staff number of whom it is for."""
    head: dict[str, Any] = {
        "clock": timer.kind,
        "step": STEPS[timer.count] if timer.kind == DUE else None,
        "due_at": timestamp(timer.due_at),
        "level": said.level,
        "to": said.to,
        "provisional": True if timer.provisional else None,
    }
    return {name: value for name, value in head.items() if value is not None}


def _reply_by(said: FallenDue, basis: Basis, now: datetime) -> str:
    """Before the next step, or within a working day where that is past too."""
    following = said.following
    if following is not None and following.due_at > now:
        moment = following.due_at
    else:
        moment = due(ONE_DAY, now, basis.calendar).at
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
