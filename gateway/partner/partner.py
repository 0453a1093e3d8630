"""`Partner`: what an agency's program holds.

    async with Partner(PartnerConfig.load("partner.toml")) as partner:
        async for request in partner.inbox:
            async with request.transaction() as tx:
                tx.reply("receipt", {...})

It takes messages off our queues, verifies and opens them, writes them into the ledger with the answers that are the
library's to give, and only then acknowledges; what we say is signed, stored, and published until the broker has
confirmed it. Killed at any point it goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from gateway.amqp.consumer import BatchConsumer
from gateway.amqp.deliveries import Incoming
from gateway.amqp.link import Link, cancel_all
from gateway.amqp.publisher import ConfirmedPublisher
from gateway.errors import MisuseError, StoreUnavailableError
from gateway.partner.config import PartnerConfig
from gateway.partner.desk import Desk, utc_now
from gateway.partner.inbox import Inbox
from gateway.partner.intake import Ingested
from gateway.partner.ledger import Ledger
from gateway.partner.lock import ConsumerLock
from gateway.partner.reception import Raw
from gateway.partner.records import Notice
from gateway.partner.replies import Saying
from gateway.partner.request import rows_of
from gateway.partner.stored import Forget
from schemas.catalogue import MatterType, catalogue
from schemas.envelope import GATEWAY_PING

_log = logging.getLogger(__name__)

EXCHANGE_IN = "lianzhi.in"
BATCH = 256  # messages verified and stored together at most
BATCHES_AHEAD = 2  # verified while the ones before are being written
PAUSE_SECONDS = 5.0  # the queues are left alone for so long when the ledger cannot be written
TIDY_SECONDS = 6 * 3600.0  # between two looks for content past its time
LEAVE_SECONDS = 5.0  # what is ready to go out may still go so long after the program ends

_Stored = asyncio.Queue[tuple[Sequence[Incoming], asyncio.Task[Ingested]]]


def queues_of(code: str) -> tuple[str, str]:
    """The participant's two queues (docs/design.md 3.2)."""
    return f"lianzhi.to.{code}", f"lianzhi.to.{code}.urgent"


