"""Rows of operators' lists, by the door that all listings go through (`lianzhi.cli.output`). `--json` has all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lianzhi.cli import cells
from lianzhi.cli.output import as_json, console, listing, record

Field = tuple[str, str]
"""(label, name of the member); no label: the member's own name."""


def rows(found: Sequence[Mapping[str, Any]], title: str, fields: Sequence[Field], *, json_out: bool) -> None:
    """A list."""
    if json_out:
        as_json(list(found))
        return
    listing([{label or name: row.get(name) for label, name in fields} for row in found], title, json_out=False)


def one(found: Mapping[str, Any], fields: Sequence[Field], *, json_out: bool) -> None:
    """One thing, under its first member; what is not there is left out."""
    if json_out:
        as_json(dict(found))
        return
    (label, first), *others = fields
    members = {label or name: found[name] for label, name in others if found.get(name) is not None}
    record(f"{label} {found.get(first)}", members)


def say(line: str) -> None:
    console.paragraph(line, later="  ")


def local(moment: str) -> str:
    """To the second, as lists show it."""
    return cells.local(datetime.fromisoformat(moment))
