"""Rows and prose set for a window of so many columns. Pure; what is printed is decided in `lianzhi.cli.output`.

What has to be copied (a request number, a code, a digest, a time) stands in one piece: a row that is too wide for the
window goes on in indented lines below it, a line is broken only at blanks and between Chinese characters, and nothing
is cut. An East Asian character takes two columns (Unicode Standard Annex 11).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

GAP = "  "
INDENT = "    "
LEAST = 40
"""Columns below which nothing would be readable: a narrower window folds the lines itself."""
_PIECES = re.compile(r"\s+|[^\s\u2e80-\u9fff\uff00-\uffef]+|.", re.DOTALL)
_CLOSES = frozenset("，。；：、！？）】》”’")
_OPENS = frozenset("（【《“‘")


def columns_of(text: str, *, ambiguous: int = 1) -> int:
    """Columns that one line takes. ambiguous: of `→`, `…`, `“`: two in a GBK terminal."""
    return sum(_columns(character, ambiguous) for character in text)


def _columns(character: str, ambiguous: int) -> int:
    if character.isascii():
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    width = unicodedata.east_asian_width(character)
    return 2 if width in "WF" else ambiguous if width == "A" else 1


def wrapped(text: str, width: int, *, later: str = "", ambiguous: int = 1) -> list[str]:
    """text in lines of at most `width` columns. later: what begins every line but the first. A word that is longer than
    a line has one of its own and stays whole."""
    lines, line, used = [], "", 0
    for piece in _together(_PIECES.findall(text)):
        size = columns_of(piece, ambiguous=ambiguous)
        if used + columns_of(piece.rstrip(), ambiguous=ambiguous) > width and line.strip():
            lines.append(line.rstrip())
            line, used = later, columns_of(later, ambiguous=ambiguous)
            if piece.isspace():
                continue
        line, used = line + piece, used + size
    return [*lines, line.rstrip()]


def _together(pieces: Sequence[str]) -> Iterator[str]:
    """A closing sign stays with what it closes, an opening one with what it opens."""
    held = ""
    for piece in pieces:
        if held and (piece in _CLOSES or held[-1] in _OPENS):
            held += piece
            continue
        if held:
            yield held
        held = piece
    if held:
        yield held


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, ambiguous: int = 1) -> list[str]:
    """A heading, a rule, and the rows. Columns that the window has no room for go below their row, each with its name;
    what is empty there is left out."""

    def size(text: str) -> int:
        return columns_of(text, ambiguous=ambiguous)

    width = max(width, LEAST)
    widths = [max(size(name), *(size(row[at]) for row in rows)) for at, name in enumerate(columns)]
    beside = _beside(widths, width)
    shown = widths[:beside]

    def line(cells: Sequence[str]) -> str:
        return GAP.join(cell + " " * (room - size(cell)) for cell, room in zip(cells, shown, strict=True)).rstrip()

    lines = [line(columns[:beside]), "-" * min(width, sum(shown) + len(GAP) * (beside - 1))]
    for row in rows:
        lines.append(line(row[:beside]))
        more = {name: cell for name, cell in zip(columns[beside:], row[beside:], strict=True) if cell not in ("", "–")}
        lines += _below(more, width, ambiguous)
    return lines


def _beside(widths: Sequence[int], width: int) -> int:
    """How many columns stand beside each other, from the left; at least one."""
    total = 0
    for at, room in enumerate(widths):
        total += room + (len(GAP) if at else 0)
        if total > width and at:
            return at
    return len(widths)


def _below(more: Mapping[str, str], width: int, ambiguous: int) -> list[str]:
    """`name value  name value`, as many as fit on each line; what does not fit is broken at its blanks."""
    lines, line = [], ""
    for name, cell in more.items():
        pair = f"{name} {cell}"
        together = f"{line}{GAP}{pair}" if line else INDENT + pair
        if columns_of(together, ambiguous=ambiguous) <= width:
            line = together
            continue
        if line:
            lines.append(line)
        *whole, line = wrapped(INDENT + pair, width, later=INDENT + GAP, ambiguous=ambiguous)
        lines += whole
    return [*lines, line] if line else lines


def record_lines(items: Mapping[str, str], width: int, *, ambiguous: int = 1) -> list[str]:
    """One thing: a line for each of its members, their values below each other."""
    width = max(width, LEAST)
    room = max((columns_of(name, ambiguous=ambiguous) for name in items), default=0)
    lines = []
    for name, value in items.items():
        head = name + " " * (room - columns_of(name, ambiguous=ambiguous)) + GAP
        longest = max((columns_of(word, ambiguous=ambiguous) for word in _PIECES.findall(value)), default=0)
        if columns_of(head, ambiguous=ambiguous) + longest <= width:
            lines += wrapped(head + value, width, later=" " * (room + len(GAP)), ambiguous=ambiguous)
        else:
            lines += [name, *wrapped(INDENT + value, width, later=INDENT, ambiguous=ambiguous)]
    return lines
