"""The report in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from gateway.report.shapes import Content, Key, Table, Value, of_how_many, text


def show(console: Console, content: Content) -> None:
    console.print(Text(f"{content.court} {content.title}", style="bold"))
    console.print(f"{content.period}{'（进行中）' if content.running else ''}  统计截至 as of {content.as_of}")
    console.print(_keys(content.keys))
    for table in content.tables:
        if table.rows:
            console.print(_table(table))
        else:
            console.print(Text(f"{table.title}：{table.empty}"))


def _keys(keys: Sequence[Key]) -> RichTable:
    out = RichTable(title="总览 Overview", title_justify="left", header_style="bold")
    out.add_column("指标 Indicator")
    out.add_column("数值", justify="right")
    out.add_column("说明 Note")
    for key in keys:
        value = f"{text(key.value)} {key.unit}".rstrip()
        out.add_row(f"{key.zh} {key.en}", Text(value, style="bold red" if key.alarm else ""), Text(key.note))
    return out


def _table(table: Table) -> RichTable:
    out = RichTable(title=table.title, title_justify="left", header_style="bold")
    for place, column in enumerate(table.columns):
        out.add_column(f"{column.zh}\n{column.en}", justify="right" if place else "left", overflow="fold")
    for row in table.rows:
        out.add_row(*(Text(_cell(value)) for value in row))
    return out


def _cell(value: Value) -> str:
    of = of_how_many(value)
    return f"{text(value)}\n{of}" if of else text(value)
