"""Deliveries that have arrived and wait for the consumer: one FIFO a queue, served in turn, so that a full queue does
not delay the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from lianzhi.amqp.deliveries import Incoming


class Turns:
    """In order within a queue; between queues one delivery of each in turn."""

    def __init__(self) -> None:
        self._of_queue: dict[str, deque[Incoming]] = {}
        self._order: deque[str] = deque()  # queues of which something waits, whose turn is next first
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Incoming]:
        for waiting in self._of_queue.values():
            yield from waiting

    def append(self, message: Incoming) -> None:
        waiting = self._of_queue.setdefault(message.queue, deque())
        if not waiting:
            self._order.append(message.queue)
        waiting.append(message)
        self._size += 1

    def extend(self, messages: Iterable[Incoming]) -> None:
        for message in messages:
            self.append(message)

    def clear(self) -> None:
        self._of_queue.clear()
        self._order.clear()
        self._size = 0

    def take(self, max_size: int, max_bytes: int | None = None) -> list[Incoming]:
        """Up to so many messages and bytes; the first one whatever its size."""
        taken: list[Incoming] = []
        room = max_bytes
        while self._order and len(taken) < max_size:
            queue = self._order[0]
            waiting = self._of_queue[queue]
            size = len(waiting[0].body)
            if room is not None:
                if taken and size > room:
                    break
                room -= size
            taken.append(waiting.popleft())
            self._order.popleft()
            if waiting:
                self._order.append(queue)
        self._size -= len(taken)
        return taken
