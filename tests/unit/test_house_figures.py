"""What counts as a line of code in the figures of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.house_figures import duplicate_pairs, figures, figures_table, parameter_names, read

SOURCE = '''\
"""A module
of two lines of docstring."""

# a comment of its own
import os  # a comment beside code

LIMIT = 3
"""What the limit is."""


def listed(
    one: int,
) -> list[int]:
    """Says what it does."""
    text = """a value
    of two lines"""
    return [one, len(text), len(os.sep)]
'''


def test_docstrings_comments_and_blank_lines_are_no_code(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(SOURCE, "utf-8")
    module = read(path, tmp_path)
    assert (module.lines, module.code, module.docstrings, module.comments) == (17, 8, 4, 1)
    assert module.functions == (7,)


def test_a_folder_is_counted_by_part_and_room(tmp_path: Path) -> None:
    for name in ("gateway/a.py", "gateway/room/__init__.py", "gateway/room/b.py", "gateway/room/c.py", "tests/t.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n", "utf-8")
    counted = figures(tmp_path)
    assert counted["代码行 code lines"] == "16"
    assert counted["— gateway：文件、代码行 files, code lines"] == "4, 16"
    assert counted["— library：文件、代码行 files, code lines"] == "–"
    assert counted["最大的室 largest room"] == "gateway/room, 2 个文件 files"
    assert counted["tests：文件、代码行 files, code lines"] == "1, 4"
    table = figures_table({"then": counted, "now": counted})
    assert table.splitlines()[0] == "|  | then | now |"


TWICE = """
def one(first: int, second: str) -> None:
    "Says what it does."
    for item in range(first):
        print(item, second, len(second), first + 1, item * 2, item - 1)

def other(a, b):
    for x in range(a):
        print(x, b, len(b), a + 1, x * 2, x - 1)

def third(a, b):
    for x in range(a):
        print(x, b, len(b), b + 1, x * 2, x - 1)

def fourth(a, b):
    for x in reversed(a):
        print(x, b, len(b), a + 1, x * 2, x - 1)
"""


def test_duplicates_differ_in_names_alone() -> None:
    assert duplicate_pairs([ast.parse(TWICE)]) == 1
    assert duplicate_pairs([ast.parse(TWICE), ast.parse(TWICE)]) == 6 + 1 + 1
    assert duplicate_pairs([ast.parse("def one(a):\n    return a\n\ndef other(b):\n    return b\n")]) == 0


def test_parameters_of_one_type_are_counted_by_name() -> None:
    source = "class Request: ...\n" + "".join(
        f"def use{n}({name}: Request, text: str): ...\n"
        for n, name in enumerate(("request", "request", "asked", "request"))
    )
    assert parameter_names([ast.parse(source)]) == {}
    assert parameter_names([ast.parse(source + "def more(request: Request): ...\n")]) == {
        "Request": {"request", "asked"}
    }
