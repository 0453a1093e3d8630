"""The only place that builds concrete objects: from a configuration to a running gateway.

Any subset of the roles may run in one process; with PostgreSQL any number of processes. A task that ends with an
error of our own ends the process: broken by our own fault crashes (docs/architecture.md 4 rule 4).
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog

from adapters.registry import adapter_for
from gateway.application.alerts.duty_roster import watch_roster
from gateway.application.alerts.paging import Pager
from gateway.application.context import Calendars, Context, Loaded
from gateway.application.conversation.send_verb import Actor
from gateway.application.deadlines.calendars import CalendarKeeper
from gateway.application.deadlines.clock_guard import ClockGuard, OtherClock
from gateway.application.deadlines.scheduler import ClockWork
from gateway.application.deadlines.silence import SilenceWatch
from gateway.application.duty.alerts import Alerts
from gateway.application.duty.people import PeopleMail
from gateway.application.duty.telling import Teller, Ways
from gateway.application.duty.watch import AlarmWatch
from gateway.application.inbound.consume import Intake
from gateway.application.marks import MarkKeeper
from gateway.application.operating.digest import DigestMail
from gateway.application.operating.draining import Draining
from gateway.application.operating.incidents import Incidents
from gateway.application.operating.partners import Partners
from gateway.application.operating.pauses import Pauses
from gateway.application.operating.quarantine_acts import QuarantineActs
from gateway.application.operating.replays import Replays
from gateway.application.operating.resending import Resending
from gateway.application.operating.restores import Restores
from gateway.application.outbound.dispatch import Dispatcher
from gateway.application.outbound.lease_gate import LeaseGate
from gateway.application.ports.alerts import AlarmWay, Notifier
from gateway.application.ports.broker import Consumer, Publisher, QueueSizes
from gateway.application.ports.store import Store
from gateway.application.ports.timers import Clock
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import Submitter
from gateway.broker.clock import broker_time
from gateway.broker.consumer import GatewayConsumer
from gateway.broker.health import BrokerHealth, broker_health
from gateway.broker.lookout import Lookout
from gateway.broker.mark_queue import MarkQueue
from gateway.broker.publisher import GatewayPublisher
from gateway.broker.queue_states import QueueStates
from gateway.broker.topology import OUT, plan
from gateway.core.alarms.terms import Way
from gateway.core.readiness import WORDS
from gateway.http.app import Api, serve_http, serve_metrics, serve_waiting
from gateway.http.operating.calls import ROUTES
from gateway.http.operating.door import Door, serve_operators
from gateway.http.operating.place import listening
from gateway.monitoring.alarmed import FigureLook
from gateway.monitoring.machine import MachineLook
from gateway.monitoring.metrics import Metrics, Senses
from gateway.notify import MailAlerts, MailNotifier, WebhookAlerts, WebhookNotifier
from gateway.observability import alive, log_state
from gateway.papers.local import LocalDocuments
from gateway.registry.calendars import shipped
from gateway.registry.config import FILE, Config, MailSection
from gateway.registry.installation import Installation
from gateway.registry.kept import last_backup
from gateway.registry.law_files import load_law
from gateway.registry.mark_file import MarkFile
from gateway.registry.operators import read_operators
from gateway.registry.participants import load_registry
from gateway.registry.places import places
from gateway.reloading import Files, Follower, Reloader, read_files
from gateway.store.engine.database import database_url, sqlite_path
from gateway.store.store import open_store
from lianzhi.amqp.link import Link
from lianzhi.amqp.traced import TracedPublisher
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.faults import cause_of
from lianzhi.files import put_right
from lianzhi.spans import open_tracer
from schemas.catalogue import catalogue
from schemas.law.force import put_in_force

log = structlog.get_logger("lianzhi")

Role = Literal["api", "dispatch", "intake", "clock"]
ROLES: tuple[Role, ...] = ("api", "dispatch", "intake", "clock")
Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Goes on until the event is set."""
CLOCK_TOLERANCE = timedelta(seconds=2)
STORE_PAUSES = (0.5, 15.0)
"""Seconds between two tries to reach a database that is away: the first, the longest."""
STORE_AWAY = dict(zip(("zh", "en"), WORDS["store-away"], strict=True))
DISPATCHERS = 2  # one publishes while the other leases and marks


