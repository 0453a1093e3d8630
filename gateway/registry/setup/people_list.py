"""Lists of people as a spreadsheet saves them (CSV): staff with their roles and dates, and the duty roster.

UTF-8, with or without the mark in front; another encoding is refused in words (`lianzhi.text_files`). The first line
names the columns, in Chinese or English, in any order. Every fault is told by file, line and column, the first twenty.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.registry.forms import StaffMember
from lianzhi.errors import ConfigurationError
from lianzhi.printable import printable
from lianzhi.protocol.rules import told
from lianzhi.text_files import read_text
from schemas.duty import Shift
from schemas.validation import InvalidError, validate

STAFF: Mapping[str, str] = {
    "编号": "no",
    "姓名": "name",
    "执行证号": "permit",
    "职务": "roles",
    "自": "from",
    "至": "until",
    "电话": "phone",
    "邮箱": "mail",
}
ROSTER: Mapping[str, str] = {"自": "begins", "至": "ends", "人员": "person"}
"""Headings in Chinese, and the members that may stand there instead."""
_OPTIONAL = {"until", "phone", "mail"}
_CONTACT = ("phone", "mail")
MOST = 10_000
_TOLD = 20
_LOCAL, _MINUTES = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?"), len("2026-03-25 08:00")

M = TypeVar("M", bound=BaseModel)
Line = tuple[int, dict[str, str]]


def read_staff(path: Path) -> list[StaffMember]:
    """Each line one person. Raises ConfigurationError."""
    lines = _lines(path, STAFF, _OPTIONAL)
    people = _models(path, lines, lambda row: StaffMember.model_validate(_staff_form(row)))
    _check_once(path, lines, "no")
    return people


def read_roster(path: Path) -> list[Shift]:
    """Each line one person's time at the desk. Raises ConfigurationError."""
    found: list[Shift] = []
    faults: list[str] = []
    for number, row in _lines(path, ROSTER, set()):
        form = {name: _moment(text) if name != "person" else text for name, text in row.items()}
        try:
            found.append(validate(Shift, form))
        except InvalidError as error:
            faults += (
                f"{path}:{number} {e.pointer.removeprefix('/')}：{e.detail}。 {e.detail_en}." for e in error.errors
            )
    if faults:
        raise ConfigurationError("\n".join(faults[:_TOLD]))
    return found


def _moment(text: str) -> str:
    """As people write it, Shanghai time; one with its own offset stays."""
    return f"{text.replace(' ', 'T')}{':00' if len(text) == _MINUTES else ''}+08:00" if _LOCAL.fullmatch(text) else text


def _staff_form(row: Mapping[str, str]) -> dict[str, Any]:
    """Roles are words in one cell, apart by blanks, commas or 、."""
    form: dict[str, Any] = {name: text for name, text in row.items() if text and name not in _CONTACT}
    form["roles"] = row.get("roles", "").replace("、", " ").replace(",", " ").replace("，", " ").split()
    contact = {name: row[name] for name in _CONTACT if row.get(name)}
    return form | ({"contact": contact} if contact else {})


def _lines(path: Path, columns: Mapping[str, str], optional: set[str]) -> list[Line]:
    """Line number and cells by member."""
    rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    header = [columns.get(name.strip(), name.strip()) for name in rows[0]] if rows else []
    needed = set(columns.values()) - optional
    if not needed <= set(header) or set(header) - set(columns.values()) or len(set(header)) != len(header):
        zh, en = ",".join(columns), ",".join(columns.values())
        less = f"（{'、'.join(sorted(optional))} 可无 may be absent）" if optional else ""
        raise ConfigurationError(f"{path}:1：首行须为 {zh}{less}。 The first line must be {en}, in any order.")
    found: list[Line] = []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise ConfigurationError(f"{path}:{number}：须为 {len(header)} 列。 It must have {len(header)} columns.")
        found.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    if len(found) > MOST:
        raise ConfigurationError(f"{path}：最多 {MOST} 行。 At most {MOST} lines.")
    return found


def _models(path: Path, lines: Sequence[Line], make: Callable[[dict[str, str]], M]) -> list[M]:
    found, faults = [], []
    for number, row in lines:
        try:
            found.append(make(row))
        except ValidationError as error:
            faults += list(_faults(path, number, row, error))
    if faults:
        raise ConfigurationError("\n".join(faults[:_TOLD]))
    return found


def _faults(path: Path, number: int, row: Mapping[str, str], error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        column = str(detail["loc"][-1]) if detail["loc"] else ""
        word = printable(row.get(column, ""), 40)
        yield f"{path}:{number} {column}：{word} 不合规则 breaks its rule: {told(detail)}"


def _check_once(path: Path, lines: Sequence[Line], member: str) -> None:
    for value, count in Counter(row[member] for _, row in lines).items():
        if count > 1:
            number = [line for line, row in lines if row[member] == value][1]
            raise ConfigurationError(f"{path}:{number} {member}：{value} 出现了 {count} 次。 It stands {count} times.")
