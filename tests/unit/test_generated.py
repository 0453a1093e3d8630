"""Every page and table that is made from the code is what the code makes today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.documents import ROOT, documents


@pytest.mark.parametrize(("path", "text"), documents(), ids=lambda one: one.name if isinstance(one, Path) else "")
def test_what_is_written_is_what_the_code_makes(path: Path, text: str) -> None:
    """After a change: `make docs`."""
    assert path.is_relative_to(ROOT)
    assert path.read_text(encoding="utf-8") == text
