"""For whoever runs it: `serve`, `openapi`, `asyncapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gateway.registry.config import DEFAULT_FOLDER, load_config
from lianzhi.cli.output import (
    MISUSE,
    Folder,
    as_json,
    fail,
    own_errors_told,
)
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from gateway.core.routing import Participant


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


def openapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """API 的 OpenAPI 3.1 文档 The API's OpenAPI 3.1 document."""
    from gateway.http.description.openapi import openapi_document

    _publish(openapi_document(catalogue()), out)


def asyncapi(
    out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None,
    dialect: Annotated[str | None, typer.Option(help="只写一种方言，如 police/1 Of one dialect alone")] = None,
    participant: Annotated[str | None, typer.Option(help="只写一个单位能说、能听的 What one may say and hear")] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """队列与报文的 AsyncAPI 3.0 文档 The AsyncAPI 3.0 document of queues and messages."""
    from gateway.http.description.asyncapi import asyncapi_document

    if dialect is not None and participant is not None:
        fail("--dialect 与 --participant 只用一个。 Use one of them.", MISUSE)
    try:
        one = None if participant is None else _with_queues(folder, participant)
        document = asyncapi_document(catalogue(), dialect, one)
    except LookupError as error:
        fail(
            f"没有方言 {dialect}，可用：{error.args[0]}。 There is no such dialect; there are: {error.args[0]}.", MISUSE
        )
    _publish(document, out)


def _with_queues(folder: Path, code: str) -> Participant:
    from gateway.registry.participants import load_registry

    with own_errors_told():
        directory, _ = load_registry(folder)
    amqp = sorted(p.code for p in directory if not p.local)
    found = directory.get(code)
    if found is None or found.local:
        there = ", ".join(amqp)
        fail(f"{code} 不是用队列的单位，可用：{there}。 It is no participant with queues; there are: {there}.", MISUSE)
    return found


def _publish(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        as_json(document)
        return
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
