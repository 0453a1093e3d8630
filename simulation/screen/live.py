"""The table that changes while one looks: partners by states. Where nobody looks, a plain line now and then."""

from __future__ import annotations

import asyncio

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from simulation.court.company import NAMES
from simulation.screen.board import COLUMNS, Board

FRAME_SECONDS = 0.15
LINE_SECONDS = 2.0
WIDE = 100  # columns
_STYLES = ("dim", "red", "cyan", "cyan", "blue", "yellow", "magenta", "green", "red", "bold green")


class Screen:
    """Draws `board` until told to stop. console: a terminal gets the table, anything else lines."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board

    async def draw(self) -> None:
        """Until cancelled; the last picture stays."""
        if not self._console.is_terminal:
            await self._lines()
            return
        with Live(console=self._console, auto_refresh=False, transient=False) as live:
            try:
                while True:
                    live.update(picture(self._board, self._console.width), refresh=True)
                    await asyncio.sleep(FRAME_SECONDS)
            finally:
                live.update(picture(self._board, self._console.width), refresh=True)

    async def _lines(self) -> None:
        """A line when something has changed."""
        seen = -1
        try:
            while True:
                await asyncio.sleep(LINE_SECONDS)
                if seen != self._board.events:
                    seen = self._board.events
                    self._console.print(totals(self._board))
        finally:
            if seen != self._board.events:
                self._console.print(totals(self._board))


def picture(board: Board, width: int) -> RenderableType:
    """The table, and the line of totals below it. width: of the terminal; a narrow one gets shorter words."""
    wide = width >= WIDE
    title = "联执 · 请求进展   Lianzhi · requests by agency and state"
    table = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD if wide else None)
    table.pad_edge = table.show_edge = False
    table.padding = (0, 1) if wide else (0, 1, 0, 0)
    table.add_column("单位\nagency", no_wrap=True)
    for zh, en in (*((zh, en if wide else short) for zh, en, short, _ in COLUMNS), ("计", "all")):
        table.add_column(f"{zh}\n{en}", justify="right", no_wrap=True)
    for code, name in NAMES.items():
        table.add_row(*_row(board, code, name, ours=True))
    table.add_section()
    for code, name in NAMES.items():
        if any(board.counts(code, ours=False)):
            table.add_row(*_row(board, code, f"← {name}", ours=False))
    return Group(table, Text(), totals(board, width))


def _row(board: Board, code: str, name: str, *, ours: bool) -> list[RenderableType]:
    counts = board.counts(code, ours=ours)
    cells = [Text(str(n), style=s) if n else Text("·", style="dim") for n, s in zip(counts, _STYLES, strict=True)]
    short = name.replace("（演示）", "").replace("云川县", "")
    return [Text(short), *cells, Text(str(sum(counts)), style="bold")]


def totals(board: Board, width: int = WIDE) -> Text:
    """Taken, done, rate, quarantine, time."""
    wide, seconds = width >= WIDE, max(board.seconds, 0.001)
    parts = [
        ("受理 taken", f"{board.taken}/{board.asked}", "bold"),
        ("办结 done", str(board.done), "bold green"),
        ("速率 rate" if wide else "速率", f"{board.done / seconds:.1f}/s", "bold"),
        ("隔离 quarantined", str(board.quarantined), "bold red" if board.quarantined else ""),
        ("用时 time" if wide else "", f"{seconds:.1f} s", ""),
    ]
    if wide:
        parts.insert(3, ("事件 events", str(board.events), ""))
    line = Text()
    for label, value, style in parts:
        line.append(f"{label} ", style="dim").append(value, style=style).append("   " if wide else "  ")
    return line
