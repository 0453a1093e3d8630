"""How much each participant has sent within the hour. Too much is not refused: it is counted, and a person hears of it.

Counted in this process; several that share the work each see their part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from gateway.application.context import Context
from gateway.application.ports.broker import Delivery
from gateway.core.records import Changes, Event

MESSAGES, BYTES = "partner_messages_per_hour", "partner_bytes_per_hour"


class Volume:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._hour: datetime | None = None
        self._messages: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def count(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """What has arrived; what is above the bound goes into the metric."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._messages.clear()
            self._bytes.clear()
        before = self._above()
        for delivery in deliveries:
            self._messages[delivery.owner] += 1
            self._bytes[delivery.owner] += len(delivery.body) if delivery.size is None else delivery.size
        for (bound, owner), above in self._above().items():
            self._ctx.reached.count(bound, owner, above - before.get((bound, owner), 0))

    def tell(self, changes: Changes, now: datetime) -> None:
        """An incident for each participant that is above, once an hour."""
        for bound, owner in self._above():
            if self._ctx.reached.to_be_told(bound, owner, now):
                detail = f"bound:{bound}:{owner}"
                event = Event(at=now, audience=self._ctx.home.code, kind="incident", detail=detail)
                changes.events.append(event)

    def _above(self) -> dict[tuple[str, str], int]:
        """(bound, owner) → by how much."""
        bounds = self._ctx.bounds
        counted = (
            (MESSAGES, self._messages, bounds.partner_messages_per_hour),
            (BYTES, self._bytes, bounds.partner_bytes_per_hour),
        )
        return {(bound, who): n - most for bound, tally, most in counted for who, n in tally.items() if n > most}
