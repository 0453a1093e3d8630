"""For whoever runs it: `serve`, `doctor`, `openapi`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gateway.registry.config import DEFAULT_FOLDER, Config, load_config
from gateway.registry.places import places
from lianzhi.cli.output import (
    FOUND_WRONG,
    MISUSE,
    Folder,
    as_json,
    console,
    fail,
    own_errors_told,
    problems,
    run,
    said,
)
from lianzhi.errors import BrokerUnavailableError, ConfigurationError
from lianzhi.files import open_to_others, told
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from lianzhi.amqp.link import Link

SHOWN = 20
"""Names of queues in one line."""


def serve(
    folder: Folder = DEFAULT_FOLDER,
    role: Annotated[
        str, typer.Option(help="api,dispatch,intake,clock 的任意组合 Any subset")
    ] = "api,dispatch,intake,clock",
    pretty: Annotated[bool, typer.Option(help="日志便于人读 Logs for people")] = False,
) -> None:
    """运行网关 Run the gateway until it is told to stop."""
    from gateway import process
    from gateway.bootstrap import ROLES, Role
    from gateway.observability import configure_logging

    chosen = tuple(r.strip() for r in role.split(",") if r.strip())
    if not chosen or set(chosen) - set(ROLES):
        fail(f"--role 须为 must be a subset of: {','.join(ROLES)}", MISUSE)
    configure_logging(pretty=pretty)

    with own_errors_told():
        process.serve(load_config(folder), cast("tuple[Role, ...]", chosen))


async def passes(name: str, check: Callable[[], Awaitable[str]]) -> bool:
    try:
        console.print(f"[green]✓[/green] {name}：{await check()}")
        return True
    except Exception as error:
        told = str(error) if isinstance(error, ConfigurationError) else said(error)
        problems.print(f"✗ {name}：{told}", style="red", markup=False)
        return False


async def _up(link: Link) -> None:
    """Raises BrokerUnavailableError with what the last try met."""
    try:
        await link.wait_connected(10)
    except TimeoutError:
        raise BrokerUnavailableError(link.last_error or "timeout") from None


def doctor(folder: Folder = DEFAULT_FOLDER) -> None:
    """检查安装：配置、密钥、数据库、代理、队列 Check the installation; exit 1 when something is wrong."""
    from gateway.registry.contracts import check_words
    from gateway.registry.law_files import load_law
    from gateway.registry.participants import load_registry

    try:
        config = load_config(folder)
        load_law(folder)
        directory, keyring = load_registry(folder)
        check_words(directory, folder)
    except ConfigurationError as error:  # nothing else can be looked at
        problems.print("✗ 配置 configuration：", end="", style="red")
        problems.print(str(error), style="red", markup=False)
        raise typer.Exit(FOUND_WRONG) from None

    async def registry() -> str:
        keys = sum(len(keyring.public_keys(p.code)) for p in directory)
        return f"{len(list(directory))} 个单位 participants, {keys} 把公钥 public keys, home {directory.home.code}"

    async def work() -> list[bool]:
        return [
            await passes("参与单位 participants", registry),
            await passes("时效 key dates", lambda: _key_dates(config)),
            await passes("数据库 store", lambda: _store(config)),
            await passes("代理 broker", lambda: _broker(config)),
            await passes("时钟 clocks", lambda: _clocks(config)),
            await passes("标记 marks", lambda: _marks(config)),
            await passes("报文大小 message size", lambda: _message_size(config)),
            await passes("呼叫 paging", lambda: _paging(config)),
            await passes("文件权限 files", lambda: _files(config)),
        ]

    if not all(run(work())):
        raise typer.Exit(FOUND_WRONG)


async def _key_dates(config: Config) -> str:
    """Every party that we sign for has a key to sign with today."""
    from gateway.bootstrap import SystemClock
    from gateway.registry.participants import load_registry

    directory, keyring = load_registry(config.folder)
    now = SystemClock().now()
    for participant in directory:
        if participant.local:
            keyring.signing_key(participant.code, at=now)
    return "签名密钥有效 signing keys in force"


async def _store(config: Config) -> str:
    from gateway.bootstrap import SystemClock
    from gateway.store.store import open_store

    store = await open_store(config.store_url)
    try:
        await store.try_writing(SystemClock().now())
        apart = abs((SystemClock().now() - await store.now()).total_seconds())
        return f"可读写 read and written, 时钟相差 clock apart {apart:.1f} s, 待发 waiting {await store.backlog()}"
    finally:
        await store.close()


async def _broker(config: Config) -> str:
    """The gateway's own user can log in, and every queue of the topology is there."""
    from gateway.broker.topology import plan
    from gateway.registry.participants import load_registry
    from lianzhi.amqp.declare import missing
    from lianzhi.amqp.link import Link

    directory, _ = load_registry(config.folder)
    topology = plan(directory, catalogue(), gateway_user=config.broker_user, bounds=config.limits)
    queues = [queue.name for queue in topology.queues]
    async with Link(config.broker_urls, name="doctor") as link:
        await _up(link)
        if absent := await missing(link, queues, exchanges=topology.exchanges):
            names = ", ".join(absent[:SHOWN]) + (" …" if len(absent) > SHOWN else "")
            raise ConfigurationError(
                f"缺少 {len(absent)} 个队列或交换机：{names}；请运行 lianzhi broker apply。"
                f" {len(absent)} queues or exchanges are not there: {names}; run `lianzhi broker apply`."
            )
        return f"已登录 logged in as {config.broker_user}, 队列 queues {len(queues)}"


