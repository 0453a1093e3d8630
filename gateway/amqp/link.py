"""One supervised connection to the broker: it comes back by itself, and its state can be seen.

aio-pika's own robust connection is not used: it restores channels behind our back, and a publisher must know
whether its channel is the one that a message went out on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any, Literal

import aio_pika
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from aiormq.channel import Channel
from yarl import URL

from gateway.amqp.deliveries import Tap
from gateway.amqp.transport import Transport
from gateway.errors import LianzhiError

log = logging.getLogger("lianzhi.amqp")

CONNECT_SECONDS = 10.0
CHANNEL_SECONDS = 5.0
CLOSE_SECONDS = 3.0
BLOCKED_POLL_SECONDS = 0.5

# What a broken link, channel or handshake can raise in the client.
WIRE_ERRORS = (*CONNECTION_EXCEPTIONS, TimeoutError)

State = Literal["closed", "connecting", "connected"]


class LinkClosedError(LianzhiError):
    """The link was closed by its owner: nothing more comes through it."""


@contextmanager
def own_cancellation_only() -> Iterator[None]:
    """The client ends calls on a closing channel with CancelledError: only the task's own may pass as such.

    Raises ConnectionError for the others.
    """
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ConnectionError("channel or connection lost") from None


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended. Once is not enough: the client calls `asyncio.wait_for`, which before Python
    3.12 swallows a cancellation that comes together with its result.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.2)


class Link:
    """A connection that is opened again whenever it is lost.

    url: amqp(s)://user:password@host:port/vhost; name: shown by the broker. reconnect: first delay in seconds,
    doubled up to `reconnect_max`. heartbeat: seconds; a silent peer is given up after about three.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        reconnect: float = 0.2,
        reconnect_max: float = 5.0,
        heartbeat: int = 10,
        ssl_context: SSLContext | None = None,
    ) -> None:
        self.name = name
        self.state: State = "closed"
        self.last_error: str | None = None
        self.connects = 0
        self.blocked = False
        self._url = URL(url).update_query(heartbeat=heartbeat)
        self._delays = (reconnect, reconnect_max)
        self._ssl = ssl_context
        self._transport = Transport()
        self._connection: aio_pika.Connection | None = None
        self._changed = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def open(self) -> None:
        """Start connecting; returns at once, whether the broker is there or not."""
        # The client logs whole frames at DEBUG and returned messages at ERROR: payloads, which no log may hold.
        # What matters of the rest is said here.
        for noisy in ("aiormq", "aio_pika"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        if self._supervisor is None:
            self.state = "connecting"
            self._supervisor = asyncio.create_task(self._supervise(), name=f"link {self.name}")

    async def close(self) -> None:
        """For good. Whoever waits for the link gets LinkClosedError."""
        self.state = "closed"
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            await cancel_all((supervisor,))
        self._changed.set()

    async def __aenter__(self) -> Link:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def wait_connected(self, timeout: float) -> None:
        """Raises TimeoutError (see `last_error`), LinkClosedError."""
        async with asyncio.timeout(timeout):
            await self._up()

    async def channel(self, *, confirms: bool = False) -> Channel:
        """A fresh channel; waits for the link first, without limit.

        A link on which no channel can be opened in five seconds is dropped. Raises LinkClosedError, WIRE_ERRORS.
        """
        connection = await self._up()
        assert connection.transport is not None
        try:
            with own_cancellation_only():
                channel = await connection.transport.connection.channel(
                    publisher_confirms=confirms, on_return_raises=confirms, timeout=CHANNEL_SECONDS
                )
        except TimeoutError:
            self.drop("no answer to channel.open")
            raise
        assert isinstance(channel, Channel)
        return channel

    def tap(self, channel: Channel, tap: Tap) -> None:
        """Let the deliveries of a channel of this link go to `tap`, past the client."""
        self._transport.tap(channel, tap)

    def drop(self, reason: str) -> None:
        """Cut the connection without farewell; it is opened again."""
        log.warning("link %s dropped: %s", self.name, reason)
        self.last_error = reason
        self._transport.abort()

    async def _up(self) -> aio_pika.Connection:
        while self._connection is None:
            if self.state == "closed":
                raise LinkClosedError(self.name)
            await self._changed.wait()
        return self._connection

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        first, longest = self._delays
        delay = first
        while True:
            since = loop.time()
            try:
                await self._live()
            except Exception as error:  # whatever the other side made the client raise
                self.last_error = self._transport.farewell or f"{type(error).__name__}: {error}"
            if loop.time() - since > longest:
                delay = first
            log.warning("link %s is down (%s), next try in %.1f s", self.name, self.last_error, delay)
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            delay = min(delay * 2, longest)

    async def _live(self) -> None:
        """From the handshake to the loss of one connection."""
        connection = aio_pika.Connection(
            self._url, ssl_context=self._ssl, client_properties={"connection_name": self.name}
        )
        connection.kwargs["transport_factory"] = self._transport
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                with own_cancellation_only():
                    await connection.connect()
            self._connection, self.state = connection, "connected"
            self.connects += 1
            self._changed.set()
            log.info("link %s is up", self.name)
            await self._attend(connection)
        finally:
            if self.state == "connected":
                self.state = "connecting"
            self._connection, self.blocked = None, False
            self._changed.clear()
            await self._discard(connection)

    async def _attend(self, connection: aio_pika.Connection) -> None:
        """Until the connection is lost; meanwhile watch whether the broker blocks it (memory, disk).

        Raises ConnectionError with the reason.
        """
        assert connection.transport is not None
        lost = connection.transport.connection.closing
        while not lost.done():
            flowing = asyncio.ensure_future(connection.transport.ready())
            try:
                await asyncio.wait((lost, flowing), timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
                self.blocked = not flowing.done()
                if self.blocked:
                    await asyncio.wait((lost, flowing), return_when=asyncio.FIRST_COMPLETED)
                    self.blocked = False
            finally:
                flowing.cancel()
            await asyncio.wait((lost,), timeout=BLOCKED_POLL_SECONDS)
        raise ConnectionError("closed" if lost.cancelled() else repr(lost.exception()))

    async def _discard(self, connection: aio_pika.Connection) -> None:
        with suppress(*WIRE_ERRORS):
            async with asyncio.timeout(CLOSE_SECONDS):
                await connection.close()
        self._transport.abort()
