"""The only place that builds concrete objects: from a configuration to a running gateway.

Any subset of the roles may run in one process; with PostgreSQL any number of processes. A task that ends with an
error of our own ends the process: broken by our own fault crashes (docs/design.md section 4 rule 4).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import structlog

from adapters.registry import adapter_for
from gateway.amqp.link import Link
from gateway.broker.consumer import GatewayConsumer
from gateway.broker.health import BrokerHealth, broker_health
from gateway.broker.publisher import GatewayPublisher
from gateway.core.routing import Directory
from gateway.crypto.keyring import Keyring
from gateway.errors import ConfigurationError
from gateway.http.app import Api, serve_http
from gateway.notify import MailNotifier, WebhookNotifier
from gateway.papers.local import LocalDocuments
from gateway.registry.calendars import shipped
from gateway.registry.config import Config
from gateway.registry.installation import Installation
from gateway.registry.participants import load_registry
from gateway.services.act import Actor
from gateway.services.calendars import CalendarKeeper
from gateway.services.clock import ClockWork
from gateway.services.context import Calendars, Context
from gateway.services.dispatch import Dispatcher
from gateway.services.intake import Intake
from gateway.services.numbers import Numbers
from gateway.services.paging import Pager
from gateway.services.ports import Clock, Consumer, Notifier, Publisher, Store
from gateway.services.roster import watch_roster
from gateway.services.submit import Submitter
from gateway.store.store import open_store
from schemas.catalogue import catalogue

log = structlog.get_logger("lianzhi")

Role = Literal["api", "dispatch", "intake", "clock"]
ROLES: tuple[Role, ...] = ("api", "dispatch", "intake", "clock")
CLOCK_TOLERANCE = timedelta(seconds=2)
DISPATCHERS = 2  # one publishes while the other leases and marks


class SystemClock:
    """`services.ports.Clock` on the wall."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Wrappers:
    """What a caller may put around the concrete ports; tests stop the process inside one of them."""

    store: Callable[[Store], Store] = lambda port: port
    publisher: Callable[[Publisher], Publisher] = lambda port: port
    consumer: Callable[[Consumer], Consumer] = lambda port: port


@dataclass(slots=True)
class Gateway:
    """A running gateway. port: where the API listens (0: it does not)."""

    context: Context
    directory: Directory
    keyring: Keyring
    port: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def wait(self) -> None:
        """Until `stop` is set or a task fails; then its error."""
        stopping = asyncio.create_task(self.stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *self.tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stopping.cancel()


@asynccontextmanager
async def running(
    config: Config,
    roles: Sequence[Role] = ROLES,
    *,
    clock: Clock | None = None,
    wrappers: Wrappers | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway with these roles until the block is left. Raises ConfigurationError, StoreUnavailableError."""
    wrap = wrappers or Wrappers()
    async with AsyncExitStack() as stack:
        store = wrap.store(await open_store(config.store_url, serving=True))
        stack.push_async_callback(store.close)
        context = build_context(config, store, clock or SystemClock())
        await _check_clock(context)
        keeper = CalendarKeeper(context, counts="clock" in roles)
        await keeper.once()
        gateway = Gateway(context, context.directory, context.keyring)
        wakes: list[Callable[[], None]] = []

        def wake() -> None:
            for one in wakes:
                one()

        work: list[Coroutine[Any, Any, None]] = [keeper.run(gateway.stop), store.watch(gateway.stop)]
        health: Callable[[], BrokerHealth] | None = None
        if "dispatch" in roles or "intake" in roles:
            link = Link(config.broker_url, name=f"gateway {context.home.code}")
            await link.open()
            stack.push_async_callback(link.close)
            consumer: GatewayConsumer | None = None
            if "dispatch" in roles:
                publisher = GatewayPublisher(link, config.broker_user)
                stack.push_async_callback(publisher.close)
                for number in range(DISPATCHERS):
                    owner = f"{socket.gethostname()}:{os.getpid()}:{number}"
                    dispatcher = Dispatcher(context, wrap.publisher(publisher), owner)
                    wakes.append(dispatcher.wake)
                    work.append(dispatcher.run(gateway.stop))
            if "intake" in roles:
                consumer = GatewayConsumer(link, context.directory, context.catalogue, budget=config.broker.prefetch)
                stack.push_async_callback(consumer.close)
                work.append(Intake(context, wrap.consumer(consumer), wake).run(gateway.stop))
            health = partial(broker_health, link, consumer)
        if "clock" in roles:
            await watch_roster(context)
            work.append(ClockWork(context, wake).run(gateway.stop))
            notifiers = build_notifiers(config)
            for notifier in notifiers:
                stack.push_async_callback(notifier.close)
            work.append(Pager(context, notifiers).run(gateway.stop))
        if "api" in roles:
            documents = LocalDocuments(config.documents_folder)
            await documents.sweep(context.clock.now())
            numbers = Numbers(store, context.settings.number_block)
            api = Api(
                context=context,
                submitter=Submitter(context, numbers, wake),
                numbers=numbers,
                wake=wake,
                actor=Actor(context, wake),
                documents=documents,
                broker_health=health,
            )
            gateway.port = await stack.enter_async_context(serve_http(api, config.http.host, config.http.port))
        gateway.tasks = [asyncio.create_task(w) for w in work]
        stack.push_async_callback(_end, gateway)
        log.info("running", roles=list(roles), home=context.home.code, port=gateway.port)
        yield gateway


def build_context(config: Config, store: Store, clock: Clock) -> Context:
    """From files to what every use case is given. Raises ConfigurationError."""
    directory, keyring = load_registry(config.folder)
    for participant in directory:
        try:
            if not participant.home:
                adapter_for(participant.dialect)
        except LookupError as error:
            raise ConfigurationError(
                f"{participant.code}：没有方言 {participant.dialect}。 No such dialect."
            ) from error
    return Context(
        directory=directory,
        keyring=keyring,
        catalogue=catalogue(),
        adapter_for=adapter_for,
        store=store,
        clock=clock,
        settings=config.settings(),
        limits=config.bounds(),
        hash_key=Installation(config.folder).hash_key(),
        calendars=Calendars(shipped()),
    )


def build_notifiers(config: Config) -> list[Notifier]:
    """The ways out to people that are configured. Raises ConfigurationError."""
    found: list[Notifier] = []
    notify = config.notify
    if notify.webhook is not None:
        secret = config.secret(notify.webhook.secret_file)
        found.append(WebhookNotifier(notify.webhook.url, secret, notify.public_url))
    if (mail := notify.mail) is not None:
        password = None if mail.password_file is None else config.secret(mail.password_file)
        found.append(MailNotifier(mail.host, mail.port, mail.sender, tls=mail.tls, user=mail.user, password=password))
    return found


async def _check_clock(context: Context) -> None:
    """Deadlines live in the store: a process whose clock is not the database's must not start."""
    apart = abs(context.clock.now() - await context.store.now())
    if apart > CLOCK_TOLERANCE:
        raise ConfigurationError(
            f"本机时钟与数据库相差 {apart.total_seconds():.1f} 秒，请先校时。"
            f" This clock and the database's are {apart.total_seconds():.1f} s apart; synchronise first."
        )


async def _end(gateway: Gateway) -> None:
    """Cancels what does not end by itself; waits for all."""
    gateway.stop.set()
    pending: Iterable[asyncio.Task[Any]] = gateway.tasks
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
