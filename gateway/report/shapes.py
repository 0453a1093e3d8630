"""What a report is made of, whatever it is set in: figures, tables, charts, and how a value is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from gateway.core.figures.indicators import Indicators, Share


@dataclass(frozen=True, slots=True)
class Hours:
    """A duration. Where one decimal of an hour would say 0.0, minutes are said."""

    value: float


@dataclass(frozen=True, slots=True)
class Minutes:
    """A duration with the limit that it is held against: 10.04 of 10 is said as `10.0+`, for it was more."""

    value: float
    limit: float


T = TypeVar("T")
Value = str | int | float | Share | Hours | Minutes | None
NONE = "—"
TOTAL = "合计"


@dataclass(frozen=True, slots=True)
class Column:
    """of: its value of an indicator line; None: it is said in the row itself. below: on paper and in the terminal its
    value stands under that of the column before it; in a workbook it is a column of its own. adds_up: the total is the
    sum of the lines."""

    zh: str
    en: str
    of: Callable[[Indicators], Value] | None = None
    below: bool = False

    @property
    def is_share(self) -> bool:
        return isinstance(self._of_nothing, Share)

    @property
    def adds_up(self) -> bool:
        return isinstance(self._of_nothing, int | Share)

    @property
    def _of_nothing(self) -> Value:
        return None if self.of is None else self.of(Indicators())


@dataclass(frozen=True, slots=True)
class Table:
    """rows: one value for each column. empty: what is said instead of no rows. caption: how it is counted. totalled:
    its last row is the total."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    empty: str
    caption: str = ""
    totalled: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """kind: lines over periods, or one bar for each category. percent: the axis ends at 100. caption: how it is
    counted. nothing: what is said where there is nothing to draw."""

    name: str
    title: str
    kind: Literal["lines", "bars"]
    categories: Sequence[str]
    series: Sequence[Series]
    percent: bool
    caption: str
    nothing: str

    @property
    def empty(self) -> bool:
        return all(value is None for series in self.series for value in series.values)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a workbook takes a figure of the overview from: the total of that column, or how many rows a list has
    (column None)."""

    table: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A figure of the overview. caption: how it is counted. alarm: it should be 0 and is not. note: of how many, what
    it was before."""

    zh: str
    en: str
    value: Value
    unit: str = ""
    note: str = ""
    alarm: bool = False
    caption: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """lists: what the court's leaders look at first (`attention_title`), each row one case of it. summary: the same in
    one sentence. splits: tables that stand after those of the partners."""

    court: str
    title: str
    period: str
    as_of: str
    running: bool
    attention_title: str
    summary: str
    lists: Sequence[Table]
    keys: Sequence[Key]
    tables: Sequence[Table]
    charts: Sequence[Chart]
    definitions: Sequence[tuple[str, str]]


def text(value: Value) -> str:
    """As one reads it: `91.7%`, `7.5`, a dash for nothing."""
    if isinstance(value, Share):
        return NONE if value.rate is None else f"{value.rate:.1f}%"
    if isinstance(value, Hours):
        return _hours(value.value)
    if isinstance(value, Minutes):
        over = value.value > value.limit and f"{value.value:.1f}" == f"{value.limit:.1f}"
        return f"{value.value:.1f}+" if over else f"{value.value:.1f}"
    if value is None:
        return NONE
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _hours(hours: float) -> str:
    if hours == 0 or f"{hours:.1f}" != "0.0":
        return f"{hours:.1f}" if hours else "0"
    minutes = f"{60 * hours:.1f}"
    return "<0.1分" if minutes == "0.0" else f"{minutes}分"


def of_how_many(value: Value) -> str:
    """Below a share: part and whole."""
    return f"{value.part}/{value.whole}" if isinstance(value, Share) and value.whole else ""


def stacked(columns: Sequence[Column], values: Sequence[T]) -> list[list[T]]:
    """The values of one row, those of columns `below` with the one above them."""
    cells: list[list[T]] = []
    for column, value in zip(columns, values, strict=True):
        if column.below:
            cells[-1].append(value)
        else:
            cells.append([value])
    return cells
