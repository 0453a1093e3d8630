"""`lianzhi init` at a terminal: each answer is asked for until it holds, and the end says what is missing."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

from gateway.registry.config import load_config
from tests.walls.product import clean_environment, command

QUESTIONS = {
    "Court code": ["西安", "陕0199"],
    "Database": [""],
    "Broker, without": ["http://mq.example", "amqp://lianzhi-gateway@mq.example:5672/%2Fcourt"],
    "Its management API": ["http://mq.example:15672"],
}


def talk(words: list[str], answers: dict[str, list[str]]) -> tuple[int, str]:
    """Exit code, and everything that the terminal showed. Each question is answered when it appears."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=clean_environment() | {"COLUMNS": "200"}
    )
    os.close(theirs)
    shown, waiting = b"", {question: list(lines) for question, lines in answers.items()}
    unanswered = b""
    with suppress(OSError):  # the terminal is gone when the program has ended
        while data := os.read(ours, 4096):
            shown += data
            unanswered += data
            for question, lines in waiting.items():
                if lines and question.encode() in unanswered and unanswered.rstrip(b" ").endswith(b":"):
                    os.write(ours, (lines.pop(0) + "\n").encode())
                    unanswered = b""
    os.close(ours)
    return process.wait(), shown.decode(errors="replace")


def test_each_answer_is_asked_for_until_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "court"
    code, shown = talk([command(), "init", "--dir", str(folder)], QUESTIONS)
    assert code == 0, shown
    assert "Not in the court table" in shown and "must be an amqp://" in shown
    config = load_config(folder)
    assert config.broker.urls == ("amqp://lianzhi-gateway@mq.example:5672/%2Fcourt",)
    assert (config.vhost, config.broker.management) == ("/court", "http://mq.example:15672")
    assert config.secret("broker.password")
    last = shown.strip().splitlines()[-1]
    assert last.endswith(f"lianzhi staff import staff.csv --dir {folder}")


def test_without_a_terminal_what_is_missing_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [command(), "init", "--dir", str(tmp_path / "court")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=clean_environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, "--court" in done.stderr) == (2, True)
    assert not (tmp_path / "court").exists()


def test_a_second_init_changes_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    words = [command(), "init", "--court", "陕0199", "--dir", str(tmp_path / "court")]
    how = {"capture_output": True, "text": True, "env": clean_environment()}
    assert subprocess.run(words, check=False, **how).returncode == 0  # type: ignore[call-overload]
    before = (tmp_path / "court" / "lianzhi.toml").read_bytes()
    again = subprocess.run(words, check=False, **how)  # type: ignore[call-overload]
    assert (again.returncode, "lianzhi staff import" in again.stdout) == (2, True)
    assert (tmp_path / "court" / "lianzhi.toml").read_bytes() == before
