"""What a report is made of, whatever it is set in: figures, tables, charts, and how a value is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.core.figures.indicators import Indicators, Share

Value = str | int | float | Share | None
NONE = "—"


@dataclass(frozen=True, slots=True)
class Column:
    """of: its value of an indicator line; None: the line's own name."""

    zh: str
    en: str
    of: Callable[[Indicators], Value] | None = None

    @property
    def is_share(self) -> bool:
        return self.of is not None and isinstance(self.of(Indicators()), Share)


@dataclass(frozen=True, slots=True)
class Table:
    """rows: one value for each column. empty: what is said instead of no rows."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    empty: str


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """kind: lines over periods, or one bar for each category. percent: the axis ends at 100."""

    name: str
    title: str
    kind: Literal["lines", "bars"]
    categories: Sequence[str]
    series: Sequence[Series]
    percent: bool

    @property
    def empty(self) -> bool:
        return all(value is None for series in self.series for value in series.values)


@dataclass(frozen=True, slots=True)
class Key:
    """A figure of the overview. alarm: it should be 0 and is not. note: of how many, what it was before."""

    zh: str
    en: str
    value: Value
    unit: str = ""
    note: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    court: str
    title: str
    period: str
    as_of: str
    running: bool
    keys: Sequence[Key]
    tables: Sequence[Table]
    charts: Sequence[Chart]
    definitions: Sequence[tuple[str, str]]


def text(value: Value) -> str:
    """As one reads it: `91.7%`, `7.5`, a dash for nothing."""
    if isinstance(value, Share):
        return NONE if value.rate is None else f"{value.rate:.1f}%"
    if value is None:
        return NONE
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def of_how_many(value: Value) -> str:
    """Below a share: part and whole."""
    return f"{value.part}/{value.whole}" if isinstance(value, Share) and value.whole else ""
