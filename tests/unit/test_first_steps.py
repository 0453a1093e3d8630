"""What the first commands of a new installation say."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import add_commands
from lianzhi.errors import ConfigurationError


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    add_commands(app)
    return app


@pytest.fixture
def installation(app: typer.Typer, tmp_path: Path) -> Path:
    folder = tmp_path / "court"
    done = CliRunner().invoke(app, ["init", "--court", "陕0114", "--dir", str(folder)])
    assert done.exit_code == 0, done.output
    assert "登记人员 [[staff]] register the staff" in done.stdout
    return folder


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "cannot be read"),
        (b"", "is no JSON of user"),
        (b"\xef\xbb\xbf[]", "is no JSON of user"),
        (b'["police-610114"]', "is no JSON of user"),
        (b'{"police-610114": 4711}', "is no JSON of user"),
    ],
)
def test_passwords_that_cannot_be_read_are_told_and_not_repeated(
    app: typer.Typer, installation: Path, written: bytes | None, told: str
) -> None:
    file = installation / "passwords.json"
    if written is not None:
        file.write_bytes(written)
    words = ["broker", "apply", "--dir", str(installation), "--password", "x", "--passwords", str(file)]
    with pytest.raises(ConfigurationError, match=told) as told_error:
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert str(file) in str(told_error.value) and "4711" not in str(told_error.value)
