"""Partners as the operator sees them: queues and consumers at the broker, and what the store knows of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.ports.broker import AskQueues, QueueState
from gateway.core.operating.records import Hold


class Partners:
    """ask: None where the wire is not this process's role."""

    def __init__(self, context: Context, ask: AskQueues | None) -> None:
        self._ctx = context
        self._ask = ask

    async def list(self) -> list[dict[str, Any]]:
        """By code, all but the home court."""
        reads, home = self._ctx.store.operating, self._ctx.home.code
        partners = sorted((p for p in self._ctx.directory if p.code != home), key=lambda p: p.code)
        queues = await self._queues([p.code for p in partners if p.channel == "amqp" and p.enabled])
        holds = await reads.holds()
        blocked = set((await self._ctx.store.counts())["paused"])
        silences = {silence.participant: silence for silence in await reads.silences()}
        rows = []
        for partner in partners:
            known = await reads.partner_standing(partner.code, home)
            queue = queues.get(partner.code, QueueState(None, None))
            silence = silences.get(partner.code)
            rows.append(
                {
                    "partner": partner.code, "channel": partner.channel, "enabled": partner.enabled,
                    "queue": queue.messages, "consumers": queue.consumers,
                    "last_sent": _at(known.last_sent), "last_delivered": _at(known.last_delivered),
                    "last_answered": _at(known.last_answered), "undelivered": known.undelivered, "dead": known.dead,
                    "paused": paused(partner.code, holds, blocked),
                    "silent": None if silence is None else silence.cause,
                    "silent_since": None if silence is None else silence.since.isoformat(),
                }
            )  # fmt: skip
        return rows

    async def _queues(self, codes: Sequence[str]) -> Mapping[str, QueueState]:
        found = await self._ask(codes) if self._ask is not None and codes else None
        return found or {}


def paused(code: str, holds: Sequence[Hold], blocked: set[str]) -> str | None:
    """Why nothing goes there for now: by whom, or what its queue says. blocked: `route|reason`."""
    for hold in holds:
        if hold.scope == "all" or (hold.scope, hold.name) == ("partner", code):
            return f"operator:{hold.user}"
    reasons = [reason for route, _, reason in (key.partition("|") for key in sorted(blocked)) if _is_of(route, code)]
    return reasons[0] if reasons else None


def _is_of(route: str, code: str) -> bool:
    return route.rpartition(".")[0] == code


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
