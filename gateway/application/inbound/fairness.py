"""Many participants, one inbox: one participant's backlog delays no other (docs/adr/0022), and its volume is counted.

`units` chooses which deliveries share a unit of work. Participants with few deliveries share one, because a commit
costs more than they do. One with more than a share of it waiting gets units of its own, as many as its bytes need, in
turn with other backlogs and after the shared unit. `Volume` counts what each has sent within the hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import zip_longest

from gateway.application.context import Context
from gateway.application.ports.broker import Delivery
from gateway.core.records import Changes, Event

MESSAGES, BYTES = "partner_messages_per_hour", "partner_bytes_per_hour"
SHARES = 4
"""A crowd is more than this part of a batch, in messages or in bytes."""


def units(batch: Sequence[Delivery], *, size: int, max_bytes: int) -> list[list[Delivery]]:
    """The batch in units of at most so many bytes (one that is larger alone), in the order in which to take them; what
    one owner sent stays in its order. size: of a full batch."""
    of_owner: dict[str, list[Delivery]] = {}
    for delivery in batch:
        of_owner.setdefault(delivery.owner, []).append(delivery)
    shared: list[Delivery] = []
    crowds: list[list[list[Delivery]]] = []
    for deliveries in of_owner.values():
        if len(deliveries) * SHARES <= size and _bytes(deliveries) * SHARES <= max_bytes:
            shared += deliveries
        else:
            crowds.append(_cut(deliveries, max_bytes))
    in_turn = [unit for round_ in zip_longest(*crowds) for unit in round_ if unit is not None]
    return _cut(shared, max_bytes) + in_turn


def _cut(deliveries: Iterable[Delivery], max_bytes: int) -> list[list[Delivery]]:
    """In order, a new unit where the next one would be too much."""
    found: list[list[Delivery]] = []
    room = 0
    for delivery in deliveries:
        if not found or len(delivery.body) > room:
            found.append([])
            room = max_bytes
        found[-1].append(delivery)
        room -= len(delivery.body)
    return found


def _bytes(deliveries: Iterable[Delivery]) -> int:
    return sum(len(delivery.body) for delivery in deliveries)


# --- how much each participant has sent within the hour
#
# Too much is not refused: it is counted, and a person hears of it.
#
# Counted in this process; several that share the work each see their part.


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
