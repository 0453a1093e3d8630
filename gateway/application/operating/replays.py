"""Dead messages of ours: listed, planned, and sent again as planned by a second person, the same bytes and ids.

Dead is what the broker gave up after it was sent, and what is parked because the broker never takes it. Nothing goes
unless every message of the plan is still what it was when it was planned (`core.operating.plans`). Then one message
after the other goes, each in a unit of work of its own, at the rate of `[limits] replayed_per_second`. Whoever carries
the plan out asks for each (`step`): when his terminal or the gateway dies the rest stays where it is, the plan shows
how far it came, and `replay` goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.ports.store import Transaction
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating import plans
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.operating.records import DeadMessage, Plan, PlanState
from gateway.core.records import Changes
from lianzhi.errors import RejectedError


class Replays:
    """wake: there may be something to send."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._wake = wake
        self._turn = asyncio.Lock()
        self._last = float("-inf")  # when the last message was let go, by the loop's clock

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
        return {**_shown(plan), "items": _with_outcomes(plan)}

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
        """Approve a plan and begin it, or go on with one that was interrupted; `step` sends. `changed` False: it was
        carried out before, and by whom. Raises RejectedError; a plan that no longer holds is void from then on."""
        by.require("act")
        void = None
        async with self._ctx.store.begin() as tx:
            plan = await self._plan(tx, number)
            if plan.state == "done":
                return {"changed": False, **_shown(plan)}
            plans.may_replay(plan, by, digest)
            unit, now = self._unit(tx), self._ctx.clock.now()
            act = Act(by, "replay", f"plan:{number}")
            if plan.state == "running":
                await record(unit, act, f"continued:{plan.left}")
            elif plans.is_unchanged(plan, await tx.operating.dead([_key(item) for item in plan.items])):
                plan = replace(plan, state="running", begun_at=now, begun_by=by.user, begun_person=by.name, outcomes=[])
                await record(unit, act, f"begun:{plan.left}")
            else:
                plan, void = _ended(plan, "void", by, now), plans.changed(plan)
                await record(unit, act, "refused:plan-changed")
            await tx.operating.put_plan(plan)
            await tx.apply(unit.changes)
        if void is not None:
            raise void
        return {"changed": True, **_shown(plan)}

    async def step(self, by: Operator, number: int) -> dict[str, Any]:
        """The next message of a plan that runs, when `[limits] replayed_per_second` allows it. A message that has
        changed since is passed over. `changed` False: it does not run any more. Raises RejectedError."""
        by.require("act")
        async with self._turn:  # one message of all plans at a time
            await self._paced()
            async with self._ctx.store.begin() as tx:
                plan = await self._plan(tx, number)
                if plan.state != "running":
                    return {"changed": False, **_shown(plan)}
                plans.may_replay(plan, by, None)
                unit = self._unit(tx)
                plan = await self._next(unit, plan)
                if not plan.left:
                    plan = _ended(plan, "done", by, unit.now)
                    await record(unit, Act(by, "replay-end", f"plan:{number}"), _told(plan))
                await tx.operating.put_plan(plan)
                await tx.apply(unit.changes)
            self._wake()
        return {"changed": True, **_shown(plan)}

    async def cancel(self, by: Operator, number: int) -> dict[str, Any]:
        """Nothing more of it goes. Whoever may act may stop it, who planned it too. `changed` False: it was over
        before. Raises RejectedError."""
        by.require("act")
        async with self._ctx.store.begin() as tx:
            plan = await self._plan(tx, number)
            if plan.state not in ("open", "running"):
                return {"changed": False, **_shown(plan)}
            unit = self._unit(tx)
            plan = _ended(plan, "cancelled", by, unit.now)
            await record(unit, Act(by, "replay-cancel", f"plan:{number}"), _told(plan))
            await tx.operating.put_plan(plan)
            await tx.apply(unit.changes)
        return {"changed": True, **_shown(plan)}

    def _unit(self, tx: Transaction) -> UnitOfWork:
        return UnitOfWork(self._ctx, tx, Changes(), self._ctx.clock.now())

    async def _plan(self, tx: Transaction, number: int) -> Plan:
        plan = await tx.operating.plan(number)
        if plan is None:
            raise _absent(number)
        return plan

    async def _paced(self) -> None:
        """Until the next message may go. The rate is read for each: it may change while a plan runs."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._last + 1 / self._ctx.bounds.replayed_per_second - loop.time()))
        self._last = loop.time()

    async def _next(self, unit: UnitOfWork, plan: Plan) -> Plan:
        """Into the outbox, and into the timeline of its request; or passed over."""
        done = plan.outcomes or []
        found = await unit.tx.operating.dead([_key(plan.items[len(done)])])
        outcome = plans.outcome_of(plan, found[0] if found else None)
        if outcome == "sent":
            await self._send(unit, found[0])
        return replace(plan, outcomes=[*done, outcome])

    async def _send(self, unit: UnitOfWork, message: DeadMessage) -> None:
        unit.changes.outbox_again.append((message.sender, message.message_id))
        if message.request_no is not None:
            requests = await unit.tx.lock_requests([message.request_no])
            for request in requests.values():
                unit.tell(request, "sent-again", detail=f"replay:{message.verb}")


def _absent(number: int) -> RejectedError:
    return refused("not-found", "no-such-plan", f"没有第 {number} 号计划", f"There is no plan {number}")


def _key(item: plans.Item) -> tuple[str, str]:
    return str(item["sender"]), str(item["message_id"])


def _ended(plan: Plan, state: PlanState, by: Operator, now: datetime) -> Plan:
    return replace(plan, state=state, ended_at=now, ended_by=by.user, ended_person=by.name)


def _told(plan: Plan) -> str:
    """What went and what did not, for the event: `sent-again:7:changed:1:left:2`, without what is none."""
    passed_over = len(plan.outcomes or []) - plan.sent
    others = "".join(f":{name}:{count}" for name, count in (("changed", passed_over), ("left", plan.left)) if count)
    return f"sent-again:{plan.sent}{others}"


def _with_outcomes(plan: Plan) -> list[dict[str, Any]]:
    """The items in their order; `outcome`: sent, changed (passed over), or None: nobody has come to it."""
    done = plan.outcomes or []
    return [{**item, "outcome": outcome} for item, outcome in zip_longest(plan.items, done)]


def _shown(plan: Plan) -> dict[str, Any]:
    begun, ended = (None if at is None else at.isoformat() for at in (plan.begun_at, plan.ended_at))
    return {
        "plan": plan.plan_no, "state": plan.state, "messages": len(plan.items), "digest": plan.digest,
        "at": plan.at.isoformat(), "user": plan.user, "name": plan.person,
        "begun_at": begun, "begun_by": plan.begun_by, "begun_name": plan.begun_person,
        "sent_again": plan.sent, "passed_over": len(plan.outcomes or []) - plan.sent, "left": plan.left,
        "ended_at": ended, "ended_by": plan.ended_by, "ended_name": plan.ended_person,
    }  # fmt: skip
