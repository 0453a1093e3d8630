"""Every test is run by exactly one of `make test`, `make test-all`, `make chaos`, none by none (docs/testing.md)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from tests.conftest import COLLECTED

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^ +(?P<tier>[a-z-]+)\) +marks='(?P<marks>[^']+)' where=\((?P<where>[^)]*)\) ;;$", re.M)
TIERS = {
    row["tier"]: (Expression.compile(row["marks"]), row["where"].split())
    for row in ROW.finditer((ROOT / "scripts" / "pytest.sh").read_text("utf-8"))
}
APART = ("test", "test-all", "chaos")  # `check` is a part of `test`


@pytest.fixture
def collected(pytestconfig: pytest.Config) -> list[pytest.Item]:
    """Whatever this run has found, also what it leaves out: of all tests when it is `make test`."""
    return pytestconfig.stash[COLLECTED]


def tiers_of(item: pytest.Item) -> Iterator[str]:
    names = {mark.name for mark in item.iter_markers()}
    for tier, (marks, where) in TIERS.items():
        if marks.evaluate(lambda name, /, **_: name in names) and (not where or item.nodeid.startswith(tuple(where))):
            yield tier


def test_the_tiers_are_those_of_the_makefile() -> None:
    assert TIERS.keys() == {"check", *APART}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{tier}:.*##", makefile, re.M) for tier in TIERS)


def test_every_test_is_in_exactly_one(collected: list[pytest.Item]) -> None:
    wrong = {item.nodeid: found for item in collected if len(found := set(APART) & set(tiers_of(item))) != 1}
    assert not wrong


def test_what_is_checked_is_tested(collected: list[pytest.Item]) -> None:
    checked = [set(tiers_of(item)) for item in collected if "check" in tiers_of(item)]
    assert checked
    assert all(found == {"check", "test"} for found in checked)


def test_one_of_each_fault_is_in_make_test(collected: list[pytest.Item]) -> None:
    """A file of tests/fault is a kind of fault."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in collected:
        if item.nodeid.startswith("tests/fault/"):
            found[item.nodeid.partition("::")[0]].update(tiers_of(item))
    assert not [file for file, tiers in found.items() if "test" not in tiers]


def test_every_file_of_tests_is_found(collected: list[pytest.Item]) -> None:
    """When the run is about all of them: a file that pytest cannot see would be in no tier."""
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    seen = {item.nodeid.partition("::")[0] for item in collected}
    if not any(file.startswith("tests/fault/") for file in seen):
        pytest.skip("a part of the tests was asked for")
    assert files == seen
