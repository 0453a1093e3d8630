"""Rows of operators' lists: at most 80 columns, every code and number whole, local time, everything escaped.

A row begins with its first fields; what does not fit goes on in indented lines. `--json` has all of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.core.time.calendar import SHANGHAI
from lianzhi.cli.output import as_json, console
from lianzhi.printable import printable

COLUMNS = 80
INDENT = "    "
Field = tuple[str, str]
"""(label, name of the member); no label: the value stands alone."""


def rows(
    found: Sequence[Mapping[str, Any]], title: str, fields: Sequence[Field], *, json_out: bool, none: str = "无 none"
) -> None:
    """A list."""
    if json_out:
        as_json(list(found))
        return
    if not found:
        say(f"{title}：{none}")
        return
    say(f"{title}（{len(found)}）")
    for row in found:
        for line in packed(texts(row, fields)):
            say(line)


def one(found: Mapping[str, Any], fields: Sequence[Field], *, json_out: bool) -> None:
    """One thing, a line for each member."""
    if json_out:
        as_json(dict(found))
        return
    for label, name in fields:
        if (value := found.get(name)) is not None:
            for line in packed([f"{label}  {shown(name, value)}"]):
                say(line)


def say(line: str) -> None:
    console.print(line, markup=False)


def texts(row: Mapping[str, Any], fields: Iterable[Field]) -> list[str]:
    """What a row has to show, in order."""
    return [
        f"{label} {shown(name, row[name])}" if label else shown(name, row[name])
        for label, name in fields
        if row.get(name) is not None
    ]


def shown(name: str, value: Any) -> str:
    """A value as a person reads it. Members that end in `at` or `since` or begin with `last_` are
    moments."""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, str) and (
        name in {"since", "at"} or name.endswith(("_at", "_since")) or name.startswith("last_")
    ):
        return local(value)
    return printable(value, None)


def local(moment: str) -> str:
    """To the second, in Shanghai."""
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def packed(fields: Iterable[str], most: int = COLUMNS) -> list[str]:
    """Fields side by side, as many as fit a line; one that is longer than a line alone is broken between characters,
    which is only ever a text of somebody's."""
    lines: list[str] = []
    for text in fields:
        if lines and width(lines[-1]) + 2 + width(text) <= most:
            lines[-1] += f"  {text}"
            continue
        rest = text
        while rest:
            room = most - (len(INDENT) if lines else 0)
            part = _first(rest, room)
            lines.append((INDENT if lines else "") + part)
            rest = rest[len(part) :]
    return lines


def _first(text: str, room: int) -> str:
    """As much of it as fits, up to a blank where there is one."""
    if width(text) <= room:
        return text
    end = used = 0
    while used + width(text[end]) <= room:
        used += width(text[end])
        end += 1
    blank = text.rfind(" ", 0, end)
    return text[: blank + 1] if blank > 0 else text[:end]


def width(text: str) -> int:
    """In columns of a terminal: East Asian wide characters have two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
