"""Makes `lianzhi.protocol`'s `tables/characters.txt` from the database that `unicodedata2` brings, not Python's own.

`python -m tools.characters` prints the table. A test holds the table in the tree beside the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import unicodedata2

# Letters and marks that show nothing (Default_Ignorable_Code_Point): a name of them alone would name nobody.
INVISIBLE = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF),
)  # fmt: skip
LOST = (0xFFFC, 0xFFFD)  # what stands for a character that could not be read: the text is damaged
BLANK_PICTURE = 0x2800  # a Braille cell without dots


def letters(point: int) -> bool:
    """Letters, marks and numbers that can be seen."""
    return unicodedata2.category(chr(point))[0] in "LMN" and not any(a <= point <= b for a, b in INVISIBLE)


def signs(point: int) -> bool:
    """Punctuation and symbols."""
    return unicodedata2.category(chr(point))[0] in "PS" and point not in (*LOST, BLANK_PICTURE)


def ranges(of: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    start = None
    for point in range(0x110000):
        if of(point) and start is None:
            start = point
        elif start is not None and not of(point):
            yield start, point - 1
            start = None


def table(made_on: date) -> Iterator[str]:
    """The lines of the file."""
    yield f"# Unicode {unicodedata2.unidata_version}, made on {made_on} by tools/characters.py; both ends included"
    for name, of in (("letters", letters), ("signs", signs)):
        yield f"[{name}]"
        yield from (f"{a:X}" if a == b else f"{a:X} {b:X}" for a, b in ranges(of))


if __name__ == "__main__":
    print(*table(datetime.now(UTC).date()), sep="\n")
