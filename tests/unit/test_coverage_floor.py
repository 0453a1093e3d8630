"""The floor under coverage holds and only rises (`make coverage`)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools import coverage_floor
from tools.coverage_floor import FLOOR, PARTS, as_toml, below, main, measured, raised

FLOORS = {"core": {"lines": 95.0, "branches": 95.0}}


def report(**shares: tuple[int, int]) -> dict[str, Any]:
    """file → (lines, branches) of a hundred that were passed."""
    return {
        "files": {
            f"{name.replace('__', '/')}.py": {
                "summary": {
                    "covered_lines": lines,
                    "num_statements": 100,
                    "covered_branches": branches,
                    "num_branches": 100,
                }
            }
            for name, (lines, branches) in shares.items()
        }
    }


def test_a_part_is_what_lies_in_its_folder() -> None:
    told = report(gateway__core__a=(90, 80), gateway__core__b=(100, 60), gateway__http__c=(0, 0))
    assert measured(told, "gateway/core/") == {"lines": 95.0, "branches": 70.0}
    assert measured(told, "") == {"lines": 63.33, "branches": 46.67}
    with pytest.raises(ValueError, match="no file under library/"):
        measured(told, "library/")


def test_what_falls_through_is_told() -> None:
    assert below(FLOORS, {"core": {"lines": 95.0, "branches": 94.99}}) == ["core branches: 94.99 < 95.00"]
    assert below(FLOORS, {"core": {"lines": 95.0, "branches": 95.0}}) == []


def test_a_floor_is_raised_and_never_lowered() -> None:
    assert raised(FLOORS, {"core": {"lines": 99.0, "branches": 94.0}}) == {"core": {"lines": 98.0, "branches": 95.0}}
    assert raised(FLOORS, {"core": {"lines": 96.4, "branches": 96.5}}) == {"core": {"lines": 95.0, "branches": 95.5}}
    assert raised({}, {"all": {"lines": 80.26, "branches": 60.0}}) == {"all": {"lines": 79.3, "branches": 59.0}}


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    floor = tmp_path / "floor.toml"
    floor.write_text(as_toml({part.name: {"lines": 95.0, "branches": 95.0} for part in PARTS}))
    monkeypatch.setattr(coverage_floor, "FLOOR", floor)
    path, before = tmp_path / "report.json", floor.read_text()
    reports = {"unit": path, "all": path}
    path.write_text(json.dumps(report(gateway__core__a=(99, 99), library__lianzhi__protocol__b=(99, 90))))
    assert main(reports) == 1
    assert "protocol branches: 90.00 < 95.00" in capsys.readouterr().err
    assert floor.read_text() == before
    path.write_text(json.dumps(report(gateway__core__a=(99, 99), library__lianzhi__protocol__b=(99, 96))))
    assert main(reports) == 0
    assert tomllib.loads(floor.read_text()) == {
        "core": {"lines": 98.0, "branches": 98.0},
        "protocol": {"lines": 98.0, "branches": 95.0},
        "all": {"lines": 98.0, "branches": 96.5},
    }


def test_the_rules_of_the_house_are_below_no_ninety_five() -> None:
    floors = tomllib.loads(FLOOR.read_text("utf-8"))
    assert floors.keys() == {part.name for part in PARTS}
    assert all(floors[part][kind] >= 95 for part in ("core", "protocol") for kind in ("lines", "branches"))
    assert FLOOR.read_text("utf-8") == as_toml(floors)
