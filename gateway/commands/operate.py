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
    pass


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


def asyncapi(out: Annotated[Path | None, typer.Option(help="写入文件 Write to a file")] = None) -> None:
    """队列与报文的 AsyncAPI 3.0 文档 The AsyncAPI 3.0 document of queues and messages."""
    from gateway.http.description.asyncapi import asyncapi_document

    _publish(asyncapi_document(catalogue()), out)


def _publish(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        as_json(document)
        return
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
