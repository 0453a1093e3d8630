"""`lianzhi submit` at a terminal: where it looks for its settings, and what it says of content that went before."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lianzhi.cli import court


@pytest.fixture
def first(tmp_path: Path) -> Path:
    path = tmp_path / "first.json"
    path.write_text(json.dumps({"type": "grid.verify.request"}))
    return path


def submit(*words: str) -> Any:
    app = typer.Typer()
    app.command()(court.submit)
    return CliRunner().invoke(app, list(words))


def test_where_client_toml_is_missing_its_place_is_told(first: Path, tmp_path: Path) -> None:
    done = submit(str(first), "--config", str(tmp_path / "client.toml"))
    assert done.exit_code == 2
    assert str(tmp_path / "client.toml") in done.output and "--config" in done.output


@pytest.mark.parametrize("before", [None, "court-sn0114-20261201-000001"])
def test_the_request_of_the_same_content_is_told(
    first: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    accepted = SimpleNamespace(request_nos=["court-sn0114-20261201-000002"], blocked=[], warnings=[])
    earlier = None if before is None else SimpleNamespace(request_nos=[before])
    monkeypatch.setattr(court, "_with_client", lambda config, work: (accepted, earlier))
    shown = submit(str(first)).output
    assert "court-sn0114-20261201-000002" in shown
    assert ("同样的内容提交过" in shown) == (before is not None) and (before or "") in shown
