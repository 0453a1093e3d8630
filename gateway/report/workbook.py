"""The report as a workbook: numbers as numbers, totals and rates as formulas, names and codes as text, charts that
Excel and WPS draw themselves.

Each formula carries the value that it has, so that a reader which computes nothing shows the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell  # type: ignore[import-untyped]
from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from gateway.core.figures.indicators import Share
from gateway.report.shapes import Chart, Column, Content, Hours, Key, Minutes, Source, Table, Value
from lianzhi.cli.layout import columns_of
from lianzhi.files import write_private

SHEETS: Mapping[str, str] = {
    "late": "对方逾期",
    "ours-late": "本院逾期",
    "lapsed": "措施失效",
    "unconfirmed": "待确认",
    "hits": "预警未及时处置",
    "undelivered": "未送达",
    "silent": "失联单位",
    "partners": "按单位",
    "type": "按事项",
    "campaign": "按专项行动",
    "lead": "按包案领导",
    "team": "按团队",
    "handler": "按承办人",
    "incoming": "受托事项",
    "releases": "解除用时",
    "reasons": "退回原因",
    "leads": "拒执线索",
}
FONT = "宋体"
FIRST_ROW = 2
"""Of a table's values, from 0: below its title and its heads."""
WIDE = 22
"""Characters of a column that lists names and numbers."""
LINE_HEIGHT = 13.5
# Nothing that somebody named may ever be taken for a formula, here or in a copy.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
OPTIONS = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}


def write_xlsx(content: Content, path: Path) -> None:
    """For its owner alone. Raises OSError."""
    whole = io.BytesIO()
    with xlsxwriter.Workbook(whole, OPTIONS) as book:
        book.set_properties({"title": f"{content.court}{content.title}", "author": content.court})
        _Sheets(book, content).write()
    write_private(path, whole.getvalue())


def safe(text: str) -> str:
    """A text that no spreadsheet reads as a formula: an apostrophe before what would begin one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a table stands. columns: its first sheet column by the name of each of its own."""

    sheet: str
    columns: Mapping[str, int]
    last: int

    def total(self, column: str, offset: int = 0) -> str:
        return f"'{self.sheet}'!{xl_rowcol_to_cell(self.last, self.columns[column] + offset)}"

    def all(self, column: int = 0) -> str:
        name = xl_col_to_name(column)
        return f"'{self.sheet}'!{name}{FIRST_ROW + 1}:{name}{self.last + 1}"


