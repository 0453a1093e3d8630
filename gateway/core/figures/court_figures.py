"""Figures that the court computes itself and hands in as CSV; the gateway shows them and computes none of them.

Header `period,name,value` (期间,指标,数值), UTF-8 with or without BOM. period: `2026-W13` or `2026-03`; name: a key or
the Chinese word of `indicators.COURT_FIGURES`; value: percent from 0 to 100, at most two decimals.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime

from gateway.core.figures.indicators import COURT_FIGURES
from gateway.core.figures.periods import period_named
from gateway.core.records import CourtFigure
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

HEADERS = (["period", "name", "value"], ["期间", "指标", "数值"])
_NAMES = {word: name for name, (zh, _) in COURT_FIGURES.items() for word in (name, zh)}
_VALUE = re.compile(r"(?:100(?:\.0{1,2})?|[0-9]{1,2}(?:\.[0-9]{1,2})?)%?")


def read_figures(text: str, now: datetime) -> list[CourtFigure]:
    """Every row, or none: raises RejectedError invalid-field naming each wrong line (`/3/value`)."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows or [cell.strip() for cell in rows[0]] not in HEADERS:
        zh, en = "首行须为 period,name,value 或 期间,指标,数值", "The first line is period,name,value"
        raise RejectedError("invalid-field", [_fault(1, "", "figures-header", zh, en)])
    read = [_figure(number, row, now) for number, row in enumerate(rows[1:], start=2) if any(map(str.strip, row))]
    if faults := [found for found in read if isinstance(found, FieldError)]:
        raise RejectedError("invalid-field", faults)
    return [found for found in read if isinstance(found, CourtFigure)]


def _figure(number: int, row: list[str], now: datetime) -> CourtFigure | FieldError:
    if len(row) != 3:
        return _fault(number, "", "figures-row", "每行三列", "Three columns in each line")
    period, name, value = map(str.strip, row)
    try:
        period_named(period)
    except ValueError:
        return _fault(number, "period", "no-such-period", "没有这一周或这一月", "No such week or month")
    if name not in _NAMES:
        known = "、".join(zh for zh, _ in COURT_FIGURES.values())
        return _fault(number, "name", "unknown-figure", f"指标只有：{known}", f"One of {', '.join(COURT_FIGURES)}")
    if not _VALUE.fullmatch(value):
        return _fault(number, "value", "percent-form", "0 至 100 的百分数，至多两位小数", "A percentage from 0 to 100")
    return CourtFigure(period, _NAMES[name], value.removesuffix("%"), now)


def _fault(number: int, member: str, rule: str, zh: str, en: str) -> FieldError:
    return FieldError(pointer=f"/{number}/{member}".rstrip("/"), rule=rule, detail=zh, detail_en=en)
