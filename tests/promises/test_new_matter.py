"""One more matter type is one file: the command writes it, the rest finds it, and it is driven to its end at once.

In a copy of the tree: nothing but that file and what `make docs` writes differs from what git has. The copy's own tests
drive the type over a real broker (tests/acceptance/test_happy_path.py takes every type of the catalogue).
"""

from __future__ import annotations

import pytest

from tests.promises.tree import PYTEST, Tree

pytestmark = pytest.mark.slow  # a copy of the tree, a cold mypy, a broker

NAME, NOTICE = "witness.rehearsal.announce", "witness.rehearsal-report.tell"
ASKED, TOLD = "schemas/matters/witness/rehearsal.py", "schemas/matters/witness/rehearsal_report.py"
WRITTEN = ["docs/clocks.md", "docs/forms.md", "docs/linkages.md", "library/lianzhi/protocol/tables/cards.json"]
GENERATED = ["tests/unit/test_generated.py", "tests/unit/test_linkages.py", "tests/unit/test_contracts_page.py"]


@pytest.fixture(scope="module")
def scaffolded(tree: Tree) -> Tree:
    """The tree after the command was run once for each shape, and `make docs`."""
    command, deputies = [".venv/bin/lianzhi", "new", "matter"], ["--receiver", "witness"]
    tree.run(*command, NAME, "--zh", "参观邀请", "--en", "Invite to a tour", *deputies)
    assert tree.changed() == [f"?? {ASKED}"]
    tree.run(
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
    assert tree.changed() == [f"?? {ASKED}", f"?? {TOLD}"]
    unit = [*PYTEST, "tests/unit/test_matters.py", "-k", f"placeholder and {NAME}"]
    assert f"{NAME}：help_zh 里还有占位文字" in tree.run(*unit, code=1), "the checks refuse it until it is written"
    tree.write_placeholders(ASKED, TOLD)
    tree.run(".venv/bin/python", "-m", "tools.documents")
    return tree


def test_nothing_but_the_file_and_what_is_generated_differs(scaffolded: Tree) -> None:
    assert scaffolded.changed() == [*(f" M {name}" for name in WRITTEN), f"?? {ASKED}", f"?? {TOLD}"]


def test_the_new_types_are_driven_to_their_ends_over_a_real_broker(scaffolded: Tree) -> None:
    happy = ["tests/acceptance/test_happy_path.py", "-k", f"{NAME} or {NOTICE}"]
    assert "2 passed" in scaffolded.run(*PYTEST, *happy)


def test_the_tests_of_the_catalogue_and_of_the_pages_pass_at_once(scaffolded: Tree) -> None:
    scaffolded.run(*PYTEST, *GENERATED)
    each = ["tests/unit/test_matters.py", "tests/unit/test_forms.py", "tests/contract/test_adapter_registry.py"]
    scaffolded.run(*PYTEST, *each, "-k", f"{NAME} or {NOTICE} or not [")
    scaffolded.run(".venv/bin/lianzhi", "types")


def test_the_file_is_as_clean_as_any(scaffolded: Tree) -> None:
    scaffolded.run(".venv/bin/ruff", "check", ASKED, TOLD)
    scaffolded.run(".venv/bin/ruff", "format", "--check", ASKED, TOLD)
    scaffolded.run(".venv/bin/mypy", ASKED, TOLD)

    text = (scaffolded.folder / TOLD).read_text("utf-8")
    wrong = scaffolded.folder / "schemas" / "matters" / "wrong.py"
    wrong.write_text(text.replace("= notice(\n", "= notice(\n    result_item=WitnessVisitReportNotice,\n"), "utf-8")
    said = scaffolded.run(".venv/bin/mypy", str(wrong), code=1)
    wrong.unlink()
    assert 'Unexpected keyword argument "result_item" for "notice"' in said
