"""What store, broker, machine and this process show, for the alarms of duty officers (`gateway.core.alarms`)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.application.context import Context
from gateway.application.deadlines.silence import stopped
from gateway.core.alarms.figures import Disk, Figures
from gateway.core.signals.tallies import SIGNATURE_REASONS
from gateway.monitoring.collected import key_ends
from gateway.monitoring.metrics import Senses, alerts_unacknowledged

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_ROWS = 1000
"""Of the quarantine, the newest ones."""


class FigureLook:
    """For one process. senses: where it looks beside the store."""

    def __init__(self, context: Context, senses: Senses, host: Callable[[], str] = socket.gethostname) -> None:
        self._ctx = context
        self._senses = senses
        self._host = host

    async def __call__(self, now: datetime) -> Figures:
        """Raises StoreUnavailableError."""
        context, store, home = self._ctx, self._ctx.store, self._ctx.home.code
        machine = None if self._senses.machine is None else await asyncio.to_thread(self._senses.machine)
        log, health = self._senses.log(), None if self._senses.health is None else self._senses.health()
        partners = [one.code for one in context.directory if one.code != home]
        hits = alerts_unacknowledged(context, (await store.counts())["requests"])
        oldest = [at for state, type in hits if (at := await store.oldest_of(state, type)) is not None]
        clocks = await store.partner_clocks()
        return Figures(
            host=self._host(),
            home=home,
            load=await store.load(home, now, now + context.settings.alarms.deadline),
            silences=await store.operating.silences(),
            held=stopped(await store.operating.holds(), partners),
            hits=sum(hits.values()),
            oldest_hit=min(oldest, default=None),
            signatures=await self._signatures(now),
            clocks=dict(context.clocks.others),
            doubt=context.clocks.own.doubt,
            partner_clocks={
                one.participant: timedelta(milliseconds=one.offset_ms) for one in clocks if now - one.at < DAY
            },
            keys={key: now + timedelta(seconds=left) for key, left in key_ends(context, now).items()},
            backlog=await store.backlog(),
            backlog_limit=context.settings.backlog_limit,
            disks=None if machine is None else {p: Disk(d.free, d.size) for p, d in machine.disks.items()},
            certificates=None if machine is None else machine.certificates,
            backup=None if machine is None else (machine.last_backup,),
            log_age=None if log is None else timedelta(seconds=log.age),
            wire=None if health is None else (health.connected, health.blocked),
        )

    async def _signatures(self, now: datetime) -> dict[str, int]:
        """By whose message it was said to be: how many came in the last hour whose signature does not hold."""
        found: dict[str, int] = {}
        for row, _ in await self._ctx.store.operating.quarantine(owner=None, whole=True, limit=MOST_ROWS):
            if row.reason in SIGNATURE_REASONS and now - row.at < HOUR:
                found[row.owner] = found.get(row.owner, 0) + row.count
        return found
