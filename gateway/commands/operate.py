"""For whoever runs it: `serve`, `broker apply`, `openapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from pydantic import TypeAdapter, ValidationError

from gateway.commands.recovery.lost_queues import ask_for_what_was_in_them
from gateway.registry.config import DEFAULT_FOLDER, load_config
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
)
from lianzhi.errors import BrokerUnavailableError, ConfigurationError
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from lianzhi.amqp.link import Link

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


async def _up(link: Link) -> None:
    """Raises BrokerUnavailableError with what the last try met."""
    try:
        await link.wait_connected(10)
    except TimeoutError:
        raise BrokerUnavailableError(link.last_error or "timeout") from None


@broker_app.command("apply")
def broker_apply(
    folder: Folder = DEFAULT_FOLDER,
    admin: Annotated[str, typer.Option(help="管理员用户 Administrator", envvar="LIANZHI_BROKER_ADMIN")] = "guest",
    password: Annotated[
        str,
        typer.Option(
            help="管理员密码 Its password",
            envvar="LIANZHI_BROKER_ADMIN_PASSWORD",
            prompt="管理员（--admin）的密码 Password of the administrator (--admin)",
            hide_input=True,
        ),
    ] = "",
    passwords: Annotated[
        Path | None, typer.Option(help='JSON：{"用户": "密码"} {"user": "password"}, for new users, written by you')
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示差别 Only show the differences")] = False,
) -> None:
    """把交换机、队列、用户和权限建到与参与单位一致 Bring the broker to what participants and catalogue ask for."""
    from gateway.broker.management import Management
    from gateway.broker.provision import ADVICE, UNTOUCHED, cluster_size, differences, left_alone, provision
    from gateway.broker.topology import plan, replicas_for
    from gateway.registry.participants import load_registry
    from lianzhi.amqp.link import Link

    config = load_config(folder)
    directory, _ = load_registry(folder)
    vhost, urls = config.vhost, config.broker_urls_of(admin, password)
    given = _passwords(passwords) if passwords is not None else {}

    async def work() -> list[str]:
        async with Management(config.broker.management, admin, password) as management:
            replicas = config.broker.replicas or replicas_for(await cluster_size(management))
            user, bounds = config.broker_user, config.limits
            topology = plan(directory, catalogue(), replicas=replicas, gateway_user=user, bounds=bounds)
            if dry_run:
                return await differences(topology, management=management, vhost=vhost, passwords=given)
            async with Link(urls, name="broker apply") as link:
                await _up(link)
                return await provision(topology, management=management, link=link, vhost=vhost, passwords=given)

    lines = run(work())
    alone = [line for line in lines if left_alone(line)]
    for line in lines:
        if line not in alone:
            console.print(("将变更 would change: " if dry_run else "已变更 changed: ") + line)
    for line in alone:
        problems.print(f"请处理 left alone: {line}", style="yellow", markup=False)
    if not lines:
        console.print("已是最新 Nothing to change.")
    made = {line.removeprefix("queue ") for line in lines if line.startswith("queue ")}
    if not dry_run and made:
        ask_for_what_was_in_them(config, folder, made)
    if any(line.startswith(UNTOUCHED) for line in alone):
        problems.print(ADVICE, style="yellow", markup=False)
        raise typer.Exit(FOUND_WRONG)


def _passwords(file: Path) -> dict[str, str]:
    """User → password. Raises ConfigurationError."""
    try:
        return TypeAdapter(dict[str, str]).validate_json(file.read_bytes(), strict=True)
    except OSError as error:
        zh, en = f"读不出（{error.strerror}）", f"cannot be read ({error.strerror})"
    except ValidationError:  # what it says is not repeated: it may be a password
        zh, en = "不是“用户→密码”的 JSON", "is no JSON of user → password"
    raise ConfigurationError(
        f'{file} {zh}，应为 {{"用户": "密码"}}，权限 600。 It {en}; write {{"user": "password"}}, mode 600.'
    )


def openapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """API 的 OpenAPI 3.1 文档 The API's OpenAPI 3.1 document."""
    from gateway.http.description.openapi import openapi_document

    _publish(openapi_document(catalogue()), out)


def asyncapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """队列与报文的 AsyncAPI 3.0 文档 The AsyncAPI 3.0 document of queues and messages."""
    from gateway.http.description.asyncapi import asyncapi_document

    _publish(asyncapi_document(catalogue()), out)


def _publish(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        as_json(document)
        return
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
