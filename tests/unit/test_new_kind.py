"""`lianzhi new kind` writes a folder and a type, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.commands.scaffold.new_kind import new_kind
from lianzhi.errors import ConfigurationError

MATTER = ("schemas/matters/quarry/__init__.py", "schemas/matters/quarry/stone.py")
NAMES = ("林业", "Quarry office", "quarry.stone.request", "采石处置协助", "Stone to be sold")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("adapters", "schemas/matters"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def written(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


def test_it_writes_a_folder_and_the_type_that_names_the_kind(tree: Path) -> None:
    new_kind("quarry", *NAMES, tree)
    assert written(tree) == {"adapters/quarry/__init__.py", *MATTER}
    assert 'name="quarry/1", zh="林业", en="Quarry office"' in (tree / "adapters/quarry/__init__.py").read_text()
    assert 'receivers=frozenset({Kind("quarry")})' in (tree / MATTER[1]).read_text()


@pytest.mark.parametrize(
    ("word", "changed", "told"),
    [
        ("police", {}, "grid"),
        ("Quarry", {}, "Lower-case"),
        ("../quarry", {}, "Lower-case"),
        ("quarry", {0: "Quarry"}, "--zh"),
        ("quarry", {1: '"'}, "--en"),
        ("quarry", {2: "quarry"}, "三段"),
        ("quarry", {2: "grid.verify.request"}, "已有此事项"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    tree: Path, word: str, changed: dict[int, str], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        zh, en, matter, matter_zh, matter_en = (changed.get(place, given) for place, given in enumerate(NAMES))
        new_kind(word, zh, en, matter, matter_zh, matter_en, tree)
    assert written(tree) == set()


def test_a_folder_that_is_there_is_left_alone(tree: Path) -> None:
    (tree / "adapters" / "quarry").mkdir()
    with pytest.raises(ConfigurationError, match="quarry"):
        new_kind("quarry", *NAMES, tree)
    assert written(tree) == set()


def test_any_other_folder_is_no_source_tree(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not the root"):
        new_kind("quarry", *NAMES, tmp_path)
    assert written(tmp_path) == set()
