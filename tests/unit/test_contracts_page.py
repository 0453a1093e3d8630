"""docs/contracts.md names the calls of the API and the commands that there are, all of them and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer

from gateway.cli import add_commands
from gateway.http.description.operations import OPERATIONS
from lianzhi.cli import court, partner

PAGE = Path("docs/contracts.md").read_text(encoding="utf-8")
HEADINGS = [(found.start(), found[1]) for found in re.finditer(r"^## (3\.\d) ", PAGE, re.M)]
SECTIONS = {number: PAGE[start:end] for (start, number), (end, _) in pairwise([*HEADINGS, (len(PAGE), "")])}


def test_the_sections_keep_the_numbers_that_the_code_cites() -> None:
    assert list(SECTIONS) == ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6"]


def test_every_call_of_the_api_stands_on_the_page() -> None:
    written = set(re.findall(r"`(GET|POST|PUT) (/[^`?]+)", SECTIONS["3.3"]))
    assert written == {(operation.method, operation.path) for operation in OPERATIONS}


def test_every_command_stands_on_the_page() -> None:
    app = typer.Typer()
    app.add_typer(partner.app, name="partner")
    app.command()(court.submit)
    app.add_typer(court.request_app, name="request")
    app.add_typer(court.case_app, name="case")
    add_commands(app)
    written, there = set(named(SECTIONS["3.4"])), set(commands(typer.main.get_command(app)))
    assert not there - written, f"docs/contracts.md 3.4 须加上 add: {sorted(there - written)}"
    assert not written - there, f"docs/contracts.md 3.4 须去掉 take out: {sorted(written - there)}"


def named(section: str) -> Iterator[str]:
    """`db migrate|restored` names two."""
    for words in re.findall(r"`([a-z][a-z| -]+)`", section):
        *group, last = words.split()
        yield from (" ".join([*group, one]) for one in last.split("|"))


def commands(command: Any, path: str = "") -> Iterator[str]:
    """Those of a group, or the command itself."""
    if (inner := getattr(command, "commands", None)) is not None:
        for name, one in inner.items():
            yield from commands(one, f"{path} {name}".strip())
    else:
        yield path