def monotonic() -> float:
    """Seconds of a clock that nobody sets; where the system has it, one that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SystemClock:
    """`application.ports.clock.Clock` on the wall."""

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
    """A running gateway. port, metrics_port: where the API and `/metrics` listen (0: they do not). waiting: how many
    wait for events now."""

    context: Context
    reloader: Reloader
    waiting: Callable[[], int] = lambda: 0
    port: int = 0
    metrics_port: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def wait(self, told: asyncio.Event | None = None) -> None:
        """Until `told` (else `stop`) is set or a task fails; then its error."""
        stopping = asyncio.create_task((told or self.stop).wait())
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
        await asyncio.to_thread(close_files, config)
        store = wrap.store(await open_store(config.store_url, serving=True))
        stack.push_async_callback(store.close)
        files = read_files(config)
        put_in_force(files.law)
        context = _context(config, files.loaded, store, clock or SystemClock())
        _trace(stack, config, context)
        reloader = Reloader(files, context)
        await _check_clock(context)
        guard = ClockGuard(context, monotonic, _other_clocks(config, store), tells="clock" in roles)
        if clock is None:  # a clock that a test or the demo sets makes steps by right
            await guard.begin()
        keeper = CalendarKeeper(context, counts="clock" in roles)
        await keeper.once()
        gateway = Gateway(context, reloader)
        wakes: list[Callable[[], None]] = []

        def wake() -> None:
            for one in wakes:
                one()

        work: list[Work] = [keeper.run, store.watch, reloader.run]  # begun when everything stands
        if clock is None:
            work += [guard.run, alive]
        health: Callable[[], BrokerHealth] | None = None
        gate = LeaseGate()
        link = Link(files.broker_urls, name=f"gateway {context.home.code}")
        reloader.follow(_redirects(link))
        await link.open()
        stack.push_async_callback(link.close)
        marks = await _compared(stack, context, config, link)
        work.append(marks.run)
        if "dispatch" in roles or "intake" in roles:
            consumer: GatewayConsumer | None = None
            lookout: Lookout | None = None
            if "dispatch" in roles:
                lookout = await _lookout(stack, files, context, reloader)
                work.append(lookout.run)
                publisher = GatewayPublisher(link, config.broker_user)
                stack.push_async_callback(publisher.close)
                sending = _traced(publisher, context)
                for number in range(DISPATCHERS):
                    owner = f"{socket.gethostname()}:{os.getpid()}:{number}"
                    dispatcher = Dispatcher(context, wrap.publisher(sending), owner, gate)
                    wakes.append(dispatcher.wake)
                    work.append(_after(marks.asked, dispatcher.run))
            if "intake" in roles:
                consumer = GatewayConsumer(
                    link, context.directory, context.catalogue,
                    budget=config.broker.prefetch, bounds=context.bounds, reached=context.reached,
                )  # fmt: skip
                stack.push_async_callback(consumer.close)
                reloader.follow(_heard(consumer))
                intake = Intake(context, wrap.consumer(consumer), wake)
                work.append(_after(marks.asked, intake.run))
                work.append(_after(marks.asked, intake.release))
            health = partial(broker_health, link, consumer, lookout)
        if "clock" in roles:
            await watch_roster(context)
            work.append(_after(marks.sound, ClockWork(context, wake).run))
            ways = WaysOut(build_notifiers(config))
            stack.push_async_callback(ways.close)
            pager = Pager(context, ways.notifiers)
            digest, people = DigestMail(context, ways.notifiers), PeopleMail(context, ways.notifiers)
            reloader.follow(partial(ways.renew, (pager, digest, people)), check=ways.prepare)
            alarm_ways = AlarmWays(build_alarm_ways(config))
            stack.push_async_callback(alarm_ways.close)
            teller = Teller(context, alarm_ways.ways)
            reloader.follow(partial(alarm_ways.renew, teller), check=alarm_ways.prepare)
            work.append(pager.run)
            work.append(teller.run)
            work.append(_after(marks.sound, digest.run))
            work.append(_after(marks.sound, people.run))
            figures = FigureLook(context, senses(config, context, link, health))
            work.append(_after(marks.sound, AlarmWatch(context, figures).run))
            work.append(_after(marks.sound, SilenceWatch(context, QueueStates(link).ask).run))
        metrics = Metrics(context, senses(config, context, link, health))
        if "api" in roles:
            documents = LocalDocuments(config.documents_folder)
            await documents.sweep(context.clock.now())
            numbers = Numbers(store, context.settings.number_block, marks)
            api = Api(
                context=context,
                metrics=metrics,
                submitter=Submitter(context, numbers, wake),
                numbers=numbers,
                wake=wake,
                actor=Actor(context, wake),
                documents=documents,
                broker_health=health,
                marks=marks,
                proxies=config.http.proxies,
            )
            gateway.waiting = lambda: api.watch.waiting
            reloader.follow(_seen_by(api))
            gateway.port = await _served(stack, api, config)
        if "api" in roles or config.http.metrics_without_api:
            gateway.metrics_port = await _measured(stack, metrics, context, config, gateway.port)
        await _operated(stack, config, build_door(config, context, link, gate, wake))
        gateway.tasks = [asyncio.create_task(one(gateway.stop)) for one in work]
        stack.push_async_callback(_end, gateway)
        log.info("running", roles=list(roles), home=context.home.code, port=gateway.port)
        yield gateway


def _trace(stack: AsyncExitStack, config: Config, context: Context) -> None:
    """Traces, where they are configured. Raises ConfigurationError where OpenTelemetry is not installed."""
    if (settings := config.tracing.settings()) is not None:
        context.tracer = open_tracer(settings, context.home.code)
        stack.push_async_callback(context.tracer.close)


def _traced(publisher: Publisher, context: Context) -> Publisher:
    return publisher if context.tracer is None else TracedPublisher(publisher, OUT, context.tracer)


def build_door(config: Config, context: Context, link: Link, gate: LeaseGate, wake: Callable[[], None]) -> Door:
    """What operators act through (docs/adr/0047)."""
    return Door(
        context=context,
        operators=partial(read_operators, config.folder / FILE),
        quarantine=QuarantineActs(context, wake),
        replays=Replays(context, wake),
        resending=Resending(context, wake),
        pauses=Pauses(context, gate, wake),
        draining=Draining(context, gate, wake),
        incidents=Incidents(context),
        alerts=Alerts(context),
        partners=Partners(context, QueueStates(link).ask),
        restores=Restores(context),
    )


async def _operated(stack: AsyncExitStack, config: Config, door: Door) -> None:
    """The operators' socket, unless another process of this installation has it. Raises ConfigurationError."""
    sock = stack.enter_context(listening(config.folder))
    if sock is not None:
        await stack.enter_async_context(serve_operators(door, sock, ROUTES))