class Partner:
    """consume: take messages off our queues (one process for each ledger); without it only say things.

    now: the clock, aware UTC. Raises ConfigurationError on entering when the ledger cannot be opened or another
    process consumes with it.
    """

    def __init__(
        self,
        config: PartnerConfig,
        *,
        consume: bool = True,
        now: Callable[[], datetime] = utc_now,
        types: Mapping[str, MatterType] | None = None,
    ) -> None:
        self.config = config
        self.ledger = Ledger(config.ledger)
        self._consume = consume
        self._lock = ConsumerLock(config.ledger)
        self._link = Link(config.amqp_url, name=f"lianzhi partner {config.code}")
        self._publisher = ConfirmedPublisher(self._link, EXCHANGE_IN, user_id=config.code)
        self._desk = Desk(config, self.ledger, catalogue() if types is None else types, self._publisher, now)
        self._consumer = BatchConsumer(self._link, self._shares())
        self._tasks: list[asyncio.Task[None]] = []
        self._notices: asyncio.Queue[Notice] = asyncio.Queue(1000)
        self._pongs: dict[str, asyncio.Future[None]] = {}

    def _shares(self) -> dict[str, int]:
        """The urgent queue has a quarter of the budget, so that a flood in the other one does not hold it up."""
        normal, urgent = queues_of(self.config.code)
        few = max(1, self.config.prefetch // 4)
        return {normal: max(1, self.config.prefetch - few), urgent: few}

    @property
    def inbox(self) -> Inbox:
        """`async for request in partner.inbox`: every message for the application. Safe from several tasks."""
        return self._desk.inbox

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def __aenter__(self) -> Partner:
        if self._consume:
            self._lock.acquire()
        try:
            await self.ledger.__aenter__()
            await self._link.open()
            self._start(self._desk.outbox.run())
            if self._consume:
                await self._desk.resume()
                stored: _Stored = asyncio.Queue(BATCHES_AHEAD)
                self._start(self._receive(stored))
                self._start(self._acknowledge(stored))
            if self.config.keep_days is not None:
                self._start(self._tidy(timedelta(days=self.config.keep_days)))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.inbox.close()
        if self._link.connected:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._desk.outbox.drained(), LEAVE_SECONDS)
        await cancel_all(self._tasks)
        await self._consumer.close()
        await self._publisher.close()
        await self._link.close()
        await self.ledger.__aexit__()
        self._lock.release()

    def stop(self) -> None:
        """End every `async for` over the inbox."""
        self.inbox.close()

    # saying

    async def open(
        self,
        type: str,
        receiver: str,
        body: Mapping[str, Any],
        *,
        head: Mapping[str, Any] | None = None,
        case_no: str | None = None,
        related: str | None = None,
        urgency: str = "normal",
        dialect: str | None = None,
    ) -> str:
        """Open a request of our own; its number, once it is in the ledger.

        body: in our dialect. related: the request that this belongs to (a hit: its control). Answers come through
        the inbox. Raises MisuseError: no such type, no dialect, or no key of the receiver in force.
        """
        saying = Saying("open", body, dict(head or {}))
        return await self._desk.open(
            type, receiver, saying, urgency=urgency, case_no=case_no, related=related, dialect=dialect
        )

    async def say(self, request_no: str, verb: str, body: Mapping[str, Any], **head: Any) -> str:
        """Say `verb` in a request outside the handling of a message. The id of the message.

        Raises MisuseError when the request is unknown or withdrawn, or the verb is not ours to say.
        """
        saying = Saying(verb, body, head)
        finished = await self._desk.finish(request_no, None, (), (saying,))
        if finished.outcome != "committed":
            raise MisuseError(f"{request_no} 已由对方撤回 was withdrawn by the other side")
        return saying.id

    async def drained(self) -> None:
        """Until the broker has confirmed everything that was said."""
        await self._desk.outbox.drained()

    async def ping(self, receiver: str | None = None, *, timeout: float = 10.0) -> None:
        """Ask for a pong of the gateway (or another participant). Raises TimeoutError; needs `consume`."""
        if not self._consume:
            raise MisuseError("a pong comes only to a consuming partner")
        row = await self._desk.say_outside(GATEWAY_PING, receiver or self.config.gateway, {})
        waiter = self._pongs[row.id] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(waiter, timeout)
        finally:
            del self._pongs[row.id]

    # reading

    async def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """A query on the ledger's file, for the application's own tables."""
        return await self.ledger.read(rows_of(sql, parameters))

    async def prepare(self, script: str) -> None:
        """Create the application's own tables: statements that may run again at each start."""
        await self.ledger.read(lambda connection: connection.executescript(script))

    async def notices(self) -> AsyncIterator[Notice]:
        """What the gateway tells us about bytes of ours that it refused, as it arrives; all stand in the ledger."""
        while True:
            yield await self._notices.get()

    # receiving

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must not stop quietly: whoever iterates over the inbox gets it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("partner stopped: %r", error)
            self.inbox.close(error)

    async def _receive(self, stored: _Stored) -> None:
        """Verify and store while the batch before is still being written."""
        async for batch in self._consumer.batches(BATCH):
            items = self._desk.read([_raw(incoming) for incoming in batch])
            await stored.put((batch, asyncio.create_task(self._desk.store(items))))
            await self.inbox.room()

    async def _acknowledge(self, stored: _Stored) -> None:
        """Acknowledge what is committed; leave the queues alone while the ledger cannot be written."""
        while True:
            batch, storing = await stored.get()
            try:
                done = await storing
            except StoreUnavailableError as error:
                _log.error("%s", error)
                await self._consumer.pause(PAUSE_SECONDS)
                continue
            await self._consumer.ack(batch)
            self._tell(done)

    async def _tidy(self, keep: timedelta) -> None:
        """Forget content past its time, now and then."""
        while True:
            try:
                await self.ledger.submit(Forget(self._desk.now() - keep))
            except StoreUnavailableError as error:
                _log.warning("%s", error)
            await asyncio.sleep(TIDY_SECONDS)

    def _tell(self, done: Ingested) -> None:
        for notice in done.notices:
            _log.warning("notice %s: %s", notice.reason, notice.message_id or notice.request_no or "")
            if self._notices.full():
                self._notices.get_nowait()
            self._notices.put_nowait(notice)
        for ping_id in done.pongs:
            waiter = self._pongs.get(ping_id)
            if waiter is not None and not waiter.done():
                waiter.set_result(None)


def _raw(incoming: Incoming) -> Raw:
    """The lane is the routing key's second word; a partner without an urgent queue gets both in one."""
    urgent = incoming.queue.endswith(".urgent") or incoming.routing_key.split(".", 2)[1:2] == ["urgent"]
    lane = "urgent" if urgent else "normal"
    return Raw(incoming.body, incoming.queue, lane, incoming.content_type)
