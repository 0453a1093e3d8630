"""Every `lianzhi …` command that the handbook names exists, with its options; every problem code has a remedy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lianzhi.problem import REASONS
from tests.command_tree import COMMAND
from tools.docs.problems import SECTIONS, problems_document
from tools.docs.remedies import REMEDIES

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook"
PAGES = sorted(HANDBOOK.glob("*.md"))
PROGRAM = re.compile(r"(?:^\s*|/bin/|\w=\S*\s+|\$\([^)]*\)\s+)lianzhi ([a-z-].*)$")
"""The program itself, alone or after variables: not a user, a service or a package of that name."""
FENCE = re.compile(r"^ *```(?:bash|sh|text|cron|ini)\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`([^`\n]*\blianzhi [a-z-][^`\n]*)`")


def lines_of(text: str) -> Iterator[str]:
    """What a reader would paste: lines of the blocks, and what stands in backquotes."""
    for block in FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from INLINE.findall(re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S))


def calls(line: str) -> Iterator[list[str]]:
    """The words after each `lianzhi` of a line, up to a pipe, a redirection or a comment."""
    for part in re.split(r"&&|\|\||;| \| ", re.sub(r"(^|\s)#.*$", "", line)):
        if found := PROGRAM.search(part):
            words = found[1].rstrip("…").strip()
            try:
                split = shlex.split(words)
            except ValueError:
                split = words.split()
            yield split


def wrong_in(words: list[str]) -> str | None:
    """Why this is no command that there is; None where it is."""
    command: Any = COMMAND
    while words and getattr(command, "commands", None) is not None:
        if words[0].startswith("-"):
            return None if words[0] in ("--help", "--version") else f"no option {words[0]}"
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    said = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    unknown = [word for word in said if word not in known]
    return f"no option {' '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_the_handbook_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = [(line.strip(), wrong_in(words)) for line in lines_of(text) for words in calls(line)]
    assert [one for one in found if one[1] is not None] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("lianzhi quarantine forget 1", "no command forget"),
        ("x=1 lianzhi pause --partner P --because x", "no option --because"),
        ("lianzhi frobnicate", "no command frobnicate"),
        ("lianzhi --fast", "no option --fast"),
        ("/usr/local/bin/lianzhi db backup --out F --keep 14 >log 2>&1", None),
    ],
)
def test_what_is_wrong_is_found(line: str, why: str | None) -> None:
    assert [wrong_in(words) for words in calls(line)] == [why]


def test_the_pages_name_many_commands() -> None:
    """The patterns above see what a reader sees."""
    seen = {
        " ".join(words[:2]) for page in PAGES for line in lines_of(page.read_text("utf-8")) for words in calls(line)
    }
    assert {
        "init --court",
        "broker apply",
        "participants package",
        "dead replay",
        "staff leave",
        "quarantine retry",
    } <= seen


def test_every_problem_code_has_a_remedy_and_stands_on_the_page_once() -> None:
    assert set(REMEDIES) == set(REASONS)
    assert all(one.zh and one.en for one in REMEDIES.values())
    rows = re.findall(r"^\| `([a-z-]+)` \|", problems_document(), re.M)
    assert rows == list(REASONS)
    assert set(SECTIONS) <= set(REASONS)