async def _lookout(stack: AsyncExitStack, files: Files, context: Context, reloader: Reloader) -> Lookout:
    link = Link(files.broker_urls, name=f"gateway {context.home.code} lookout")
    reloader.follow(_redirects(link))
    await link.open()
    stack.push_async_callback(link.close)
    topology = plan(context.directory, context.catalogue)
    lookout = Lookout(link, topology.outbound(), user=files.config.broker_user)
    stack.push_async_callback(lookout.close)

    async def follow(fresh: Files) -> None:
        lookout.follow(plan(fresh.loaded.directory, context.catalogue).outbound())

    reloader.follow(follow)
    return lookout


def _redirects(link: Link) -> Follower:
    async def follow(files: Files) -> None:
        link.redirect(files.broker_urls)

    return follow


def _heard(consumer: GatewayConsumer) -> Follower:
    async def follow(files: Files) -> None:
        await consumer.follow(files.loaded.directory)

    return follow


def _seen_by(api: Api) -> Follower:
    """Whoever waits for events looks again, and is asked again who it is."""

    async def follow(_: Files) -> None:
        api.watch.everybody()

    return follow


class WaysOut:
    """The ways to people, which a reload may change. notifiers: those in force."""

    def __init__(self, notifiers: list[Notifier]) -> None:
        self.notifiers = notifiers
        self._next: list[Notifier] = []

    def prepare(self, files: Files) -> None:
        """Raises ConfigurationError: a way of these files could not be gone."""
        self._next = build_notifiers(files.config)

    async def renew(self, senders: Sequence[Pager | DigestMail | PeopleMail], _: Files) -> None:
        """What was prepared holds from now on."""
        old, self.notifiers, self._next = self.notifiers, self._next, []
        for sender in senders:
            sender.follow(self.notifiers)
        await _closed(old)

    async def close(self) -> None:
        await _closed(self.notifiers)


