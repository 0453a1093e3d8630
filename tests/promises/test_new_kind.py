"""One more kind of partner is one folder and one matter type, written by `lianzhi new kind`; nothing else is touched.

In a copy of the tree: git finds nothing but the two files and what `make docs` writes; checks and tests take them as
they are; and the copy's own tests drive the type over a real broker, to a partner of the new kind and back.
"""

from __future__ import annotations

import pytest

from tests.promises.tree import PYTEST, Tree

pytestmark = pytest.mark.slow  # a copy of the tree, a cold mypy, a broker

TYPE = "quarry.stone.request"
NEW = ["adapters/quarry/__init__.py", "schemas/matters/quarry/__init__.py", "schemas/matters/quarry/stone.py"]
GENERATED = [
    "docs/clocks.md",
    "docs/forms.md",
    "docs/linkages.md",
    "library/lianzhi/partner/delivered.json",
    "library/lianzhi/protocol/tables/cards.json",
]
PAGES = ["tests/unit/test_generated.py", "tests/unit/test_linkages.py", "tests/unit/test_rooms.py"]
DIALECTS = ["tests/contract/test_adapter_registry.py", "tests/unit/test_partner_delivered.py"]


@pytest.fixture(scope="module")
def scaffolded(tree: Tree) -> Tree:
    """The tree after the command, and `make docs`."""
    kind = ("--zh", "林业", "--en", "Quarry office")
    matter = ("--matter", TYPE, "--title", "林木处置协助", "--title-en", "Timber to be sold")
    tree.run(".venv/bin/lianzhi", "new", "kind", "quarry", *kind, *matter)
    assert tree.changed() == [f"?? {path}" for path in NEW]
    tree.write_placeholders(NEW[-1])
    tree.run(".venv/bin/python", "-m", "tools.documents")
    return tree


def test_nothing_but_the_folder_the_type_and_what_is_generated_differs(scaffolded: Tree) -> None:
    (folder, *matter) = NEW
    lines = [f"?? {folder}", *(f" M {path}" for path in GENERATED), *(f"?? {path}" for path in matter)]
    assert scaffolded.changed() == lines


def test_the_new_kind_is_asked_and_answers_over_a_real_broker(scaffolded: Tree) -> None:
    assert "1 passed" in scaffolded.run(*PYTEST, "tests/acceptance/test_happy_path.py", "-k", TYPE)


def test_the_tests_of_dialects_and_of_the_pages_pass_at_once(scaffolded: Tree) -> None:
    scaffolded.run(*PYTEST, *PAGES, *DIALECTS)
    each = ["tests/unit/test_matters.py", "tests/property/test_adapters.py", "-k", "quarry"]
    scaffolded.run(*PYTEST, *each)


def test_the_files_are_as_clean_as_any(scaffolded: Tree) -> None:
    scaffolded.run(".venv/bin/ruff", "check", *NEW)
    scaffolded.run(".venv/bin/ruff", "format", "--check", *NEW)
    scaffolded.run(".venv/bin/mypy", *NEW)
    scaffolded.run(".venv/bin/lint-imports")
