"""`docs/adr/README.md`: the index of decisions, from their headings. `make docs` writes it; a test compares."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
INDEX = FOLDER / "README.md"
_HEAD = """\
# 决定 Decisions

每项半页：背景、选择、后果。由各文件标题生成（`make docs`），测试比对。新的决定用 [template.md](template.md)，
编号取下一个；推翻旧的，写新的一项并互相指明。
Half a page each: context, choice, consequences. Written from the headings; a test compares. A new one takes the next
number; one that overturns an older is a new one, and both name each other.

| 编号 no. | 决定 decision |
|---|---|
"""


def index(folder: Path) -> str:
    """The whole file. Raises ValueError: a heading that does not begin with the number of its file."""
    rows = []
    for path in sorted(folder.glob("[0-9]*.md")):
        heading = path.read_text("utf-8").partition("\n")[0]
        found = re.fullmatch(r"# (\d{4}) (.+)", heading)
        if found is None or found[1] != path.name[:4]:
            raise ValueError(f"{path.name}: the heading must be `# {path.name[:4]} …`, it is `{heading}`")
        rows.append(f"| [{found[1]}]({path.name}) | {found[2]} |\n")
    return _HEAD + "".join(rows)
