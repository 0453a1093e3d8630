"""Files that a person wrote: encodings, lines, and what a password file may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianzhi.errors import ConfigurationError
from lianzhi.text_files import line_of_member, read_secret, read_text, read_toml

TOML = """code = "x"
# [name]
[name]
zh = "x"
[[staff]]
no = "1"
[staff.contact]
mail = "a"
[[staff]]
no = "2"
roles = []
[staff.contact]
mail = "b"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "written"


@pytest.mark.parametrize("content", ["甲乙".encode(), "\ufeff甲乙".encode()])
def test_utf_8_with_or_without_the_mark(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_text(path) == "甲乙"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a\n甲乙\n".encode("gb18030"), r"written:2：.*GB18030"),
        ("甲".encode("utf-16"), "UTF-16"),
        (b"a\nb\n\xff\xff", r"written:3：不是 UTF-8，"),
    ],
)
def test_another_encoding_is_told_and_never_guessed(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=told):
        read_text(path)


def test_a_fault_of_toml_has_its_line(path: Path) -> None:
    path.write_text("a = 1\nb = \n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="written:2："):
        read_toml(path)


@pytest.mark.parametrize(
    ("written", "secret"),
    [("word\n", "word"), ("word", "word"), (" word \r\n", " word "), ("\ufeff口令\n", "口令")],
)
def test_of_a_password_one_line_end_is_taken_off(path: Path, written: str, secret: str) -> None:
    path.write_text(written, encoding="utf-8", newline="")
    assert read_secret(path) == secret


@pytest.mark.parametrize("written", ["", "\n", "first\nsecond\n", "word\n\n", "w\x00rd"])
def test_what_is_no_password_is_refused_and_not_repeated(path: Path, written: str) -> None:
    path.write_text(written, encoding="utf-8", newline="")
    with pytest.raises(ConfigurationError) as told:
        read_secret(path)
    assert "first" not in str(told.value)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("code",), ":1"),
        (("name", "zh"), ":4"),
        (("name", "en"), ":3"),
        (("staff", 0, "contact", "mail"), ":8"),
        (("staff", 1, "contact", "mail"), ":13"),
        (("staff", 1, "roles", 0), ":11"),
        (("staff", 1, "name"), ":9"),
        (("missing",), ""),
    ],
)
def test_the_line_of_a_member(place: tuple[str | int, ...], line: str) -> None:
    assert line_of_member(TOML, place) == line
