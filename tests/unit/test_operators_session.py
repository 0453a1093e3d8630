"""No command is forgotten where everything that an operator sees is searched (`tests/operators_session.py`)."""

from __future__ import annotations

from string import Formatter

from tests.command_tree import COMMANDS
from tests.operators_session import PLACES, SESSION, NotTyped, Typed

TYPED = {command: one for command, one in SESSION.items() if isinstance(one, Typed)}


def test_every_command_is_in_the_session_or_says_why_not() -> None:
    assert sorted(SESSION) == sorted(COMMANDS)
    assert all(one.why for one in SESSION.values() if isinstance(one, NotTyped))


def test_only_options_that_there_are_and_places_that_are_filled() -> None:
    for command, one in TYPED.items():
        known = {name for option in COMMANDS[command].params for name in (*option.opts, *option.secondary_opts)}
        for line in one.said(command):
            assert {word for word in line.split() if word.startswith("-")} <= known, line
            assert {name for _, name, _, _ in Formatter().parse(line) if name is not None} <= set(PLACES), line


def test_a_command_that_has_json_is_typed_with_it_too() -> None:
    assert SESSION["request show"] == TYPED["request show"]
    assert TYPED["request show"].said("request show")[-1] == "request show {dead} --json"
    with_json = [command for command in TYPED if any("--json" in line for line in TYPED[command].said(command))]
    assert "law list" in with_json and "participants check" not in with_json


def test_what_may_show_a_person_says_why() -> None:
    assert sorted(command for command, one in TYPED.items() if one.shows) == ["db backup", "quarantine show"]
