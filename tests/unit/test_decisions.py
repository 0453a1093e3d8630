"""The index of decisions lists every decision, and no number is used twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs.decisions import FOLDER, INDEX, index


def test_the_index_is_what_the_headings_say() -> None:
    """After a change: `make docs`."""
    assert INDEX.read_text(encoding="utf-8") == index(FOLDER)


def test_every_number_stands_once_and_none_is_left_out() -> None:
    numbers = [path.name[:4] for path in sorted(FOLDER.glob("[0-9]*.md"))]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


def test_a_heading_with_another_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0007-which.md").write_text("# 0008 Which\n", "utf-8")
    with pytest.raises(ValueError, match=r"0007-which\.md"):
        index(tmp_path)
