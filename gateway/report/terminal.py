"""The report in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.report.shapes import Content, Key, Table, Value, of_how_many, text
from lianzhi.cli.output import console, table


def show(content: Content) -> None:
    """On standard output, as wide as the window; a figure that should be 0 and is not is marked `!`."""
    console.paragraph(f"{content.court} {content.title}", later="  ", style="bold")
    running = "（进行中）" if content.running else ""
    console.paragraph(f"{content.period}{running}  统计截至 as of {content.as_of}", later="  ")
    _keys(content.keys)
    for one in content.tables:
        if one.rows:
            _table(one)
        else:
            console.paragraph(f"{one.title}：{one.empty}", later="  ")


def _keys(keys: Sequence[Key]) -> None:
    rows = [
        (f"{key.zh} {key.en}", f"{text(key.value)} {key.unit}".rstrip() + (" !" if key.alarm else ""), key.note)
        for key in keys
    ]
    table("总览 Overview", ("指标 Indicator", "数值 Figure", "说明 Note"), rows)


def _table(one: Table) -> None:
    columns = [f"{column.zh} {column.en}" for column in one.columns]
    table(one.title, columns, [[_cell(value) for value in row] for row in one.rows])


def _cell(value: Value) -> str:
    of = of_how_many(value)
    return f"{text(value)}（{of}）" if of else text(value)
