"""A command of this checkout in a child process that has imported everything already: for tests that type many."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from lianzhi.cli import output
from lianzhi.cli.main import main
from tests.child import Child
from tests.fault.entry import write_to

SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Line:
    """words: after `lianzhi`. log: where what it prints goes. columns: of its window, in which nothing is folded."""

    words: tuple[str, ...]
    log: Path
    columns: int = 1000


def enter(line: Line, ready: Connection) -> None:
    """In the child. Ends as the command does."""
    write_to(line.log)
    ready.send_bytes(b"ready")
    for terminal in (output.console, output.problems):
        terminal.width = line.columns
    sys.argv = ["lianzhi", *line.words]
    main()


async def typed(line: Line) -> int:
    """Its exit code, once it has ended."""
    return await Child(enter, line).ended(SECONDS)
