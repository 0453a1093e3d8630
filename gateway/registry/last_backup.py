"""When this installation was last backed up: one line beside its configuration, for `lianzhi doctor`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lianzhi.files import write_private

FILE = "last-backup"


def note_backup(folder: Path, at: datetime) -> None:
    """at: aware. Raises OSError."""
    write_private(folder / FILE, (at.astimezone(UTC).isoformat(timespec="seconds") + "\n").encode())


def last_backup(folder: Path) -> datetime | None:
    """None: never, or nobody can read when."""
    try:
        found = datetime.fromisoformat((folder / FILE).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo is not None else None
