"""For a court system at a terminal: `submit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.output import AsJson, as_json, console, run

_CLIENT = Path("client.toml")


def submit(
    file: Annotated[Path, typer.Argument(help="请求内容 JSON The submission's body")],
    config: Annotated[Path, typer.Option(help="客户端配置 client.toml", envvar="LIANZHI_CLIENT")] = _CLIENT,
    receiver: Annotated[str | None, typer.Option(help="接收单位 Receiver")] = None,
    sign: Annotated[
        bool | None, typer.Option("--sign/--no-sign", help="签名 Sign; by default where it is coercive")
    ] = None,
    json_out: AsJson = False,
) -> None:
    """提交一件请求 Submit one request; retried with the same bytes until there is an answer."""
    from gateway.client import ClientConfig, CourtClient

    body = json.loads(file.read_text(encoding="utf-8"))

    async def work() -> object:
        async with CourtClient.from_config(ClientConfig.load(config)) as client:
            return await client.submit(body, receiver=receiver, sign=sign)

    accepted = run(work())
    if json_out:
        as_json(vars(accepted) if hasattr(accepted, "__dict__") else str(accepted))
        return
    console.print(f"已受理 Accepted: {accepted}")
