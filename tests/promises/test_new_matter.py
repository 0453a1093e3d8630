"""One more matter type is one file: the command writes it, the rest finds it, and it is driven to its end at once.

In a copy of the tree: nothing but that file and what `make docs` writes differs from what git has. The copy's own tests
drive the type over a real broker (tests/acceptance/test_happy_path.py takes every type of the catalogue).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.walls.product import clean_environment

pytestmark = pytest.mark.slow  # a copy of the tree, a cold mypy, a broker

ROOT = Path(__file__).parents[2]
NAME, NOTICE = "witness.tour.announce", "witness.visit-report.tell"
ASKED, TOLD = "schemas/matters/witness_tour.py", "schemas/matters/witness_visit_report.py"
WRITTEN = ["docs/clocks.md", "docs/forms.md", "docs/linkages.md", "library/lianzhi/protocol/tables/cards.json"]
GENERATED = ["tests/unit/test_generated.py", "tests/unit/test_linkages.py", "tests/unit/test_contracts_page.py"]
PYTEST = [".venv/bin/pytest", "-v", "-p", "no:cacheprovider"]

Run = Callable[..., str]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has of this tree, committed anew, with this tree's environment."""
    copy = tmp_path_factory.mktemp("tree")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    for name in (".venv", ".tools"):
        (copy / name).symlink_to(ROOT / name)
    with (copy / ".git-exclude").open("w") as exclude:
        exclude.write(".venv\n.tools\n.git-exclude\n")
    return copy


@pytest.fixture(scope="module")
def run(tree: Path) -> Run:
    """A program of the environment, in the copy and on the copy's code; what it printed. code: how it must end."""
    path = os.pathsep.join(map(str, (tree, tree / "library")))
    environment = clean_environment() | {"PYTHONPATH": path, "GIT_CONFIG_GLOBAL": os.devnull}

    def program(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            words, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=500
        )
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    program("git", "init", "--quiet")
    program("git", "config", "core.excludesFile", ".git-exclude")
    program("git", "add", "--all")
    program("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "t")
    return program


@pytest.fixture(scope="module")
def scaffolded(run: Run) -> Run:
    """The tree after the command was run once for each shape, and `make docs`."""
    command, deputies = [".venv/bin/lianzhi", "new", "matter"], ["--receiver", "witness"]
    run(*command, NAME, "--zh", "参观邀请", "--en", "Invite to a tour", *deputies)
    assert changed(run) == [f"?? {ASKED}"]
    run(
        *command,
        NOTICE,
        "--shape",
        "notice",
        "--zh",
        "见证情况通报",
        "--en",
        "Tell of a visit",
        "--receiver",
        "witness",
    )
    assert changed(run) == [f"?? {ASKED}", f"?? {TOLD}"]
    run(".venv/bin/python", "-m", "tools.documents")
    return run


def changed(run: Run) -> list[str]:
    status = run("git", "status", "--porcelain", "--untracked-files=all")
    return sorted(status.splitlines(), key=lambda line: line[3:])


def test_nothing_but_the_file_and_what_is_generated_differs(scaffolded: Run) -> None:
    assert changed(scaffolded) == [*(f" M {name}" for name in WRITTEN), f"?? {ASKED}", f"?? {TOLD}"]


def test_the_new_types_are_driven_to_their_ends_over_a_real_broker(scaffolded: Run) -> None:
    happy = ["tests/acceptance/test_happy_path.py", "-k", f"{NAME} or {NOTICE}"]
    assert "2 passed" in scaffolded(*PYTEST, *happy)


def test_the_tests_of_the_catalogue_and_of_the_pages_pass_at_once(scaffolded: Run) -> None:
    scaffolded(*PYTEST, *GENERATED)
    each = ["tests/unit/test_matters.py", "tests/unit/test_forms.py", "tests/contract/test_adapter_registry.py"]
    scaffolded(*PYTEST, *each, "-k", f"{NAME} or {NOTICE} or not [")
    scaffolded(".venv/bin/lianzhi", "types")


def test_the_file_is_as_clean_as_any(tree: Path, scaffolded: Run) -> None:
    scaffolded(".venv/bin/ruff", "check", ASKED, TOLD)
    scaffolded(".venv/bin/ruff", "format", "--check", ASKED, TOLD)
    scaffolded(".venv/bin/mypy", ASKED, TOLD)

    text = (tree / TOLD).read_text("utf-8")
    wrong = tree / "schemas" / "matters" / "wrong.py"
    wrong.write_text(text.replace("= notice(\n", "= notice(\n    result_item=WitnessVisitReportNotice,\n"), "utf-8")
    said = scaffolded(".venv/bin/mypy", str(wrong), code=1)
    wrong.unlink()
    assert 'Unexpected keyword argument "result_item" for "notice"' in said
