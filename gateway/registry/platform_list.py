"""A list of numbers on the national command platform, as a spreadsheet saves it (CSV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from lianzhi.errors import ConfigurationError
from lianzhi.protocol.envelope import is_request_no
from schemas.bodies import PlatformFiling
from schemas.validation import InvalidError, validate

COLUMNS: Mapping[str, str] = {"请求编号": "request_no", "平台编号": "no", "填报日期": "filed_on"}
"""Headings in Chinese, and the members that may stand there instead."""
MOST = 100_000
_TOLD = 20


def read_platform_list(path: Path) -> list[tuple[str, PlatformFiling]]:
    """(request number, number and day) of each line. Raises ConfigurationError: file, line, column and what is wrong,
    of the first twenty faults."""
    lines = list(csv.reader(io.StringIO(_text(path), newline="")))
    header = [COLUMNS.get(name.strip(), name.strip()) for name in lines[0]] if lines else []
    if sorted(header) != sorted(COLUMNS.values()):
        zh, en = ",".join(COLUMNS), ",".join(COLUMNS.values())
        raise ConfigurationError(f"{path}:1：首行须为 {zh}。 The first line must be {en} (in any order).")
    found: list[tuple[str, PlatformFiling]] = []
    faults: list[str] = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        faults += (f"{path}:{number} {fault}" for fault in _faults(row, len(cells) == len(header)))
        if not faults:
            request_no = row.pop("request_no")
            found.append((request_no, validate(PlatformFiling, row)))
    if len(found) > MOST:
        faults.append(f"{path}：一次最多 {MOST} 行，请分开导入。 At most {MOST} lines at once; please split it.")
    if faults:
        raise ConfigurationError("\n".join(faults[:_TOLD]))
    return found


def _faults(row: Mapping[str, str], whole: bool) -> list[str]:
    if not whole:
        return [f"须为 {len(COLUMNS)} 列。 Must have {len(COLUMNS)} columns."]
    found = []
    if not is_request_no(row["request_no"]):
        found.append("request_no：不是请求编号。 Not a request number.")
    try:
        validate(PlatformFiling, {name: value for name, value in row.items() if name != "request_no"})
    except InvalidError as error:
        found += [f"{e.pointer.removeprefix('/')}：{e.detail}。 {e.detail_en}." for e in error.errors]
    return found


def _text(path: Path) -> str:
    """UTF-8, or what Excel writes as "CSV" on a Chinese Windows; a file of another kind fails at its header."""
    try:
        content = path.read_bytes()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("gb18030")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}：读不到，或不是 CSV。 Cannot be read, or is no CSV: {error}") from error
