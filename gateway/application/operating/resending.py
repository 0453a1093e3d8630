"""Our messages of one request once more: the stored bytes, the same ids, in their order. Its receiver answers what it
knows with its stored answer, and nothing happens twice (docs/contracts.md 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.application.context import Context
from gateway.application.operating.acts import Act, record, refused
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.operating.operators import Operator
from gateway.core.operating.reasons import reason
from gateway.core.records import Changes, Request
from lianzhi.errors import RejectedError

SENT = frozenset({"sent", "dead"})


class Resending:
    """wake: there is something to send."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._wake = wake

    async def resend(self, by: Operator, number: str, message: str | None, why: object) -> dict[str, Any]:
        """message: only this one. `changed` False: what is asked for is on its way already. Raises RejectedError."""
        by.require("act")
        act = Act(by, "resend", f"request:{number}", reason(why))
        now, most = self._ctx.clock.now(), self._ctx.bounds.sent_again_per_request
        async with self._ctx.store.begin() as tx:
            request = (await tx.lock_requests([number])).get(number)
            sender = self._sender(request)
            if request is None or sender is None:
                raise _nothing(number, request)
            found = await tx.operating.own_messages(number, sender, most)
            asked = [one for one in found if message is None or one.message_id == message]
            if not asked:
                raise refused(
                    "not-found", "no-such-message", "本请求中没有这件本方报文", "No such message of ours in it"
                )
            kept = [one for one in asked if one.kept]
            if not kept:
                raise refused(
                    "not-now", "destroyed", "内容已销毁，无法重发", "Its content is destroyed; it cannot go again"
                )
            again = [one for one in kept if one.state in SENT]
            if not again:
                return {"request_no": number, "changed": False, "waiting": len(kept)}
            unit = UnitOfWork(self._ctx, tx, Changes(), now)
            unit.changes.outbox_in_order += [(now, sender, one.message_id) for one in again]
            await record(unit, act, f"sent-again:{len(again)}", request=request)
            await tx.apply(unit.changes)
        self._wake()
        shown = [{"message_id": one.message_id, "verb": one.verb, "seqno": one.seqno} for one in again]
        return {"request_no": number, "changed": True, "sent_again": shown}

    def _sender(self, request: Request | None) -> str | None:
        """The side that we speak for, where the other one has a queue."""
        if request is None:
            return None
        for code in (request.asker, request.asked):
            other = self._ctx.participant(request.other(code))
            if self._ctx.participant(code).local and other.channel == "amqp":
                return code
        return None


def _nothing(number: str, request: Request | None) -> RejectedError:
    if request is None:
        return refused("not-found", "no-such-request", f"没有这件请求：{number}", f"No such request: {number}")
    zh, en = "对方经 http 自取，无须重发", "The other side fetches over http; nothing is sent to it"
    return refused("not-now", "not-sent-to", zh, en)
