"""The command `lianzhi` with everything that the installed distributions add to it, as a tree to walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from gateway.cli import add_commands
from lianzhi.cli import court, partner


def application() -> typer.Typer:
    app = typer.Typer()
    app.add_typer(partner.app, name="partner")
    app.command()(court.submit)
    app.add_typer(court.request_app, name="request")
    app.add_typer(court.case_app, name="case")
    add_commands(app)
    return app


COMMAND: Any = typer.main.get_command(application())


def _leaves(command: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not (below := getattr(command, "commands", None)):
        yield " ".join(way), command
        return
    for name, one in below.items():
        yield from _leaves(one, (*way, name))


COMMANDS: Mapping[str, Any] = dict(_leaves(COMMAND))
"""`request list` → the command that does it, of all that do something."""


def options_of(command: str) -> set[str]:
    """Its options, as `--json`."""
    return {name for one in COMMANDS[command].params for name in (*one.opts, *one.secondary_opts) if name[:2] == "--"}