class AlarmWays:
    """How the recipients of alarms are reached, which a reload may change. ways: those in force."""

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self._next: Ways = {}

    def prepare(self, files: Files) -> None:
        """Raises ConfigurationError: one of these files could not be reached."""
        self._next = build_alarm_ways(files.config)

    async def renew(self, teller: Teller, _: Files) -> None:
        """What was prepared holds from now on."""
        old, self.ways, self._next = self.ways, self._next, {}
        teller.follow(self.ways)
        await _closed(old.values())

    async def close(self) -> None:
        await _closed(self.ways.values())


async def _closed(notifiers: Iterable[Notifier | AlarmWay]) -> None:
    for notifier in notifiers:
        await notifier.close()


async def _compared(stack: AsyncExitStack, context: Context, config: Config, link: Link) -> MarkKeeper:
    """The store, held against its marks, one step further. Raises ConfigurationError (docs/adr/0030)."""
    queue = MarkQueue(link, user=config.broker_user)
    await queue.connect()
    marks = MarkKeeper(context, [MarkFile(config.folder), queue])
    await marks.start()
    stack.push_async_callback(marks.close)
    return marks


def _after(event: asyncio.Event, work: Work) -> Work:
    """`work`, once `event` has happened."""

    async def later(stop: asyncio.Event) -> None:
        await event.wait()
        await work(stop)

    return later


def close_files(config: Config) -> None:
    """What an earlier version or an open umask left readable for others is put right, and told."""
    modes = put_right(places(config))
    if modes.open:
        log.warning("files-closed", folders=modes.folders, files=modes.files, not_ours=modes.foreign)
    if modes.home_shared:
        log.warning("folder-shared", rule="an installation needs a folder of its own")


async def wait_for_store(config: Config, roles: Sequence[Role], stop: asyncio.Event) -> None:
    """Until the database answers, or `stop`: tried again and again, the pause doubled up to `STORE_PAUSES[1]`. What is
    waited for stands in the log and, where the API is a role, in `/readyz`.

    Raises ConfigurationError: what waiting would not mend.
    """
    pause, longest = STORE_PAUSES
    async with AsyncExitStack() as stack:
        waiting = False
        while not stop.is_set():
            try:
                store = await open_store(config.store_url)
            except StoreUnavailableError as error:
                log.warning("waiting-for-store", error=cause_of(error), next_try=pause, **STORE_AWAY)
            else:
                await store.close()
                return
            if not waiting and "api" in roles and config.http.port:
                await stack.enter_async_context(
                    _listen(serve_waiting(config.limits, config.http.host, config.http.port), config)
                )
                waiting = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            pause = min(pause * 2, longest)


async def _served(stack: AsyncExitStack, api: Api, config: Config) -> int:
    return await stack.enter_async_context(_listen(serve_http(api, config.http.host, config.http.port), config))


@asynccontextmanager
async def _listen(serving: AbstractAsyncContextManager[int], config: Config) -> AsyncIterator[int]:
    """Raises ConfigurationError where its port cannot be had."""
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(serving)
        except OSError as error:
            raise ConfigurationError(
                f"[http] host / port：{config.http.host}:{config.http.port} 无法监听，请换端口，或停止占用它的进程。"
                f" Cannot listen there; choose another port, or stop who has it: {error.strerror}"
            ) from error
        yield port


def senses(config: Config, context: Context, link: Link, health: Callable[[], BrokerHealth] | None) -> Senses:
    """Where `/metrics` looks beside the store."""
    path = sqlite_path(database_url(config.store_url))
    disks = {"installation": config.folder, "documents": config.documents_folder}
    if path is not None:
        disks["store"] = path.parent
    states = QueueStates(link)

    async def queues() -> QueueSizes | None:
        topology = plan(context.directory, context.catalogue)
        return await states.sizes([*topology.outbound(), *topology.inbound()])

    look = MachineLook(disks, config.certificate_files, partial(last_backup, config.folder))
    return Senses(health, queues, look, log_state, version("lianzhi-gateway"))


