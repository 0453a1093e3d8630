"""The report on paper: typst sets `weekly.typ` in Noto CJK, A4. Nothing of the content is read as markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from gateway.core.figures.attention import SHOWN
from gateway.report.fonts import FontMissingError, font_folder
from gateway.report.shapes import Chart, Content, Key, Table, Value, of_how_many, stacked, text
from gateway.report.words import footnote
from lianzhi.files import write_private

__all__ = ["FontMissingError", "pdf_bytes", "png_pages", "write_pdf"]

TEMPLATE = Path(__file__).with_name("weekly.typ")
# The same content makes the same bytes; when it was printed stands in the footer anyway.
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def write_pdf(content: Content, path: Path, fonts: Path | None = None) -> None:
    """For its owner alone. fonts: folder of the Noto CJK fonts, None: where Debian and others put them.

    Raises FontMissingError, OSError.
    """
    write_private(path, pdf_bytes(content, fonts))


def pdf_bytes(content: Content, fonts: Path | None = None) -> bytes:
    found: bytes = _compiler(content, fonts).compile(format="pdf", timestamp=EPOCH)
    return found


def png_pages(content: Content, fonts: Path | None = None, ppi: float = 110) -> list[bytes]:
    """Each page as a picture, to look at."""
    pages: list[bytes] | bytes = _compiler(content, fonts).compile(format="png", ppi=ppi)
    return [pages] if isinstance(pages, bytes) else pages


def _compiler(content: Content, fonts: Path | None) -> Any:
    said = json.dumps(document(content), ensure_ascii=False)
    return typst.Compiler(
        TEMPLATE, font_paths=[font_folder(fonts)], ignore_system_fonts=True, sys_inputs={"content": said}
    )


def document(content: Content) -> dict[str, Any]:
    """As the template reads it: every number is a text already, but those that are drawn."""
    return {
        "court": content.court,
        "title": content.title,
        "period": content.period,
        "as_of": content.as_of,
        "running": content.running,
        "attention": content.attention_title,
        "summary": content.summary,
        "calm": not any(one.rows for one in content.lists),
        "lists": [_list(one) for one in content.lists],
        "keys": [_key(key) for key in content.keys],
        "tables": [_table(table) for table in content.tables],
        "charts": [_chart(chart) for chart in content.charts],
        "definitions": content.definitions,
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "zh": key.zh,
        "footnote": footnote(key.zh),
        "value": text(key.value),
        "unit": key.unit,
        "note": key.note,
        "caption": key.caption,
        "alarm": key.alarm,
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "footnote": footnote(table.title),
        "columns": [
            {"zh": column.zh, "footnote": footnote(column.zh), "wide": column.is_share} for column in table.columns
        ],
        "rows": [[_cell(value) for value in row] for row in table.rows],
        "empty": table.empty,
        "caption": table.caption,
        "totalled": table.totalled,
        "numbers": all(isinstance(row[0], int) for row in table.rows),
    }


def _list(table: Table) -> dict[str, Any]:
    """The first rows; values of columns `below` under the one above them."""
    return {
        "name": table.name,
        "title": table.title,
        "columns": [[c.zh for c in cell] for cell in stacked(table.columns, table.columns)],
        "rows": [
            [[text(value) for value in cell] for cell in stacked(table.columns, row)] for row in table.rows[:SHOWN]
        ],
        "all": len(table.rows),
        "empty": table.empty,
        "caption": table.caption,
    }


def _cell(value: Value) -> dict[str, str]:
    return {"text": text(value), "of": of_how_many(value)}


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "title": chart.title,
        "kind": chart.kind,
        "categories": chart.categories,
        "series": [{"name": series.name, "values": series.values} for series in chart.series],
        "labels": [text(value) for value in chart.series[0].values],
        "percent": chart.percent,
        "empty": chart.empty,
        "caption": chart.caption,
        "nothing": chart.nothing,
    }
