"""One supervised connection to the broker: it comes back by itself, and its state can be seen.

aio-pika's own robust connection is not used: it restores channels behind our back, and a publisher must know
whether its channel is the one that a message went out on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any, Literal, TypeVar

import aio_pika
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from aiormq.channel import Channel
from yarl import URL

from lianzhi.amqp.address import check_broker_url
from lianzhi.amqp.deliveries import Tap, Transport
from lianzhi.errors import LianzhiError

log = logging.getLogger("lianzhi.amqp")

CONNECT_SECONDS = 10.0
CHANNEL_SECONDS = 5.0
CLOSE_SECONDS = 3.0
BLOCKED_POLL_SECONDS = 0.5

# What a broken link, channel or handshake can raise in the client.
WIRE_ERRORS = (*CONNECTION_EXCEPTIONS, TimeoutError)

T = TypeVar("T")
State = Literal["closed", "connecting", "connected"]


class LinkClosedError(LianzhiError):
    """The link was closed by its owner: nothing more comes through it."""


@contextmanager
def own_cancellation_only() -> Iterator[None]:
    """The client ends calls on a closing channel with CancelledError, or an Exception that says nothing: only the
    task's own cancellation may pass.

    Raises ConnectionError for the others.
    """
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ConnectionError("channel or connection lost") from None
    except Exception as error:
        if type(error) is not Exception:
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


def _retrieved(call: asyncio.Future[Any]) -> None:
    """Its error was taken note of: the connection is gone, and nobody waits for the call any more."""
    if not call.cancelled():
        call.exception()


class Link:
    """A connection that is opened again whenever it is lost.

    url: amqp(s)://user:password@host:port/vhost, or several of the nodes of one cluster, tried in turn; name: shown by
    the broker. reconnect: first delay in seconds, doubled up to `reconnect_max` each time that all have failed.
    heartbeat: seconds; a silent peer is given up after about three. Raises ConfigurationError for an address that is
    none, or a parameter in it that is not known.
    """

    def __init__(
        self,
        url: str | Sequence[str],
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
        self._heartbeat = heartbeat
        self._turn = 0
        self.redirect(url)
        self._delays = (reconnect, reconnect_max)
        self._ssl = ssl_context
        self._transport = Transport()
        self._connection: aio_pika.Connection | None = None
        self._changed = asyncio.Event()
        self._lost = asyncio.Event()
        self._tried = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None

    def redirect(self, url: str | Sequence[str]) -> None:
        """Where the next connection goes, and with which password; the present one stays.

        Raises ConfigurationError: as the constructor.
        """
        urls = (url,) if isinstance(url, str) else tuple(url)
        for one in urls:
            check_broker_url(one)
        self._urls = [URL(one).update_query(heartbeat=self._heartbeat) for one in urls]

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

    async def wait_tried(self, timeout: float) -> bool:
        """Whether, in so many seconds, a first attempt came to its end: connected, or not (see `last_error`)."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), timeout)
        return self._tried.is_set()

    async def channel(self, *, confirms: bool = False) -> Channel:
        """A fresh channel; waits for the link first, without limit.

        A link on which no channel can be opened in five seconds is dropped. Raises LinkClosedError, WIRE_ERRORS.
        """
        connection = await self._up()
        assert connection.transport is not None
        try:
            channel = await self.answer(
                connection.transport.connection.channel(
                    publisher_confirms=confirms, on_return_raises=confirms, timeout=CHANNEL_SECONDS
                )
            )
        except TimeoutError:
            self.drop("no answer to channel.open")
            raise
        assert isinstance(channel, Channel)
        return channel

    async def answer(self, call: Coroutine[Any, Any, T]) -> T:
        """What the broker answers to `call`, a call on a channel of this link.

        Raises ConnectionError as soon as the connection is lost: a call that the client was just sending then would
        wait for its whole timeout. Raises WIRE_ERRORS.
        """
        calling = asyncio.ensure_future(call)
        calling.add_done_callback(_retrieved)  # the client may answer its own error to our cancellation
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((calling, losing), return_when=asyncio.FIRST_COMPLETED)
            if not calling.done():
                raise ConnectionError("connection lost")
            with own_cancellation_only():
                return await calling
        finally:
            calling.cancel()
            losing.cancel()

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
        failed = 0  # addresses in a row
        while True:
            since, url = loop.time(), self._urls[self._turn % len(self._urls)]
            try:
                await self._live(url)
            except Exception as error:  # whatever the other side made the client raise
                self.last_error = self._transport.farewell or f"{type(error).__name__}: {error}"
                self._tried.set()
            if loop.time() - since > longest:
                delay, failed = first, 0
            failed += 1
            self._turn = (self._turn + 1) % len(self._urls)
            pause = delay if failed % len(self._urls) == 0 else first
            where = f"{url.host}:{url.port}"
            log.warning("link %s is down (%s: %s), next try in %.1f s", self.name, where, self.last_error, pause)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            if failed % len(self._urls) == 0:
                delay = min(delay * 2, longest)

    async def _live(self, url: URL) -> None:
        """From the handshake to the loss of one connection."""
        connection = aio_pika.Connection(url, ssl_context=self._ssl, client_properties={"connection_name": self.name})
        connection.kwargs["transport_factory"] = self._transport
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                with own_cancellation_only():
                    await connection.connect()
            self._lost.clear()
            self._connection, self.state = connection, "connected"
            self.connects += 1
            self._tried.set()
            self._changed.set()
            log.info("link %s is up", self.name)
            await self._attend(connection)
        finally:
            if self.state == "connected":
                self.state = "connecting"
            self._connection, self.blocked = None, False
            self._lost.set()
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
