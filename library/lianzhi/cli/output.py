"""Output of the commands: tables for people, `--json` for programs. Exit codes: 0 done, 1 found wrong, 2 misuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from lianzhi.errors import (
    STORE_AWAY,
    BrokerUnavailableError,
    ConfigurationError,
    LianzhiError,
    RejectedError,
    StoreUnavailableError,
)

T = TypeVar("T")
console = Console(highlight=False, soft_wrap=True)
problems = Console(stderr=True, highlight=False, soft_wrap=True)

FOUND_WRONG = 1
MISUSE = 2

Folder = Annotated[Path, typer.Option("--dir", envvar="LIANZHI_FOLDER", help="安装目录 Folder of the installation")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON Machine-readable output")]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, whole: Collection[str] = ()) -> None:
    """A rich table; None prints as a dash. whole: columns that stay in one piece for as long as others can give way."""
    out = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        out.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        out.add_row(*("–" if cell is None else str(cell) for cell in row))
    console.print(out)


def as_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def fail(text: str, code: int = FOUND_WRONG) -> NoReturn:
    """text: printed as it is; `[store]` names a table of the configuration and is no markup."""
    problems.print(text, style="red", markup=False)
    raise typer.Exit(code)


@contextmanager
def own_errors_told() -> Iterator[None]:
    """Our own errors become a clear line and an exit code, anything else a traceback."""
    try:
        yield
    except ConfigurationError as error:
        fail(str(error), MISUSE)
    except RejectedError as error:
        lines = [f"{error.reason.zh}  {error.reason.en}  ({error.code})"]
        lines += [f"  {e.pointer}  {e.detail}  {e.detail_en}  [{e.rule}]" for e in error.errors]
        fail("\n".join(lines))
    except LianzhiError as error:
        fail(said(error))


def said(error: BaseException) -> str:
    """One of ours as a line: what is away is said in words."""
    if isinstance(error, StoreUnavailableError):
        zh, en = STORE_AWAY
        return f"数据库不可用 The store is not available（{error}）：{zh}。 {en}."
    if isinstance(error, BrokerUnavailableError):
        return f"消息代理不可用，请查地址、登录与服务。 The broker is away or refuses us; see to all three: {error}"
    return f"{type(error).__name__}: {error}"


def run(work: Coroutine[Any, Any, T]) -> T:
    with own_errors_told():
        return asyncio.run(work)


def listing(value: Sequence[Mapping[str, Any]], title: str, *, json_out: bool, whole: Collection[str] = ()) -> None:
    """The same rows as JSON or as a table. whole: as of `table`."""
    if json_out:
        as_json(list(value))
        return
    if not value:
        console.print(f"{title}：无 none")
        return
    table(title, list(value[0]), [list(row.values()) for row in value], whole=whole)
