"""What counts as proof when the walls are run against an older version (tools/regress.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.regress import report

CASES = {
    "passes": ("", False, "passes on that version"),
    "asserts": ('<failure message="AssertionError: said so&#10;assert 0 == 1">assert</failure>', True, "assert 0 == 1"),
    "raises": ('<failure message="KeyError: 1">    assert x[1] == 2</failure>', False, "no assertion"),
    "lacks": ('<failure message="AssertionError: No such option: --json">assert</failure>', False, "No such option"),
    "breaks": ('<error message="failed on setup">assert</error>', False, "failed before it began"),
    "ends_badly": ('<error message="failed on teardown">assert</error>', False, "failed on teardown"),
    "is_new": ('<properties><property name="new" value="no such thing"/></properties>', True, "no such thing"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_is_proved_by_an_assertion_alone(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside, proved, text = CASES[name]
    file = tmp_path / "results.xml"
    file.write_text(f'<testsuites><testcase name="test_s1_{name}">{inside}</testcase></testsuites>', "utf-8")
    assert report(file) is proved
    assert text in capsys.readouterr().out


def test_one_test_proves_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed, passed = (f'<testcase name="test_s1_{n}">{CASES[n][0]}</testcase>' for n in ("asserts", "passes"))
    file = tmp_path / "results.xml"
    file.write_text(f'<testsuites>{failed}{passed}<testcase name="test_kit"/></testsuites>', "utf-8")
    assert report(file)
    assert "2 tests, 1 rows" in capsys.readouterr().out


def test_what_fails_once_more_afterwards_counts_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUnit's form has a second entry for it."""
    cases = "".join(f'<testcase name="test_s1_same">{CASES[n][0]}</testcase>' for n in ("asserts", "ends_badly"))
    file = tmp_path / "results.xml"
    file.write_text(f"<testsuites>{cases}</testsuites>", "utf-8")
    assert report(file)
    told = capsys.readouterr().out
    assert "1 tests, 1 rows" in told and "teardown" not in told
