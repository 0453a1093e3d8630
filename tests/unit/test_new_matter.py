"""`lianzhi new matter`: what it writes, and what it does not write over or take."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

from gateway.commands.scaffold.new_matter import write_matter
from lianzhi.errors import ConfigurationError
from schemas.catalogue import UNWRITTEN, MatterType, Shape, discover, unwritten

NAME, ZH, EN = "witness.open-day.announce", "开放日邀请", "Invite to an open day"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "schemas" / "matters").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("shape", [Shape.ASK, Shape.NOTICE])
def test_it_writes_one_file_named_after_the_type(tree: Path, shape: Shape) -> None:
    file = write_matter(tree, NAME, ZH, EN, shape=shape, receivers=["witness"])
    family = tree / "schemas" / "matters" / "witness"
    assert {path for path in tree.rglob("*") if path.is_file()} == {file, family / "__init__.py"}
    assert file == family / "open_day.py"
    module = ast.parse(file.read_text("utf-8"))
    (made,) = [node for node in module.body if isinstance(node, ast.Assign)]
    assert ast.unparse(made.targets[0]) == "WITNESS_OPEN_DAY"
    assert isinstance(made.value, ast.Call)
    said = {word.arg: ast.unparse(word.value) for word in made.value.keywords}
    assert ast.unparse(made.value.func) == shape
    assert (said["name"], said["zh"], said["en"]) == (repr(NAME), repr(ZH), repr(EN))
    assert said["senders"] == "frozenset({Kind.COURT})"


def test_many_kinds_stand_below_each_other(tree: Path) -> None:
    words = ["court", "police", "grid", "department", "association", "procuratorate", "office", "publication"]
    text = write_matter(tree, NAME, ZH, EN, receivers=words).read_text("utf-8")
    for word in words:
        assert f"            Kind.{word.upper()},\n" in text


@pytest.mark.parametrize(
    ("name", "zh", "en", "more", "told"),
    [
        ("witness.open-day", ZH, EN, {}, "三段"),
        ("Witness.day.announce", ZH, EN, {}, "三段"),
        ("witness.../../x.announce", ZH, EN, {}, "三段"),
        ("witness.invite.send", ZH, EN, {}, "已有此事项"),
        (NAME, "Open day", EN, {}, "--zh"),
        (NAME, "开" * 21, EN, {}, "--zh"),
        (NAME, '开放日"', EN, {}, "--zh"),
        (NAME, ZH, "开放日", {}, "--en"),
        (NAME, ZH, "a\nb", {}, "--en"),
        (NAME, "终本案件管理", EN, {}, "联动"),
        (NAME, "见证邀请（人大代表、政协委员、检察院）", EN, {}, "联动"),
        (NAME, ZH, EN, {"group": "excluded"}, "--group"),
        (NAME, ZH, EN, {"receivers": ["nobody"]}, "nobody"),
        (NAME, ZH, EN, {"shape": Shape.ALERT}, "person_hit"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    tree: Path, name: str, zh: str, en: str, more: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        write_matter(tree, name, zh, en, **more)  # type: ignore[arg-type]
    assert list((tree / "schemas" / "matters").iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(tree: Path) -> None:
    write_matter(tree, NAME, ZH, EN).write_text("mine", "utf-8")
    with pytest.raises(ConfigurationError, match="已有此文件"):
        write_matter(tree, "witness.open-day.cancel", "开放日取消", EN)
    assert (tree / "schemas" / "matters" / "witness" / "open_day.py").read_text("utf-8") == "mine"


def test_a_family_that_is_there_gets_one_more_file_and_nothing_else(tree: Path) -> None:
    head = tree / "schemas" / "matters" / "witness" / "__init__.py"
    head.parent.mkdir()
    head.write_text("mine", "utf-8")
    file = write_matter(tree, NAME, ZH, EN)
    assert {path.name for path in head.parent.iterdir()} == {file.name, "__init__.py"}
    assert head.read_text("utf-8") == "mine"


@pytest.mark.parametrize("shape", [Shape.ASK, Shape.NOTICE])
def test_a_placeholder_left_standing_is_told_in_words(
    tree: Path, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_matter(tree, "fresh.open-day.announce", ZH, EN, shape=shape)
    monkeypatch.syspath_prepend(tree / "schemas" / "matters")
    monkeypatch.delitem(sys.modules, "fresh.open_day", raising=False)
    written = file.read_text("utf-8").replace(UNWRITTEN, "庭审前。")

    (made,) = discover(importlib.import_module("fresh")).values()
    told = unwritten(made)
    assert [line.partition("：")[2].split()[0] for line in told] == ["help_zh", "help_en"]
    assert all(line.startswith("fresh.open-day.announce：") and "placeholder" in line for line in told)

    space: dict[str, object] = {"__name__": "fresh.written"}
    exec(compile(written, str(file), "exec"), space)
    (kept,) = [value for value in space.values() if isinstance(value, MatterType)]
    assert unwritten(kept) == []


def test_any_other_folder_is_no_source_tree(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not the root"):
        write_matter(tmp_path, NAME, ZH, EN)
