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
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from lianzhi.amqp.consumer import BatchConsumer
from lianzhi.amqp.deliveries import Incoming, Kept
from lianzhi.amqp.link import Link, cancel_all
from lianzhi.amqp.publisher import ConfirmedPublisher
from lianzhi.amqp.traced import TracedPublisher
from lianzhi.crypto.limits import DEFAULT_LIMITS
from lianzhi.errors import MisuseError, StoreUnavailableError, UnconfirmedError, UnroutableError
from lianzhi.faults import cause_of, kind_of, places_of
from lianzhi.partner.config import PartnerConfig, close_files
from lianzhi.partner.desk import Desk, utc_now
from lianzhi.partner.engine.intake import Ingested
from lianzhi.partner.engine.notices import NOTICE_VERSION
from lianzhi.partner.engine.reception import CLOCKS, Raw
from lianzhi.partner.engine.replies import Saying
from lianzhi.partner.engine.stored import Forget
from lianzhi.partner.inbox import Inbox
from lianzhi.partner.ledger import Ledger
from lianzhi.partner.ledger.lock import ConsumerLock
from lianzhi.partner.ledger.records import Notice
from lianzhi.protocol.cards import TypeCard, cards
from lianzhi.protocol.envelope import GATEWAY_PING
from lianzhi.spans import open_tracer

_log = logging.getLogger(__name__)

EXCHANGE_IN = "lianzhi.in"
BATCH = 256  # messages verified and stored together at most
BATCHES_AHEAD = 2  # verified while the ones before are being written
PAUSE_SECONDS = 5.0  # the queues are left alone for so long when the ledger cannot be written
TIDY_SECONDS = 6 * 3600.0  # between two looks for content past its time
CLOCKS_SECONDS, CLOCKS_SECONDS_MOST = 2.0, 60.0  # between two looks at what came before its time
GREETING = {"notice_version": NOTICE_VERSION}
GREETING_LOOK_SECONDS = 1.0
GREETING_AGAIN_SECONDS = 3600.0  # a gateway that was restored is noticed so late at most
GREETING_SECONDS = 60.0  # between two pings that say which version of a notice we read
ASK_LOOK_SECONDS = 10.0  # between two looks for messages that are missing
MINUTE = 60.0
LEAVE_SECONDS = 5.0  # what is ready to go out may still go so long after the program ends

_Stored = asyncio.Queue[tuple[Sequence[Incoming], asyncio.Task[Ingested]]]


def queues_of(code: str) -> tuple[str, str]:
    """The participant's two queues (docs/contracts.md 3.2)."""
    return f"lianzhi.to.{code}", f"lianzhi.to.{code}.urgent"


