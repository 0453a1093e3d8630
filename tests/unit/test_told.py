"""What pydantic refuses in somebody's file is said in Chinese first, English beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from gateway.registry.calendars import read_year
from gateway.registry.config import FILE, load_config
from gateway.registry.participants import form_of
from lianzhi.errors import ConfigurationError
from lianzhi.protocol import rules
from lianzhi.protocol.rules import all_told, broken, told

BOTH = re.compile(r"[\u4e00-\u9fff][^a-zA-Z]*.*[a-zA-Z]", re.DOTALL)
NAMED = {*rules.BY_TYPE, *rules._IN_FILES} - {"path_type"}  # noqa: SLF001 (the table itself; pydantic raises that one beside its core)


@pytest.mark.parametrize("known", list_all_errors(), ids=lambda known: str(known["type"]))
def test_every_error_that_pydantic_knows_is_told_in_both_languages(known: dict[str, object]) -> None:
    words = told(
        {"type": known["type"], "ctx": known.get("example_context") or {}, "msg": "值 Value error, in English"}
    )
    assert BOTH.match(words), words
    assert "{" not in words.replace(str(known.get("example_context")), "")


def test_every_type_that_has_words_is_one_of_pydantics() -> None:
    assert {str(known["type"]) for known in list_all_errors()} >= NAMED


def test_our_own_rules_are_told_by_their_texts() -> None:
    class Model(BaseModel):
        day: int

    error = ValidationError.from_exception_data("x", [{"type": broken("uscc-form"), "loc": ("uscc",), "input": "91"}])
    assert all_told(error) == f"uscc: {rules.RULES['uscc-form'].zh} {rules.RULES['uscc-form'].en}"
    with pytest.raises(ValidationError) as wrong:
        Model.model_validate({"day": "138001380" * 3 + "x"})
    assert "138001380" not in all_told(wrong.value)


def config(folder: Path) -> object:
    (folder / FILE).write_text("[store]\nurl = 7\n[colour]\n", "utf-8")
    return load_config(folder)


def calendar(folder: Path) -> object:
    (folder / "2027.toml").write_text('year = 1999\nnotice = "x"\nrest = ["soon"]\nwork = []\n', "utf-8")
    return read_year(folder / "2027.toml")


def participant(folder: Path) -> object:
    return form_of(folder / "x.toml", json.loads('{"code": 7, "colour": "red"}'))


@pytest.mark.parametrize("read", [config, calendar, participant])
def test_a_file_with_mistakes_names_each_in_both_languages(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(tmp_path)
    _, _, where = str(error.value).partition(": ")
    assert where and "Input should" not in where and "Field required" not in where
    for fault in where.split("；"):
        assert BOTH.search(fault.partition(": ")[2] or fault), fault
