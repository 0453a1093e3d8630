"""Which of an installation's files are as they were: by looking at them, which works on every file system."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.registry.config import FILE, Config
from gateway.registry.law_files import LAW
from gateway.registry.participants import PARTICIPANTS, PRIVATE_KEYS

Seen = Mapping[str, tuple[int, int, int] | None]
"""Path → time of change (ns), size, inode; None: not there."""


def look(config: Config) -> Seen:
    """What is loaded again when it changes: the configuration, participants, keys, tables of the law, secret files."""
    folder = config.folder
    alone = [folder / FILE, *(folder / name for name in config.secret_files)]
    found = {str(path): _stat(path) for path in alone}
    for room in (PARTICIPANTS, PRIVATE_KEYS.parent, PRIVATE_KEYS, LAW):
        found.update(_within(folder / room))
    return found


def _within(room: Path) -> Iterator[tuple[str, tuple[int, int, int] | None]]:
    try:
        with os.scandir(room) as entries:
            names = sorted(entry.path for entry in entries if not entry.name.startswith("."))
    except OSError:
        return
    for name in names:
        yield name, _stat(Path(name))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
