"""Dead messages of ours: listed, planned, and sent again as planned by a second person, the same bytes and ids.

Dead is what the broker gave up after it was sent, and what is parked because the broker never takes it. Nothing goes
unless every message of the plan is still what it was when it was planned (`core.operating.plans`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating import plans
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.operating.records import DeadMessage, Plan
from gateway.core.records import Changes
from lianzhi.errors import RejectedError


class Replays:
    """wake: there may be something to send."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._wake = wake

    async def dead(self, partner: str | None, limit: int) -> list[dict[str, Any]]:
        """Oldest first; codes, numbers, digests."""
        return [
            {**plans.item_of(one), "at": one.stored_at.isoformat()}
            for one in await self._ctx.store.operating.dead(partner, limit)
        ]

    async def plans(self, limit: int) -> list[dict[str, Any]]:
        """Newest first, without their items."""
        return [_shown(plan) for plan in await self._ctx.store.operating.plans(limit)]

    async def plan_of(self, number: int) -> dict[str, Any]:
        """With its items. Raises RejectedError not-found."""
        plan = await self._ctx.store.operating.plan(number)
        if plan is None:
            raise _absent(number)
        return {**_shown(plan), "items": plan.items}

    async def plan(
        self, by: Operator, partner: str | None, numbers: Sequence[str], limit: int, why: object
    ) -> dict[str, Any]:
        """What would go again: every dead message, of one partner, of these requests. Raises RejectedError."""
        by.require("act")
        told = reason(why)
        found = await self._ctx.store.operating.dead(partner, plans.MOST * 2)
        chosen = [one for one in found if not numbers or one.request_no in set(numbers)][: min(limit, plans.MOST)]
        if not chosen:
            raise refused("not-found", "nothing-dead", "没有可重发的死信或搁置报文", "No dead message to send again")
        items = [plans.item_of(one) for one in chosen]
        now = self._ctx.clock.now()
        plan = Plan(0, now, by.user, by.name, items, plans.digest_of(items), "open")
        async with self._ctx.store.begin() as tx:
            plan = replace(plan, plan_no=await tx.operating.add_plan(plan))
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            act = Act(by, "replay-plan", f"plan:{plan.plan_no}", told)
            await record(unit, act, f"planned:{len(items)}:{plan.digest[: plans.SHORTEST]}")
            await tx.apply(unit.changes)
        return {**_shown(plan), "items": items}

    async def replay(self, by: Operator, number: int, digest: str | None) -> dict[str, Any]:
        """`changed` False: it was carried out before, and by whom. Raises RejectedError; a plan that no longer holds is
        void from then on."""
        by.require("act")
        now, void = self._ctx.clock.now(), None
        async with self._ctx.store.begin() as tx:
            plan = await tx.operating.plan(number)
            if plan is None:
                raise _absent(number)
            if plan.state == "done":
                return {"changed": False, **_shown(plan)}
            plans.may_replay(plan, by, digest)
            keys = [(str(item["sender"]), str(item["message_id"])) for item in plan.items]
            present = await tx.operating.dead(keys)
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            act = Act(by, "replay", f"plan:{number}")
            ended = replace(plan, ended_at=now, ended_by=by.user, ended_person=by.name)
            if plans.is_unchanged(plan, present):
                ended = replace(ended, state="done")
                await self._send(unit, present)
                await record(unit, act, f"sent-again:{len(keys)}")
            else:
                ended = replace(ended, state="void")
                void = plans.changed(plan)
                await record(unit, act, "refused:plan-changed")
            await tx.operating.end_plan(ended, ended.state)
            await tx.apply(unit.changes)
        if void is not None:
            raise void
        self._wake()
        return {"changed": True, **_shown(ended), "sent_again": len(keys)}

    async def _send(self, unit: UnitOfWork, messages: Sequence[DeadMessage]) -> None:
        """Into the outbox, and into the timeline of each request."""
        unit.changes.outbox_again += [(one.sender, one.message_id) for one in messages]
        requests = await unit.tx.lock_requests(sorted({one.request_no for one in messages if one.request_no}))
        for request in requests.values():
            verbs = ",".join(one.verb for one in messages if one.request_no == request.request_no)
            unit.tell(request, "sent-again", detail=f"replay:{verbs}")


def _absent(number: int) -> RejectedError:
    return refused("not-found", "no-such-plan", f"没有第 {number} 号计划", f"There is no plan {number}")


def _shown(plan: Plan) -> dict[str, Any]:
    ended = None if plan.ended_at is None else plan.ended_at.isoformat()
    return {
        "plan": plan.plan_no, "state": plan.state, "messages": len(plan.items), "digest": plan.digest,
        "at": plan.at.isoformat(), "user": plan.user, "name": plan.person, "ended_at": ended, "ended_by": plan.ended_by,
        "ended_name": plan.ended_person,
    }  # fmt: skip
