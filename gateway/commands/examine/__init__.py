"""Looks at an installation for `lianzhi doctor`. What is away or broken is a line of its own, and hides no other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gateway.commands.examine.files import Files, look_at_files
from gateway.commands.examine.stored import look_at_store
from gateway.commands.examine.wire import look_at_broker
from gateway.core.checkup import Check


async def examine(folder: Path, now: datetime) -> tuple[list[Check], bool]:
    """Every line, and whether the configuration could be read: without it nobody knows which store and which broker."""
    files: Files = look_at_files(folder, now)
    if files.config is None:
        return files.checks, False
    stored = await look_at_store(files.config, files.directory, now)
    wire = await look_at_broker(files.config, files.directory, sound=files.sound)
    return [*files.checks, *stored, *wire], True
