"""The lock of an installation's folder: who holds it, whom it refuses, who waits for it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest
import typer

from gateway.commands.setup.alone import alone, holder, one_at_a_time


def held(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def test_the_second_is_refused_with_the_process_that_is_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone(tmp_path), pytest.raises(typer.Exit) as caught, alone(tmp_path):
        pytest.fail("two at once")
    assert caught.value.exit_code == 1
    assert f"process {os.getpid()}" in capsys.readouterr().err
    with alone(tmp_path):  # free again
        assert holder(tmp_path.stat().st_ino) == os.getpid()
    assert holder(tmp_path.stat().st_ino) is None


def test_the_patient_goes_on_when_the_first_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors = [held(tmp_path)]
    monkeypatch.setattr(time, "sleep", lambda _: os.close(descriptors.pop()))
    with alone(tmp_path, patience=3600):
        assert descriptors == []


def test_a_command_that_failed_leaves_it_free(tmp_path: Path) -> None:
    @one_at_a_time
    def command(*, folder: Path) -> None:
        raise OSError(str(folder))

    for _ in range(2):
        with pytest.raises(OSError, match=str(tmp_path)):
            command(folder=tmp_path)


def test_a_folder_that_is_not_there_is_left_to_the_command(tmp_path: Path) -> None:
    with alone(tmp_path / "nowhere"):
        pass
