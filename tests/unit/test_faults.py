"""An exception in a log: its type and place, never its text, whoever logs it."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.observability import configure_logging
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import FRAMES, cause_of, fault_of, kind_of

NAME = "张某某"


def failing(depth: int = 0) -> None:
    if depth:
        failing(depth - 1)
    try:
        dict[str, str]()[NAME]
    except KeyError as error:
        raise ValueError(f"no such name: {NAME}") from error


def caught(depth: int = 0) -> ValueError:
    with pytest.raises(ValueError, match=NAME) as found:
        failing(depth)
    return found.value


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log of our own form; the loggers of the run are put back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging(file=tmp_path / "log")
    yield tmp_path / "log"
    structlog.reset_defaults()
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def test_a_fault_is_its_type_and_its_place() -> None:
    told = fault_of(caught())
    assert told["fault"] == "ValueError"
    assert told["caused_by"] == "KeyError"
    assert told["at"][-1].startswith("unit/test_faults.py:") and told["at"][-1].endswith(" failing")
    assert NAME not in repr(told)


def test_a_deep_one_tells_its_innermost_frames() -> None:
    assert len(fault_of(caught(depth=50))["at"]) == FRAMES


def test_a_driver_gives_its_code_not_its_text() -> None:
    with sqlite3.connect(":memory:") as database, pytest.raises(sqlite3.Error) as found:
        database.execute(f"SELECT '{NAME}' FROM nowhere")
    unavailable = StoreUnavailableError(str(found.value))
    unavailable.__cause__ = found.value
    assert cause_of(unavailable) == kind_of(found.value) == "OperationalError SQLITE_ERROR"
    assert cause_of(unavailable.__cause__) == cause_of(unavailable)
    assert kind_of(ConnectionRefusedError(111, NAME)) == "ConnectionRefusedError 111"


def test_nothing_that_is_logged_repeats_a_text(log: Path) -> None:
    """Ours with `exc_info`, a library's with `exception`: both are told by type and place."""
    error = caught()
    structlog.get_logger("ours").error("broke", exc_info=error)
    try:
        failing()
    except ValueError:
        logging.getLogger("theirs").exception("broke too")
        structlog.get_logger("ours").exception("and again")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["broke", "broke too", "and again"]
    assert all(line["fault"] == "ValueError" and line["caused_by"] == "KeyError" for line in lines)
    text = log.read_text(encoding="utf-8")
    assert NAME not in text and "Traceback" not in text