def cards_of(config: PartnerConfig) -> Mapping[str, TypeCard]:
    """The types of this release, and over them those of the contract."""
    return {**cards(), **config.contract.cards} if config.contract else cards()


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
        types: Mapping[str, TypeCard] | None = None,
    ) -> None:
        self.config = config
        self.ledger = Ledger(config.ledger)
        self._consume = consume
        self._lock = ConsumerLock(config.ledger)
        self._link = Link(config.amqp_urls, name=f"lianzhi partner {config.code}")
        self._publisher = ConfirmedPublisher(self._link, EXCHANGE_IN, user_id=config.broker_user)
        self._tracer = None if config.tracing is None else open_tracer(config.tracing, config.code)
        sending = (
            self._publisher if self._tracer is None else TracedPublisher(self._publisher, EXCHANGE_IN, self._tracer)
        )
        self._desk = Desk(config, self.ledger, cards_of(config) if types is None else types, sending, now, self._tracer)
        self._consumer = BatchConsumer(
            self._link,
            self._shares(),
            kept=Kept(DEFAULT_LIMITS.message_bytes, config.bounds.set_aside_body_bytes),
            budget=config.bounds.consumer_bytes,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._notices: asyncio.Queue[Notice] = asyncio.Queue(1000)
        self._pongs: dict[str, asyncio.Future[None]] = {}
        self._minute, self._told = 0.0, 0

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
        close_files(self.config)
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
                self._start(self._make_room())
                self._start(self._greet())
                self._start(self._ask())
                self._start(self._mind_clocks())
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
        if self._tracer is not None:
            await self._tracer.close()

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
        row = await self._desk.say_outside(GATEWAY_PING, receiver or self.config.gateway, GREETING)
        waiter = self._pongs[row.id] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(waiter, timeout)
        finally:
            del self._pongs[row.id]

    # reading

    async def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """A query on the ledger's file, for the application's own tables. Raises MisuseError when it is none."""
        return await self.ledger.query(sql, parameters)

    async def prepare(self, script: str) -> None:
        """Create the application's own tables: statements that may run again at each start.

        Raises MisuseError when they touch the ledger's tables, ATTACH, set a PRAGMA or leave a transaction open.
        """
        await self.ledger.script(script)

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
            _log.error("partner stopped: %s at %s", kind_of(error), places_of(error))
            self.inbox.close(error)

    async def _receive(self, stored: _Stored) -> None:
        """Verify and store while the batch before is still being written."""
        await self.inbox.room()  # what a restart found may be as much as there is room for
        async for batch in self._consumer.batches(BATCH):
            items = self._desk.read([_raw(incoming) for incoming in batch])
            await stored.put((batch, asyncio.create_task(self._desk.store(items))))

    async def _make_room(self) -> None:
        """No room for the application's messages, no consumer: what is in hand is stored and acknowledged, the rest
        stays at the broker. A message that waits there is not delivered, so it neither passes the broker's
        `consumer_timeout` nor moves towards the dead queue."""
        while True:
            await self.inbox.full()
            _log.warning("%d messages wait for the application: no more are taken", len(self.inbox))
            await self._consumer.leave_queues()
            await self.inbox.room()
            _log.warning("%d messages wait for the application: more are taken", len(self.inbox))
            await self._consumer.enter_queues()

    async def _greet(self) -> None:
        """After each connect, at most once a minute, and every hour: say which version of a notice we read. The answer
        names the gateway's incarnation. Nothing is stored: what is lost is said again the next time."""
        greeted, again = 0, math.inf
        while True:
            with suppress(TimeoutError):
                await self._link.wait_connected(GREETING_SECONDS)
            now = asyncio.get_running_loop().time()
            if self._link.connects != greeted or now >= again:
                greeted, again = self._link.connects, now + GREETING_AGAIN_SECONDS
                row = self._desk.outside(GATEWAY_PING, self.config.gateway, GREETING)
                with suppress(UnconfirmedError, UnroutableError):
                    await self._publisher.publish(
                        row.routing_key, row.text.encode("ascii"), message_id=row.id, timeout=GREETING_SECONDS
                    )
                await asyncio.sleep(GREETING_SECONDS)
            await asyncio.sleep(GREETING_LOOK_SECONDS)

    async def _ask(self) -> None:
        """Now and then: which messages of the other side are missing for too long."""
        while True:
            await asyncio.sleep(ASK_LOOK_SECONDS)
            try:
                await self._desk.ask_for_missing()
            except StoreUnavailableError as error:
                _log.warning("the ledger cannot be written: %s", cause_of(error))

    async def _mind_clocks(self) -> None:
        """What came before its time, by our clock, is read again when that has come or somebody has set a clock: it
        may be an order. Seldom while nothing comes of it."""
        pause = CLOCKS_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                left = await self._desk.try_again(CLOCKS)
            except StoreUnavailableError as error:
                _log.warning("the ledger cannot be read: %s", cause_of(error))
                continue
            pause = min(pause * 2, CLOCKS_SECONDS_MOST) if left else CLOCKS_SECONDS

    async def _acknowledge(self, stored: _Stored) -> None:
        """Acknowledge what is committed; leave the queues alone while the ledger cannot be written."""
        while True:
            batch, storing = await stored.get()
            try:
                done = await storing
            except StoreUnavailableError as error:
                _log.error("the ledger cannot be written: %s", cause_of(error))
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
                _log.warning("the ledger cannot be written: %s", cause_of(error))
            await asyncio.sleep(TIDY_SECONDS)

    def _tell(self, done: Ingested) -> None:
        if done.restored is not None:
            _log.warning("the gateway's database was restored: %d messages of late go to it again", done.restored)
        for notice in done.notices:
            self._log_notice(notice)
            if self._notices.full():
                self._notices.get_nowait()
            self._notices.put_nowait(notice)
        for ping_id in done.pongs:
            waiter = self._pongs.get(ping_id)
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _log_notice(self, notice: Notice) -> None:
        """Codes and numbers; so many lines a minute, all stand in the ledger."""
        now = asyncio.get_running_loop().time()
        if now - self._minute >= MINUTE:
            self._minute, self._told = now, 0
        self._told += 1
        if self._told <= self.config.bounds.notices_told_per_minute:
            rule = f" ({notice.rule})" if notice.rule not in (None, notice.reason) else ""
            _log.warning("notice %s%s: %s", notice.reason, rule, notice.message_id or notice.request_no or "")
        elif self._told == self.config.bounds.notices_told_per_minute + 1:
            _log.warning("more notices than are told in a minute: see the ledger")


def _raw(incoming: Incoming) -> Raw:
    """The lane is the routing key's second word; a partner without an urgent queue gets both in one."""
    urgent = incoming.queue.endswith(".urgent") or incoming.routing_key.split(".", 2)[1:2] == ["urgent"]
    lane = "urgent" if urgent else "normal"
    return Raw(incoming.body, incoming.queue, lane, incoming.content_type, incoming.sha256)
