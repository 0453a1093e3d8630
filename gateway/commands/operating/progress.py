"""How far a long act of an operator has come, on standard error, and the Ctrl-C that ends it between two steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lianzhi.cli.layout import columns_of
from lianzhi.cli.output import problems
from lianzhi.cli.streams import fitted

EVERY = 50
"""Messages a line where standard error is no terminal."""
WIDTH = 20


class Progress:
    """At a terminal one line that is written over; elsewhere a line for each `EVERY` messages, and one at the end."""

    def __init__(self, of: int) -> None:
        self._of = of
        self._shown = 0  # columns of the line that stands at the terminal

    def __call__(self, told: Mapping[str, Any]) -> None:
        """told: `sent_again`, `passed_over`, `left`."""
        done = self._of - told["left"]
        if problems.is_terminal:
            line = f"{bar(done, self._of)} {progress_line(told, self._of)}"
            columns = columns_of(line, ambiguous=problems.ambiguous)
            self._write(f"\r{line}{' ' * (self._shown - columns)}")
            self._shown = columns
        elif done % EVERY == 0 or not told["left"]:
            problems.print(progress_line(told, self._of))

    def end(self) -> None:
        """What is printed next begins on a line of its own."""
        if self._shown:
            self._write("\n")
            self._shown = 0

    @staticmethod
    def _write(text: str) -> None:
        """Past `problems`, which makes a carriage return harmless."""
        problems.file.write(fitted(text, problems.encoding))
        problems.file.flush()


def bar(done: int, of: int) -> str:
    """In ASCII, which every terminal has."""
    full = WIDTH * done // of if of else WIDTH
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"


def progress_line(told: Mapping[str, Any], of: int) -> str:
    """Together with the bar less than 80 columns for a plan of `core.operating.plans.MOST`."""
    changed = f"  略过 changed {told['passed_over']}" if told["passed_over"] else ""
    return f"{of - told['left']}/{of}  已发 sent {told['sent_again']}{changed}  余 left {told['left']}"


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM came: the step at work is finished first. A second Ctrl-C ends the command at once."""
    came = False

    def note(number: int, frame: object) -> None:
        nonlocal came
        came = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
