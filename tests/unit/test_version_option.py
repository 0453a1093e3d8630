"""`lianzhi --version`: which distributions are installed, and which version of each."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from lianzhi.cli.main import app


def test_each_distribution_of_ours_is_told_with_its_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{name} {version(name)}" for name in ("lianzhi", "lianzhi-gateway")]
