"""The pages of `--help`: whole sentences in any window, a Chinese character counted as the two columns it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from typer._click.core import Command
from typer._click.formatting import HelpFormatter
from typer.main import get_command

from lianzhi.cli.layout import GAP, columns_of, wrapped
from lianzhi.cli.output import console
from lianzhi.cli.streams import fitted

_ENDLESS = 1_000_000
"""Of the width by which Typer cuts what a command does, in the list of commands."""


class WholeHelp(HelpFormatter):
    """Breaks lines at the window's edge and cuts nothing."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        super().__init__(indent_increment, _ENDLESS)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self._lines(f"{prefix or 'Usage: '}{prog} {args}", later="    ")

    def write_text(self, text: str) -> None:
        for paragraph in text.split("\n\n"):
            self._lines(" ".join(paragraph.split()))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        room = min(max((self._columns(name) for name, _ in rows), default=0), col_max)
        later = " " * (room + len(GAP))
        for name, told in rows:
            if self._columns(name) <= room:
                self._lines(name + " " * (room - self._columns(name)) + GAP + told, later=later)
            else:
                self._lines(name, later="  ")
                self._lines(later + told, later=later)

    def _columns(self, text: str) -> int:
        return columns_of(text, ambiguous=console.ambiguous)

    def _lines(self, text: str, *, later: str = "") -> None:
        room = max(console.width - self.current_indent, 20)
        for line in wrapped(fitted(text, console.encoding), room, later=later, ambiguous=console.ambiguous):
            self.write(" " * self.current_indent + line + "\n")


class _Context(typer.Context):
    formatter_class = WholeHelp


def command_of(app: typer.Typer) -> Command:
    """The command of `app`, with every command below it helped by `WholeHelp`."""
    command = get_command(app)
    _prepare(command)
    return command


def _prepare(command: Any) -> None:
    command.context_class = _Context
    command.rich_markup_mode = None
    for below in getattr(command, "commands", {}).values():
        _prepare(below)
