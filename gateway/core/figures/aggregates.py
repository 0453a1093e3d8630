"""De-identified aggregates of a report, for those who compare courts: counts by matter type and by partner, nothing
that names a case, a request, a person or a team. Pure.

A count from 1 to 4 is hidden, and so is every median and rate that rests on so few. What is hidden must not follow from
the total: where the hidden counts of one figure are a single one, or together fewer than `FEW`, the next smallest are
hidden with them. A 0 is shown: it is about nobody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, fields

from gateway.core.figures.indicators import Indicators, Line, Report, Share

FEW = 5
"""Counts below it are hidden."""
_MEDIANS = {"median_hours": "results", "alert_minutes": "alerts", "release_hours": "releases"}
"""Medians, and the count that each rests on. The longest time of all is about one request, and not told."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one line. by: total, type, partner, received. figure: a name of `Indicators`; of a share `…_part`
    and `…_whole`; `declined`: refusals and returns as one, since what is neither follows from the share accepted.
    value: a count, or a median with one decimal; None: it is hidden, or there is nothing to tell."""

    by: str
    key: str
    figure: str
    value: int | float | None
    hidden: bool = False


def aggregates(report: Report) -> list[Cell]:
    """By line, in the order of the figures."""
    cells: list[Cell] = []
    parts = (
        ("total", [Line("", report.total)]),
        ("type", report.splits["type"]),
        ("partner", report.partners),
        ("received", report.incoming),
    )
    for by, lines in parts:
        counts = {line.key: counts_of(line.values) for line in lines}
        hidden = _hidden(counts)
        for line in lines:
            cells += _line(by, line, counts[line.key], hidden)
    return cells


def counts_of(values: Indicators) -> dict[str, int]:
    """Every count, by name."""
    found: dict[str, int] = {}
    for member in fields(values):
        value = getattr(values, member.name)
        if isinstance(value, Share):
            found |= {f"{member.name}_part": value.part, f"{member.name}_whole": value.whole}
        elif isinstance(value, int):
            found[member.name] = value
    return found | {"declined": sum(values.refusals.values()) + sum(values.returns.values())}


def _line(by: str, line: Line, counts: Mapping[str, int], hidden: Set[tuple[str, str]]) -> Iterator[Cell]:
    for name, count in counts.items():
        conceals = (line.key, name) in hidden
        yield Cell(by, line.key, name, None if conceals else count, conceals)
    for name, rests_on in _MEDIANS.items():
        value, conceals = getattr(line.values, name), (line.key, rests_on) in hidden
        yield Cell(by, line.key, name, None if conceals or value is None else round(value, 1), conceals)


def _hidden(counts: Mapping[str, Mapping[str, int]]) -> set[tuple[str, str]]:
    """(key, figure) of what is hidden."""
    found: set[tuple[str, str]] = set()
    for name in counts_of(Indicators()):
        some = sorted((of[name], key) for key, of in counts.items() if of[name])
        few = [(count, key) for count, key in some if count < FEW or _leaves_few(counts[key], name)]
        rest = [pair for pair in some if pair not in few]
        while few and rest and (len(few) == 1 or sum(count for count, _ in few) < FEW):
            few.append(rest.pop(0))
        found |= {(key, name) for _, key in few}
    return found


def _leaves_few(counts: Mapping[str, int], name: str) -> bool:
    """Of 10 in time 9: the tenth is one request."""
    share, _, end = name.rpartition("_")
    return end == "part" and 0 < counts[f"{share}_whole"] - counts[name] < FEW


def as_csv(period: str, cells: Iterable[Cell]) -> str:
    """With a line of heads; `hidden` is 1 where a figure is, and its value then empty."""
    said = io.StringIO()
    lines = csv.writer(said)
    lines.writerow(("period", "by", "key", "figure", "value", "hidden"))
    for cell in cells:
        value = "" if cell.value is None else cell.value
        lines.writerow((period, cell.by, cell.key, cell.figure, value, int(cell.hidden)))
    return said.getvalue()
