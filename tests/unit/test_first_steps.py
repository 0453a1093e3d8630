"""What the first commands of a new installation say."""

from __future__ import annotations

import stat
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
    assert "西安市阎良区人民法院" in done.stdout and "--admin guest" not in done.stdout
    token = folder / "handover" / "cms1" / "token"
    assert f"\n  {token.read_text().strip()}\n" in done.stdout and stat.S_IMODE(token.stat().st_mode) == 0o600
    return folder


def test_another_clients_token_lies_beside_its_keys(app: typer.Typer, installation: Path) -> None:
    done = CliRunner().invoke(app, ["clients", "add", "court-sn0114", "cms2", "--dir", str(installation)])
    kept = installation / "handover" / "cms2"
    assert done.exit_code == 0 and kept.joinpath("token").read_text().strip() in done.stdout
    assert len(list(kept.glob("*.private.jwk"))) == 2


def test_a_contract_that_is_written_is_told(app: typer.Typer, installation: Path) -> None:
    out = installation / "contract.json"
    words = ["participants", "contract", "court-sn0114", "--out", str(out), "--dir", str(installation)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and f"已写入 Written: {out}" in done.stdout


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
