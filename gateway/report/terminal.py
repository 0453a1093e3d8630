"""The report in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.figures.attention import SHOWN
from gateway.report.shapes import Content, Key, Table, Value, of_how_many, stacked, text
from lianzhi.cli.output import console, table


def show(content: Content) -> None:
    """On standard output, as wide as the window; a figure that should be 0 and is not is marked `!`."""
    console.paragraph(f"{content.court} {content.title}", later="  ", style="bold")
    running = "（进行中）" if content.running else ""
    console.paragraph(f"{content.period}{running}  统计截至 as of {content.as_of}", later="  ")
    console.paragraph(f"{content.attention_title} For attention：{content.summary}", later="  ", style="bold")
    for one in content.lists:
        if one.rows:
            _list(one)
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


def _list(one: Table) -> None:
    """The first of a long list, and how many more there are."""
    heads = stacked(one.columns, [f"{column.zh} {column.en}" for column in one.columns])
    rows = [stacked(one.columns, [_cell(value) for value in row]) for row in one.rows[:SHOWN]]
    table(one.title, [head[0] for head in heads], [[" · ".join(cell) for cell in row] for row in rows])
    if len(one.rows) > SHOWN:
        console.paragraph(f"另有 {len(one.rows) - SHOWN} 项，见工作簿 more in the workbook (--xlsx)", later="  ")


def _cell(value: Value) -> str:
    of = of_how_many(value)
    return f"{text(value)}（{of}）" if of else text(value)
