"""For whoever runs it: `serve`, `doctor`, `broker apply`, `demo`, `openapi`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from gateway.commands.output import FOUND_WRONG, MISUSE, Folder, as_json, console, fail, own_errors_told, problems, run
from gateway.registry.config import DEFAULT_FOLDER, Config, load_config
from schemas.catalogue import catalogue

broker_app = typer.Typer(help="消息代理 Broker", no_args_is_help=True)


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


async def _check(name: str, check: Callable[[], Awaitable[str]]) -> bool:
    try:
        console.print(f"[green]✓[/green] {name}：{await check()}")
        return True
    except Exception as error:
        problems.print(f"✗ {name}：{error}", style="red")
        return False


def doctor(folder: Folder = DEFAULT_FOLDER) -> None:
    """检查安装：配置、密钥、数据库、代理、队列 Check the installation; exit 1 when something is wrong."""
    from gateway.registry.participants import load_registry

    config = load_config(folder)
    directory, keyring = load_registry(folder)

    async def registry() -> str:
        keys = sum(len(keyring.public_keys(p.code)) for p in directory)
        return f"{len(list(directory))} 个单位 participants, {keys} 把公钥 public keys, home {directory.home.code}"

    async def work() -> list[bool]:
        return [
            await _check("参与单位 participants", registry),
            await _check("时效 key dates", lambda: _key_dates(config)),
            await _check("数据库 store", lambda: _store(config)),
            await _check("代理 broker", lambda: _broker(config)),
            await _check("呼叫 paging", lambda: _paging(config)),
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
        apart = abs((SystemClock().now() - await store.now()).total_seconds())
        return f"可用 reachable, 时钟相差 clock apart {apart:.1f} s, 待发 waiting {await store.backlog()}"
    finally:
        await store.close()


async def _broker(config: Config) -> str:
    """The gateway's own user can log in, and every queue of the topology has its place."""
    from gateway.amqp.link import Link

    async with Link(config.broker_url, name="doctor") as link:
        await link.wait_connected(10)
        return f"已登录 logged in as {config.broker_user}"


async def _paging(config: Config) -> str:
    """The channels by which a hit pages people can be built. None is told: then only the feed and the log tell."""
    from gateway.bootstrap import build_notifiers

    names = [notifier.channel for notifier in build_notifiers(config)]
    return f"渠道 channels: {', '.join(names) or '未配置，命中时无人被呼叫 none: nobody is paged on a hit'}"


@broker_app.command("apply")
def broker_apply(
    folder: Folder = DEFAULT_FOLDER,
    admin: Annotated[str, typer.Option(help="管理员用户 Administrator", envvar="LIANZHI_BROKER_ADMIN")] = "guest",
    password: Annotated[
        str, typer.Option(help="管理员密码", envvar="LIANZHI_BROKER_ADMIN_PASSWORD", prompt=True, hide_input=True)
    ] = "",
    passwords: Annotated[Path | None, typer.Option(help="JSON：用户→密码 user → password, for new users")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示差别 Only show the differences")] = False,
) -> None:
    """把交换机、队列、用户和权限建到与参与单位一致 Bring the broker to what participants and catalogue ask for."""
    from urllib.parse import quote, urlsplit, urlunsplit

    from gateway.amqp.link import Link
    from gateway.broker.management import Management
    from gateway.broker.provision import differences, provision
    from gateway.broker.topology import plan
    from gateway.registry.participants import load_registry

    config = load_config(folder)
    directory, _ = load_registry(folder)
    topology = plan(directory, catalogue(), gateway_user=config.broker_user)
    parts = urlsplit(config.broker.url)
    vhost = parts.path.removeprefix("/") or "/"
    where = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"{quote(admin, safe='')}:{quote(password, safe='')}@{where}"))
    given: dict[str, str] = json.loads(passwords.read_text(encoding="utf-8")) if passwords else {}

    async def work() -> list[str]:
        async with Management(config.broker.management, admin, password) as management:
            if dry_run:
                return await differences(topology, management=management, vhost=vhost, passwords=given)
            async with Link(url, name="broker apply") as link:
                await link.wait_connected(10)
                return await provision(topology, management=management, link=link, vhost=vhost, passwords=given)

    lines = run(work())
    for line in lines:
        console.print(("将变更 would change: " if dry_run else "已变更 changed: ") + line)
    if not lines:
        console.print("已是最新 Nothing to change.")


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


def demo(
    once: Annotated[bool, typer.Option("--once", help="跑完即停 Stop when everything is answered")] = False,
    requests: Annotated[int, typer.Option(help="请求数 How many requests")] = 300,
    report: Annotated[Path | None, typer.Option(help="把报告写入 JSON 文件 Write the report")] = None,
    sabotage: Annotated[
        list[str] | None,
        typer.Option(help="drop | double | forge：背后破坏一件，报告须能看出；可重复 May be given again"),
    ] = None,
    seed: Annotated[int, typer.Option(help="随机种子 Seed")] = 1,
    week: Annotated[bool, typer.Option(help="再演一周：夜间命中、履行解除、周报 Play the week too")] = True,
) -> None:
    """演示：私有代理、网关、模拟单位、法院系统 A private broker, the gateway, simulated agencies, a court system."""
    from gateway.demo.sabotage import KINDS
    from gateway.demo.show import run_demo

    damage = [kind for kind in KINDS if kind in (sabotage or ())]
    if set(sabotage or ()) - set(damage):
        fail("--sabotage 须为 must be drop, double or forge", MISUSE)
    raise typer.Exit(run_demo(once=once, requests=requests, report=report, sabotage=damage, seed=seed, week=week))