async def _clocks(config: Config) -> str:
    """Ours against the database's, the broker's, and what the partners' messages of late show."""
    from gateway.bootstrap import SystemClock
    from gateway.broker.clock import broker_time
    from gateway.core.clock_watch import SAME
    from gateway.store.store import open_store

    clock, told, wrong = SystemClock(), [], []
    store = await open_store(config.store_url)
    try:
        others = {"数据库 database": await store.now() - clock.now()}
        partners = await store.partner_clocks()
    finally:
        await store.close()
    at_broker = await broker_time(config.broker.management)
    if at_broker is not None:
        others["代理 broker"] = at_broker - clock.now()
    for name, offset in others.items():
        told.append(f"{name} {offset.total_seconds():+.1f} s")
        if abs(offset) > SAME:
            wrong.append(name)
    if at_broker is None:
        told.append(f"代理 broker ? ({config.broker.management} 没有回答 does not answer)")
    told += [f"{one.participant} {one.offset_ms / 1000:+.1f} s ({one.at:%m-%d %H:%M})" for one in partners]
    if wrong:
        raise ConfigurationError(
            f"本机时钟与{'、'.join(wrong)}不一致，请校时。 This clock and theirs differ; synchronise: {', '.join(told)}"
        )
    return ", ".join(told)


async def _marks(config: Config) -> str:
    """The database is not behind what was marked outside of it, and both marks can be read (docs/adr/0030)."""
    from gateway.application.marks import MISSING, told
    from gateway.application.recovery.restored import look
    from gateway.bootstrap import SystemClock, build_context
    from gateway.broker.mark_queue import MarkQueue
    from gateway.core.marks import Verdict
    from gateway.registry.mark_file import MarkFile
    from gateway.store.store import open_store
    from lianzhi.amqp.link import Link

    store = await open_store(config.store_url)
    try:
        async with Link(config.broker_urls, name="doctor") as link:
            queue = MarkQueue(link, user=config.broker_user)
            await queue.connect()
            found = await look(build_context(config, store, SystemClock()), [MarkFile(config.folder), queue])
    finally:
        await store.close()
    wrong = [
        told(verdict, name, found.marks[name], found.standing)
        for name, verdict in found.verdicts().items()
        if verdict is not Verdict.SOUND
    ]
    wrong += [f"{name}：{fault}" for name, fault in found.faults.items()]
    if not found.marks and not found.standing.new and not wrong:
        wrong.append(MISSING)
    if wrong:
        raise ConfigurationError(" ".join(wrong))
    return f"相符 as marked: {', '.join(sorted(found.marks)) or '尚未运行 never served yet'}"


async def _message_size(config: Config) -> str:
    """The broker's own limit is just above ours."""
    from gateway.broker.message_limit import ask_message_limit, judge
    from lianzhi.amqp.link import Link

    async with Link(config.broker_urls, name="doctor") as link:
        await _up(link)
        return judge(await ask_message_limit(link, config.limits, user=config.broker_user), config.limits)


async def _paging(config: Config) -> str:
    """The channels by which a hit pages people can be built. None is told: then only the feed and the log tell."""
    from gateway.bootstrap import build_notifiers

    names = [notifier.channel for notifier in build_notifiers(config)]
    return f"渠道 channels: {', '.join(names) or '未配置，命中时无人被呼叫 none: nobody is paged on a hit'}"


async def _files(config: Config) -> str:
    """Nobody else on this machine can read what lies in the installation."""
    modes = open_to_others(places(config))
    if modes.home_shared:
        raise ConfigurationError(
            f"{config.folder} 是共用文件夹，请移到专用文件夹。 Others use this folder too; move to one of its own."
        )
    if modes.open:
        zh, en = told(modes)
        raise ConfigurationError(
            f"{zh}；serve 启动时收回，或 chmod -R go= {config.folder}。"
            f" {en}; serve closes them when it starts, or chmod -R go= {config.folder}."
        )
    return "仅本用户可读 readable by this user alone"


def openapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """API 的 OpenAPI 3.1 文档 The API's OpenAPI 3.1 document."""
    from gateway.http.openapi import openapi_document

    _publish(openapi_document(catalogue()), out)


def asyncapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """队列与报文的 AsyncAPI 3.0 文档 The AsyncAPI 3.0 document of queues and messages."""
    from gateway.http.asyncapi import asyncapi_document

    _publish(asyncapi_document(catalogue()), out)


def _publish(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        as_json(document)
        return
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
