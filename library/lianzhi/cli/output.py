"""Output of the commands: tables for people, `--json` for programs. Exit codes: 0 done, 1 found wrong, 2 misuse.

`console` and `problems` print text as it is: square brackets are no markup, and what a terminal would obey is escaped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from lianzhi.cli.cells import cell
from lianzhi.cli.layout import record_lines, table_lines, wrapped
from lianzhi.cli.streams import cell_for, fitted, is_wide
from lianzhi.errors import (
    STORE_AWAY,
    BrokerUnavailableError,
    ConfigurationError,
    LianzhiError,
    RejectedError,
    StoreUnavailableError,
)
from lianzhi.printable import printable

T = TypeVar("T")


class Terminal(Console):
    """Prints lines as they are, broken by nobody. style: colours, where there are any."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(_harmless(o) if isinstance(o, str) else o for o in objects), **options)

    @property
    def ambiguous(self) -> int:
        """Columns of a character that East Asian terminals make wide."""
        return 2 if is_wide(self.encoding) else 1

    def paragraph(self, text: str, *, later: str = "", style: str | None = None) -> None:
        """Prose, broken between words in a window; in a file or a pipe it is one line. later: begins the next lines."""
        for whole in text.split("\n"):
            lines = [whole]
            if self.is_terminal:
                said = fitted(_harmless(whole), self.encoding)
                lines = wrapped(said, self.width, later=later, ambiguous=self.ambiguous)
            for line in lines:
                self.print(line, style=style)


def _harmless(text: str) -> str:
    return "\n".join(printable(line, None) for line in text.split("\n"))


console = Terminal()
problems = Terminal(stderr=True)

FOUND_WRONG = 1
MISUSE = 2

Folder = Annotated[
    Path,
    # What may not be read is told by whoever reads it, in both languages and with its owner.
    typer.Option("--dir", envvar="LIANZHI_FOLDER", help="安装目录 Folder of the installation", readable=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON Machine-readable output")]


def must_be_there(config: Path) -> None:
    """Ends the command where its configuration is not in the folder in which it runs."""
    if not config.is_file():
        fail(
            f"{config.absolute()}：没有这个文件。请到 {config.name} 所在的目录执行，或用 --config 指明。"
            f" There is no such file: go to the folder of {config.name}, or name it with --config.",
            MISUSE,
        )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Title, heading, rows, as wide as the window (`lianzhi.cli.layout`); cells as `lianzhi.cli.cells` writes them."""
    encoding = console.encoding
    cells = [[cell_for(cell(value), encoding) for value in row] for row in rows]
    console.paragraph(f"{title}（{len(cells)}）", later="  ", style="bold")
    heading = [fitted(name, encoding) for name in columns]
    for line in table_lines(heading, cells, console.width, ambiguous=console.ambiguous):
        console.print(line)


def record(title: str, members: Mapping[str, Any]) -> None:
    """One thing: each of its members with its value."""
    encoding = console.encoding
    console.paragraph(title, later="  ", style="bold")
    shown = {cell_for(name, encoding): cell_for(cell(value), encoding) for name, value in members.items()}
    for line in record_lines(shown, console.width, ambiguous=console.ambiguous):
        console.print(line)


def as_json(value: Any) -> None:
    """In UTF-8 as it is; a terminal that lacks a character gets it as JSON's own `\\uXXXX`, which reads back the same,
    and every terminal what it would obey (ESC, U+202E)."""
    text = _harmless(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    typer.echo(text)


def fail(text: str, code: int = FOUND_WRONG) -> NoReturn:
    """text: printed as it is; `[store]` names a table of the configuration and is no markup."""
    problems.paragraph(text, later="  ", style="red")
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
        lines += [
            f"  {e.pointer}" if e.detail == error.reason.zh else f"  {e.pointer}  {e.detail}  {e.detail_en}  [{e.rule}]"
            for e in error.errors
        ]
        fail("\n".join(lines))
    except LianzhiError as error:
        fail(said(error))


def said(error: BaseException) -> str:
    """One of ours as a line: what is away is said in words."""
    if isinstance(error, StoreUnavailableError):
        zh, en = STORE_AWAY
        return f"{zh}。 {en}.（{error}）"
    if isinstance(error, BrokerUnavailableError):
        return f"消息代理不可用，请查地址、登录与服务。 The broker is away or refuses us; see to all three: {error}"
    return f"{type(error).__name__}: {error}"


def run(work: Coroutine[Any, Any, T]) -> T:
    with own_errors_told():
        return asyncio.run(work)


def listing(value: Sequence[Mapping[str, Any]], title: str, *, json_out: bool) -> None:
    """The same rows as JSON or as a table: what is looked for first stands in the first columns."""
    if json_out:
        as_json(list(value))
        return
    if not value:
        console.paragraph(f"{title}：无 none", later="  ")
        return
    table(title, list(value[0]), [list(row.values()) for row in value])
