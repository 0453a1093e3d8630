"""A book of what somebody did, kept by that somebody alone: one JSON line for each thing, on the disk at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any


class Journal:
    """Appends to `path`. Close it, or use it with `with`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def write(self, did: str, **what: Any) -> None:
        """did: the word that tells one kind of line from another. Members that are None are left out."""
        line = {"did": did, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **what}
        known = {name: value for name, value in line.items() if value is not None}
        self._file.write(json.dumps(known, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """Every line, in order; nothing where the book was never begun."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
