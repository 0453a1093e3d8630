"""Chooses which deliveries share a unit of work, so that one participant's backlog delays no other (docs/adr/0022).

Participants with few deliveries share one unit, because a commit costs more than they do. One with more than a share of
it waiting gets units of its own, as many as its bytes need, in turn with other backlogs and after the shared unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from gateway.application.ports.broker import Delivery

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