class _Sheets:
    def __init__(self, book: Workbook, content: Content) -> None:
        self._book, self._content = book, content
        plain = {"font_name": FONT, "font_size": 10}
        self._text = book.add_format({**plain, "num_format": "@"})
        self._head = book.add_format({**plain, "bold": True, "bg_color": "#F3F5F8", "bottom": 1, "text_wrap": True})
        self._title = book.add_format({**plain, "bold": True, "font_size": 14})
        self._count = book.add_format({**plain, "num_format": "0"})
        self._tenth = book.add_format({**plain, "num_format": "0.0##"})
        self._rate = book.add_format({**plain, "num_format": "0.0%"})
        self._wrap = book.add_format({**plain, "text_wrap": True, "valign": "top"})
        self._soft = book.add_format({**plain, "font_color": "#66727F"})
        self._places: dict[str, _Place] = {}

    def write(self) -> None:
        """The overview stands first, and is written when it is known where the tables stand that it is taken from."""
        overview = self._sheet("总览")
        for table in (*self._content.lists, *self._content.tables):
            self._places[table.name] = self._table(self._sheet(SHEETS[table.name]), table)
        figures = self._sheet("图表数据")
        column = 0
        for place, chart in enumerate(self._content.charts):
            self._chart_data(figures, chart, column)
            if not chart.empty:
                overview.insert_chart(4 + 17 * place, 6, self._chart(chart, column))
            column += 2 + len(chart.series)
        self._overview(overview)
        self._definitions(self._sheet("指标说明"))

    def _sheet(self, name: str) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(9)  # A4
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L统计截至 " + self._content.as_of + "&R第 &P 页 共 &N 页")
        return sheet

    # --- the overview

    def _overview(self, sheet: Worksheet) -> None:
        content = self._content
        sheet.set_column(0, 0, 22, self._text)
        sheet.set_column(1, 2, 10, self._text)
        sheet.set_column(3, 3, 26, self._text)
        sheet.set_column(4, 4, 30, self._text)
        sheet.write_string(0, 0, safe(f"{content.court} {content.title}"), self._title)
        sheet.write_string(1, 0, content.period + ("（进行中）" if content.running else ""), self._text)
        sheet.write_string(2, 0, f"{content.attention_title}：{content.summary}", self._text)
        for column, name in enumerate(("指标", "数值", "单位", "说明", "算法")):
            sheet.write_string(3, column, name, self._head)
        for row, key in enumerate(content.keys, start=4):
            sheet.write_string(row, 0, key.zh, self._text)
            self._key(sheet, row, key)
            sheet.write_string(row, 2, "小时" if isinstance(key.value, Hours) else key.unit, self._text)
            sheet.write_string(row, 3, key.note, self._text)
            sheet.write_string(row, 4, key.caption, self._soft)
        below = 6 + len(content.keys)
        for offset, word in enumerate(("分析与工作意见：", "编制：", "审核：", "签发：")):
            sheet.write_string(below + 2 * offset, 0, word, self._text)

    def _key(self, sheet: Worksheet, row: int, key: Key) -> None:
        formula = None if key.source is None else self._formula(key.source, key.value)
        if formula is None:
            self._value(sheet, row, 1, key.value)
        else:
            self._write_formula(sheet, row, 1, formula, key.value)

    def _formula(self, source: Source, value: Value) -> str | None:
        """None: that table has no rows, and the figure is written as it is."""
        place = self._places[source.table]
        if place.last < FIRST_ROW:
            return None
        if source.column is None:
            return f"=COUNTA({place.all()})"
        if isinstance(value, Share):
            return _rate(place.total(source.column, 1), place.total(source.column, 2))
        return f"={place.total(source.column)}"

    # --- tables

    def _table(self, sheet: Worksheet, table: Table) -> _Place:
        """A share is three columns: the rate, its part, its whole."""
        listed = table in self._content.lists
        sheet.set_column(0, 0, 30, self._text)
        sheet.set_column(1, 60, WIDE if listed else 9, self._text)
        sheet.write_string(0, 0, table.title, self._title)
        for column, name in enumerate(_heads(table.columns)):
            sheet.write_string(1, column, name, self._head)
        sheet.freeze_panes(FIRST_ROW, 1)
        if not table.rows:
            sheet.write_string(FIRST_ROW, 0, table.empty, self._text)
        starts = _starts(table.columns)
        last = FIRST_ROW + len(table.rows) - 1
        for row, values in enumerate(table.rows, start=FIRST_ROW):
            summed = table.totalled and row == last
            for head, start, value in zip(table.columns, starts, values, strict=True):
                if listed and isinstance(value, str):
                    sheet.write_string(row, start, safe(value), self._wrap)
                else:
                    self._cell(sheet, row, start, value, summed=summed and head.adds_up)
            if listed:  # LibreOffice does not find the height of wrapped text by itself
                sheet.set_row(row, LINE_HEIGHT * max(_lines(value) for value in values))
        if listed and table.rows:
            sheet.autofilter(FIRST_ROW - 1, 0, last, len(starts) - 1)
        sheet.write_string(max(last, FIRST_ROW) + 2, 0, table.caption, self._soft)
        names = {head.zh: start for head, start in zip(table.columns, starts, strict=True)}
        return _Place(SHEETS[table.name], names, last)

    def _cell(self, sheet: Worksheet, row: int, column: int, value: Value, *, summed: bool) -> None:
        """summed: the cells above it are the lines that it is the sum of."""
        if not isinstance(value, Share):
            if summed:
                self._sum(sheet, row, column, value)
            else:
                self._value(sheet, row, column, value)
            return
        for offset, part in ((1, value.part), (2, value.whole)):
            if summed:
                self._sum(sheet, row, column + offset, part)
            else:
                sheet.write_number(row, column + offset, part, self._count)
        part_of, whole = (xl_rowcol_to_cell(row, column + offset) for offset in (1, 2))
        self._write_formula(sheet, row, column, _rate(part_of, whole), value)

    def _sum(self, sheet: Worksheet, row: int, column: int, value: Value) -> None:
        above = f"{xl_rowcol_to_cell(FIRST_ROW, column)}:{xl_rowcol_to_cell(row - 1, column)}"
        self._write_formula(sheet, row, column, f"=SUM({above})", value)

    def _write_formula(self, sheet: Worksheet, row: int, column: int, formula: str, value: Value) -> None:
        if isinstance(value, Share):
            result: Any = "" if value.rate is None else round(value.rate / 100, 3)
            sheet.write_formula(row, column, formula, self._rate, result)
        else:
            sheet.write_formula(row, column, formula, self._count, value)

    def _value(self, sheet: Worksheet, row: int, column: int, value: Value) -> None:
        if isinstance(value, Share):
            value = None if value.rate is None else round(value.rate / 100, 3)
            style = self._rate
        else:
            style = self._count if isinstance(value, int) else self._tenth
        if isinstance(value, str):
            sheet.write_string(row, column, safe(value), self._text)
        elif isinstance(value, Hours | Minutes):
            sheet.write_number(row, column, round(value.value, 3), self._tenth)
        elif value is None:
            sheet.write_blank(row, column, None, self._text)
        else:
            sheet.write_number(row, column, value, style)

    # --- charts and definitions

    def _chart_data(self, sheet: Worksheet, chart: Chart, column: int) -> None:
        sheet.write_string(0, column, chart.title, self._head)
        for offset, series in enumerate(chart.series, start=1):
            sheet.write_string(0, column + offset, series.name, self._head)
            for row, value in enumerate(series.values, start=1):
                self._value(sheet, row, column + offset, value)
        for row, name in enumerate(chart.categories, start=1):
            sheet.write_string(row, column, safe(name), self._text)

    def _chart(self, chart: Chart, column: int) -> Any:
        drawn = self._book.add_chart({"type": "line" if chart.kind == "lines" else "bar"})
        last = len(chart.categories)
        for offset in range(1, len(chart.series) + 1):
            drawn.add_series(
                {
                    "name": ["图表数据", 0, column + offset],
                    "categories": ["图表数据", 1, column, last, column],
                    "values": ["图表数据", 1, column + offset, last, column + offset],
                    "marker": {"type": "circle", "size": 5},
                    "data_labels": {"value": chart.kind == "bars"},
                }
            )
        axis = drawn.set_y_axis if chart.kind == "lines" else drawn.set_x_axis
        axis({"min": 0, "max": 100} if chart.percent else {"min": 0, "major_unit": _unit(chart)})
        if chart.kind == "bars":
            drawn.set_y_axis({"reverse": True})
            drawn.set_legend({"none": True})
        drawn.set_title({"name": chart.title, "name_font": {"name": FONT, "size": 11}})
        drawn.set_size({"width": 560, "height": 320})
        drawn.show_blanks_as("gap")
        return drawn

    def _definitions(self, sheet: Worksheet) -> None:
        sheet.set_column(0, 0, 26, self._wrap)
        sheet.set_column(1, 1, 100, self._wrap)
        for row, (name, said) in enumerate(self._content.definitions):
            sheet.write_string(row, 0, name, self._wrap)
            sheet.write_string(row, 1, said, self._wrap)


def _lines(value: Value) -> int:
    """Into how many a text is broken in a column of a list."""
    return max(1, -(-columns_of(value) // (WIDE - 2))) if isinstance(value, str) else 1


def _rate(part: str, whole: str) -> str:
    """Rounded as it is shown: a tenth of a percent."""
    return f'=IF({whole}=0,"",ROUND({part}/{whole},3))'


def _starts(columns: Sequence[Column]) -> Sequence[int]:
    """The sheet column of each."""
    starts, at = [], 0
    for column in columns:
        starts.append(at)
        at += 3 if column.is_share else 1
    return starts


def _heads(columns: Sequence[Column]) -> Sequence[str]:
    return [
        name
        for column in columns
        for name in ((column.zh, f"{column.zh}·分子", f"{column.zh}·分母") if column.is_share else (column.zh,))
    ]


def _unit(chart: Chart) -> int:
    """Whole numbers on the axis."""
    top = max((value for series in chart.series for value in series.values if value is not None), default=1)
    return max(1, round(top / 5))
