"""A clock that tests set while a program runs: libfaketime around a child process (Debian: `faketime`).

Faked is the wall clock (`CLOCK_REALTIME`, `gettimeofday`, `time`), of that process and what it starts. The monotonic
clocks are not: event loops wait by them, and so `CLOCK_BOOTTIME` shows a step as a real one does. The offset stands in
a file that is read at each call, so a step happens at once. SQLite's `datetime('now')` follows, other processes
(PostgreSQL, the broker, the agencies of the tests) do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

_PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")


def library() -> Path | None:
    """Where libfaketime for programs with threads is; None: it is not installed."""
    return next((found for place in _PLACES if (found := Path(place, "libfaketimeMT.so.1")).is_file()), None)


@dataclass(slots=True)
class FakeTime:
    """file: with the offset, written anew at each step; may be put into the environment of several programs."""

    file: Path

    @classmethod
    def in_folder(cls, folder: Path, ahead: timedelta = timedelta(0)) -> FakeTime:
        """Skips the test where libfaketime is not installed (`scripts/setup.sh all`)."""
        if library() is None:
            pytest.skip("libfaketime is not installed")
        fake = cls(folder / "faketime")
        fake.set(ahead)
        return fake

    @property
    def environment(self) -> dict[str, Any]:
        """For the program whose clock it is."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead: timedelta) -> None:
        """From now on the clock is so much ahead of the true one; behind: negative."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{ahead.total_seconds():+.3f}\n")
        new.replace(self.file)
