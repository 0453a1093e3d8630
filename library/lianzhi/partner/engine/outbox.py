"""The publisher: what the ledger's outbox holds goes to the broker, confirmed, until it is confirmed.

One request's messages go one after another, each after the broker confirmed the one before; different requests do
not wait for each other. A fixed number of workers, no task for each message. What could not be published stays
`ready` in the ledger and is tried again, after growing pauses, for as long as it takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from lianzhi.errors import StoreUnavailableError, UnconfirmedError, UnroutableError
from lianzhi.faults import cause_of
from lianzhi.partner.ledger import Ledger
from lianzhi.partner.ledger.outgoing import Confirmed, Failed, ready
from lianzhi.partner.ledger.records import OutboxRow
from lianzhi.printable import printable

_log = logging.getLogger(__name__)

WORKERS = 128  # requests in flight to the broker at once
TIMEOUT = 30.0  # seconds to wait for one confirm
LOOK_SECONDS = 2.0  # between looks for rows that another process left in the ledger
LOOK_LIMIT = 5000
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0


class Publisher(Protocol):
    async def publish(self, routing_key: str, body: bytes, *, message_id: str, timeout: float) -> None: ...


class Outbox:
    """`push` what was committed; `run` until cancelled; `drained` waits until nothing is left."""

    def __init__(self, ledger: Ledger, publisher: Publisher, *, workers: int = WORKERS) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._workers = workers
        self._chains: dict[str, deque[OutboxRow]] = {}
        self._inside: set[str] = set()
        self._turns: asyncio.Queue[str] = asyncio.Queue()
        self._failures: dict[str, int] = {}
        self._confirmed: list[str] = []
        self._some_confirmed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def push(self, rows: Iterable[OutboxRow]) -> None:
        """Rows that are in the ledger, in the order of their request."""
        for row in rows:
            if row.id in self._inside:
                continue
            self._inside.add(row.id)
            self._empty.clear()
            chain = row.request_no or row.id
            if chain in self._chains:
                self._chains[chain].append(row)
            else:
                self._chains[chain] = deque((row,))
                self._turns.put_nowait(chain)

    async def drained(self) -> None:
        """Until everything pushed is confirmed by the broker and marked so in the ledger."""
        await self._empty.wait()

    async def run(self) -> None:
        """Publish until cancelled. An error that is not the broker's or the disk's is a fault of ours and ends it."""
        await self._look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._mark())
            tasks.create_task(self._watch())
            for _ in range(self._workers):
                tasks.create_task(self._work())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except StoreUnavailableError as error:
                _log.warning("the ledger is not available: %s", cause_of(error))

    async def _look(self) -> None:
        self.push(await self._ledger.read(lambda connection: ready(connection, LOOK_LIMIT)))

    async def _work(self) -> None:
        while True:
            chain = await self._turns.get()
            rows = self._chains[chain]
            while rows and await self._publish(chain, rows[0]):
                self._confirmed.append(rows.popleft().id)
                self._some_confirmed.set()
            if rows:
                self._turn_later(chain)
            else:
                del self._chains[chain]

    async def _publish(self, chain: str, row: OutboxRow) -> bool:
        body = row.text.encode("ascii")
        try:
            await self._publisher.publish(row.routing_key, body, message_id=row.id, timeout=TIMEOUT)
        except (UnroutableError, UnconfirmedError) as error:
            await self._failed(chain, row, error)
            return False
        self._failures.pop(chain, None)
        return True

    async def _failed(self, chain: str, row: OutboxRow, error: Exception) -> None:
        failures = self._failures[chain] = self._failures.get(chain, 0) + 1
        if failures > 1:
            return
        _log.warning("%s not confirmed, tried again: %s", row.routing_key, type(error).__name__)
        try:
            await self._ledger.submit(Failed(row.id, printable(f"{type(error).__name__}: {error}")))
        except StoreUnavailableError as unwritten:
            _log.warning("the ledger is not available: %s", cause_of(unwritten))

    def _turn_later(self, chain: str) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failures[chain] - 1))
        asyncio.get_running_loop().call_later(pause, self._turns.put_nowait, chain)

    async def _mark(self) -> None:
        """Confirmed → `sent`, as many at once as there are. If that cannot be written they go out again one day:
        the same bytes, which the receiver knows."""
        while True:
            await self._some_confirmed.wait()
            self._some_confirmed.clear()
            ids, self._confirmed = self._confirmed, []
            try:
                await self._ledger.submit(Confirmed(ids))
            except StoreUnavailableError as error:
                _log.warning("the ledger is not available: %s", cause_of(error))
            self._inside.difference_update(ids)
            if not self._inside:
                self._empty.set()