async def _measured(stack: AsyncExitStack, metrics: Metrics, context: Context, config: Config, port: int) -> int:
    """The port of `/metrics`; 0 when the one beside the API's, which nobody asked for by number, is taken.

    Raises ConfigurationError when the configured one is.
    """
    http = config.http
    wanted = http.metrics_port
    if wanted is None:
        wanted = ((port or http.port) + 1) % 65536 if http.port else 0
    try:
        serving = serve_metrics(metrics, context.bounds, context.reached, http.metrics_host, wanted)
        return await stack.enter_async_context(serving)
    except OSError as error:
        if http.metrics_port is not None:
            raise ConfigurationError(
                f"[http] metrics_host / metrics_port：{http.metrics_host}:{wanted} 无法监听，请换一个端口。"
                f" Cannot listen there; choose another port: {error.strerror}"
            ) from error
        log.warning("metrics-not-served", host=http.metrics_host, port=wanted, why=error.strerror)
        return 0


def build_context(config: Config, store: Store, clock: Clock) -> Context:
    """From files to what every use case is given; the court's tables of the law are in force from here on.

    Raises ConfigurationError."""
    put_in_force(load_law(config.folder))
    loaded = Loaded(*load_registry(config.folder), config.settings(), config.message_limits(), config.limits)
    return _context(config, loaded, store, clock)


def _context(config: Config, loaded: Loaded, store: Store, clock: Clock) -> Context:
    return Context(
        directory=loaded.directory,
        keyring=loaded.keyring,
        catalogue=catalogue(),
        adapter_for=adapter_for,
        store=store,
        clock=clock,
        settings=loaded.settings,
        limits=loaded.limits,
        bounds=loaded.bounds,
        hash_key=Installation(config.folder).hash_key(),
        calendars=Calendars(shipped()),
    )


def build_notifiers(config: Config) -> list[Notifier]:
    """The ways out to people that are configured. Raises ConfigurationError."""
    found: list[Notifier] = []
    notify, seconds = config.notify, config.settings().page_timeout
    if notify.webhook is not None:
        secret = config.secret(notify.webhook.secret_file)
        found.append(WebhookNotifier(notify.webhook.url, secret, notify.public_url, seconds=seconds))
    if notify.mail is not None:
        found.append(_mail(config, notify.mail))
    return found


def build_alarm_ways(config: Config) -> Ways:
    """To each recipient of alarms. Raises ConfigurationError."""
    found: dict[tuple[Way, str], AlarmWay] = {}
    for name, post in config.alerts.webhook.items():
        where, secret = f"alerts.webhook.{name}.secret_file", config.secret(post.secret_file)
        found["webhook", name] = WebhookAlerts(post.url, secret, where, seconds=config.settings().page_timeout)
    if config.notify.mail is not None:
        for name, mail in config.alerts.mail.items():
            found["mail", name] = MailAlerts(_mail(config, config.notify.mail), mail.to)
    return found


def _mail(config: Config, mail: MailSection) -> MailNotifier:
    password = None if mail.password_file is None else config.secret(mail.password_file)
    seconds = config.settings().page_timeout
    return MailNotifier(
        *(mail.host, mail.port, mail.sender), tls=mail.tls, user=mail.user, password=password, seconds=seconds
    )


async def _check_clock(context: Context) -> None:
    """Deadlines live in the store: a process whose clock is not the database's must not start."""
    apart = abs(context.clock.now() - await context.store.now())
    if apart > CLOCK_TOLERANCE:
        raise ConfigurationError(
            f"本机时钟与数据库相差 {apart.total_seconds():.1f} 秒，请先校时。"
            f" This clock and the database's are {apart.total_seconds():.1f} s apart; synchronise first."
        )


def _other_clocks(config: Config, store: Store) -> dict[str, OtherClock]:
    """Whose time ours is compared with. SQLite has ours; what runs on this machine has it too."""
    management = config.broker.management
    asked = partial(broker_time, management, ca_file=config.broker_ca)
    others = {"broker": OtherClock(asked, proves=not _is_here(management))}
    if not config.store_url.startswith("sqlite"):
        others["database"] = OtherClock(store.now, proves=not _is_here(config.store_url))
    return others


def _is_here(url: str) -> bool:
    """Whether that server is this machine: no host, a socket, or a loopback address."""
    host = urlsplit(url).hostname or "localhost"
    return host in {"localhost", "::1"} or host.startswith("127.")


async def _end(gateway: Gateway) -> None:
    """Cancels what does not end by itself; waits for all."""
    gateway.stop.set()
    pending: Iterable[asyncio.Task[Any]] = gateway.tasks
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
