"""Reads the files of a deployment's own tables: their texts → a `Law`, or every fault in them.

`law/<table>.toml` holds `[[entry]]` sections with the members of that table's row. Pure: whoever has a folder hands in
names and texts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from lianzhi.protocol import rules
from schemas.law.force import Entry, Law, Table, succession
from schemas.law.tables import BY_NAME

SUFFIX = ".toml"
SECTION = "entry"
_HEADER = re.compile(rf"\s*\[\[\s*{SECTION}\s*\]\]")


class LawFileError(Exception):
    """faults: one line each, file and line first, Chinese and English; never empty."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def read_law(files: Mapping[str, str]) -> Law:
    """files: name (`legal-bases.toml`) → text. Raises LawFileError with every fault of every file."""
    given: dict[str, tuple[Entry, ...]] = {}
    faults: list[str] = []
    for name, text in sorted(files.items()):
        table = BY_NAME.get(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
        if table is None:
            known = ", ".join(f"{known}{SUFFIX}" for known in BY_NAME)
            faults.append(f"law/{name}：没有这张表，可用：{known}。 No such table; there are: {known}.")
            continue
        try:
            given[table.name] = _rows(table, name, text.removeprefix("\ufeff"))
        except LawFileError as error:
            faults += error.faults
    if faults:
        raise LawFileError(faults)
    return Law(given)


def _rows(table: Table[Any], name: str, text: str) -> tuple[Entry, ...]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LawFileError([f"law/{name}：不是合法的 TOML。 Not well-formed TOML: {error}"]) from error
    sections = content.pop(SECTION, [])
    if content or not isinstance(sections, list):
        word = next(iter(content), SECTION)
        raise LawFileError(
            [_fault(name, _line(text, 0, word), word, f"只收 [[{SECTION}]]", f"only [[{SECTION}]] here")]
        )
    adapter: TypeAdapter[Entry] = TypeAdapter(table.entry)
    rows: list[Entry] = []
    faults: list[str] = []
    seen: dict[tuple[str, date | None], int] = {}
    for number, section in enumerate(sections, start=1):
        try:
            row = adapter.validate_python(section)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            faults += [_row_fault(table, name, text, number, detail) for detail in details]
            continue
        key = table.key_of(row)
        if (key, row.since if table.dated else None) in seen:
            at = _line(text, number, table.key[0])
            faults.append(_fault(name, at, key, "同一行写了两次", "This row stands twice"))
        seen[key, row.since if table.dated else None] = number
        faults += _dates(row, name, text, number)
        faults += [_fault(name, _line(text, number, f.word), f.word, f.zh, f.en) for f in table.row_faults(row)]
        rows.append(row)
    if not faults:
        faults += _breaks(table, rows, name, text, seen)
        faults += dict.fromkeys(
            f"law/{name}：{fault}" for layer in _layers(table, rows) for fault in table.faults(layer)
        )
    if faults:
        raise LawFileError(faults)
    return tuple(rows)


def _dates(row: Entry, name: str, text: str, number: int) -> Iterator[str]:
    if row.until is not None and row.until <= row.since:
        yield _fault(name, _line(text, number, "until"), "until", "须晚于 since", "Must be after `since`")
    if not row.source.strip():
        yield _fault(name, _line(text, number, "source"), "source", "须写明依据", "Must name the text it rests on")


def _breaks(
    table: Table[Any], rows: Sequence[Entry], name: str, text: str, numbers: Mapping[tuple[str, date | None], int]
) -> Iterator[str]:
    """Rows of one key that overlap, or leave days between them: on such a day no one could say what holds."""
    if not table.dated:
        return
    for key in dict.fromkeys(map(table.key_of, rows)):
        for earlier, later, overlap in succession(row for row in rows if table.key_of(row) == key):
            at = _line(text, numbers[key, later.since], "since")
            until = "" if earlier.until is None else f" until = {earlier.until}"
            before = f"{key} since = {earlier.since}{until}"
            if overlap:
                zh, en = f"与 {before} 的行日期重叠；该行须写", f"Overlaps the row {before}; there, write"
            else:
                zh, en = f"与 {before} 的行之间有空缺；该行须写", f"Leaves a gap after the row {before}; there, write"
            wanted = f"until = {later.since}"
            yield _fault(name, at, "since", f"{zh} {wanted}", f"{en} {wanted}")


def _layers(table: Table[Any], rows: Sequence[Entry]) -> Iterator[Mapping[str, Entry]]:
    """All rows as mappings of one row for each key, so that every row is judged beside the others."""
    left = list(rows)
    while True:
        layer = table.rows(left)
        yield layer
        left = [row for row in left if layer[table.key_of(row)] is not row]
        if not left:
            return


def _row_fault(table: Table[Any], name: str, text: str, number: int, detail: ErrorDetails) -> str:
    """What pydantic says of one member, in our words, with what is allowed."""
    word = str(detail["loc"][0]) if detail["loc"] else SECTION
    line = _line(text, number, word)
    kind = detail["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        allowed = ", ".join(field.name for field in fields(table.entry))
        return _fault(name, line, word, f"没有这一项，可用：{allowed}", f"No such member; there are: {allowed}")
    rule = rules.MISSING if kind.startswith("missing") else rules.BY_TYPE.get(kind)
    if rule is None:
        return f"law/{name}:{line} {word}：{rules.told(detail)}."
    context = detail.get("ctx", {})
    return _fault(name, line, word, rule.zh.format_map(context), rule.en.format_map(context))


def _fault(name: str, line: int, word: str, zh: str, en: str) -> str:
    return f"law/{name}:{line} {word}：{zh}。 {en}."


def _line(text: str, number: int, word: str) -> int:
    """Where `word` is set in the `number`-th section (0: before the first); that section's own line where it is not."""
    sections, at = 0, 1
    for line, content in enumerate(text.splitlines(), start=1):
        if _HEADER.match(content):
            sections += 1
            if sections > number:
                break
            at = line
        elif sections == number and re.match(
            rf"\s*[\"']?{re.escape(word)}[\"']?\s*[=.\]]|\s*\[+\s*{re.escape(word)}", content
        ):
            return line
    return at
