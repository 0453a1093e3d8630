"""How far a replay has come, as its terminal shows it; Ctrl-C ends it between two messages."""

from __future__ import annotations

import io
import os
import signal
from typing import Any

import pytest

from gateway.commands.operating import progress
from gateway.commands.operating.progress import EVERY, Progress, interrupts, progress_line
from gateway.core.operating.plans import MOST
from lianzhi.cli.layout import columns_of
from lianzhi.cli.output import Terminal


class Window(Terminal):
    """Standard error as a test reads it."""

    terminal = True

    @property
    def is_terminal(self) -> bool:
        return self.terminal


def told(done: int, of: int, passed_over: int = 0) -> dict[str, Any]:
    return {"sent_again": done - passed_over, "passed_over": passed_over, "left": of - done}


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, of: int) -> str:
    window, out = Window(stderr=True), io.StringIO()
    window.terminal, window.file = terminal, out
    monkeypatch.setattr(progress, "problems", window)
    show = Progress(of)
    for done in range(1, of + 1):
        show(told(done, of))
    show.end()
    return out.getvalue()


def test_at_a_terminal_one_line_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, terminal=True, of=3).split("\r")
    assert [line[:22] for line in lines] == ["", *(f"[{'#' * full}{'.' * (20 - full)}]" for full in (6, 13, 20))]
    assert lines[-1].endswith("\n") and "3/3" in lines[-1]


def test_elsewhere_it_is_a_line_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, terminal=False, of=2 * EVERY + 1).splitlines()
    assert [line.split()[0] for line in lines] == ["50/101", "100/101", "101/101"]


@pytest.mark.parametrize("ambiguous", [1, 2])
def test_the_line_of_the_largest_plan_fits_a_window_of_eighty(ambiguous: int) -> None:
    line = f"{progress.bar(MOST, MOST)} {progress_line(told(MOST, MOST + MOST - 1, 111), MOST + MOST - 1)}"
    assert columns_of(line, ambiguous=ambiguous) < 80


def test_an_interrupt_is_noted_once_and_the_second_one_is_the_usual() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
