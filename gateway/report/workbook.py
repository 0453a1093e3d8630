"""The report as a workbook: numbers as numbers, names and codes as text, charts that Excel and WPS draw themselves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from gateway.core.figures.indicators import Share
from gateway.report.shapes import Chart, Column, Content, Table, Value
from lianzhi.files import write_private

SHEETS = {"partners": "按单位", "teams": "按团队", "incoming": "受托事项", "reasons": "退回原因", "leads": "拒执线索"}
FONT = "宋体"
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


class _Sheets:
    def __init__(self, book: Workbook, content: Content) -> None:
        self._book, self._content = book, content
        plain = {"font_name": FONT, "font_size": 10}
        self._text = book.add_format(plain)
        self._head = book.add_format({**plain, "bold": True, "bg_color": "#F3F5F8", "bottom": 1, "text_wrap": True})
        self._title = book.add_format({**plain, "bold": True, "font_size": 14})
        self._count = book.add_format({**plain, "num_format": "0"})
        self._tenth = book.add_format({**plain, "num_format": "0.0"})
        self._rate = book.add_format({**plain, "num_format": "0.0%"})
        self._wrap = book.add_format({**plain, "text_wrap": True, "valign": "top"})

    def write(self) -> None:
        overview = self._sheet("总览")
        self._overview(overview)
        for table in self._content.tables:
            self._table(self._sheet(SHEETS[table.name]), table)
        figures = self._sheet("图表数据")
        column = 0
        for place, chart in enumerate(self._content.charts):
            self._chart_data(figures, chart, column)
            if not chart.empty:
                overview.insert_chart(3 + 17 * place, 5, self._chart(chart, column))
            column += 2 + len(chart.series)
        self._definitions(self._sheet("指标说明"))

    def _sheet(self, name: str) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(9)  # A4
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L统计截至 " + self._content.as_of + "&R第 &P 页 共 &N 页")
        return sheet

    def _overview(self, sheet: Worksheet) -> None:
        content = self._content
        sheet.set_column(0, 0, 22, self._text)
        sheet.set_column(1, 2, 10, self._text)
        sheet.set_column(3, 3, 28, self._text)
        sheet.write_string(0, 0, safe(f"{content.court} {content.title}"), self._title)
        sheet.write_string(1, 0, content.period + ("（进行中）" if content.running else ""), self._text)
        for column, name in enumerate(("指标", "数值", "单位", "说明")):
            sheet.write_string(2, column, name, self._head)
        for row, key in enumerate(content.keys, start=3):
            sheet.write_string(row, 0, key.zh, self._text)
            self._cell(sheet, row, 1, key.value)
            sheet.write_string(row, 2, key.unit, self._text)
            sheet.write_string(row, 3, key.note, self._text)

    def _table(self, sheet: Worksheet, table: Table) -> None:
        """A share is three columns: the rate, its part, its whole."""
        sheet.set_column(0, 0, 26, self._text)
        sheet.set_column(1, 60, 9, self._text)
        sheet.write_string(0, 0, table.title, self._title)
        for column, name in enumerate(_heads(table.columns)):
            sheet.write_string(1, column, name, self._head)
        sheet.freeze_panes(2, 1)
        if not table.rows:
            sheet.write_string(2, 0, table.empty, self._text)
        for row, values in enumerate(table.rows, start=2):
            column = 0
            for value in values:
                self._cell(sheet, row, column, value)
                if isinstance(value, Share):
                    sheet.write_number(row, column + 1, value.part, self._count)
                    sheet.write_number(row, column + 2, value.whole, self._count)
                column += 3 if isinstance(value, Share) else 1

    def _cell(self, sheet: Worksheet, row: int, column: int, value: Value) -> None:
        rate = value.rate if isinstance(value, Share) else None
        if isinstance(value, str):
            sheet.write_string(row, column, safe(value), self._text)
        elif rate is not None:
            sheet.write_number(row, column, rate / 100, self._rate)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, self._count if isinstance(value, int) else self._tenth)
        else:
            sheet.write_blank(row, column, None, self._text)

    def _chart_data(self, sheet: Worksheet, chart: Chart, column: int) -> None:
        sheet.write_string(0, column, chart.title, self._head)
        for offset, series in enumerate(chart.series, start=1):
            sheet.write_string(0, column + offset, series.name, self._head)
            for row, value in enumerate(series.values, start=1):
                self._cell(sheet, row, column + offset, value)
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
