"""`lianzhi`: the commands of a partner and of a court system; whatever else is installed beside adds its own.

A distribution adds commands by an entry point of the group `lianzhi.commands`: a function that takes the Typer app.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution, entry_points
from typing import Annotated

import typer

from lianzhi.cli import court, output, partner
from lianzhi.cli.help import command_of
from lianzhi.cli.streams import prepare
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.files import close_process

GROUP = "lianzhi.commands"

app = typer.Typer(
    name="lianzhi",
    help="联执：法院与协助执行单位之间的签名交换 Signed exchange between courts and the agencies that help them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(partner.app, name="partner", help="合作单位一侧 The partner's side")
app.command()(court.submit)
app.add_typer(court.request_app, name="request")
app.add_typer(court.case_app, name="case")


def _tell_versions(asked: bool) -> None:
    """The installed distributions and their versions: the library's, and of each that adds commands."""
    if not asked:
        return
    adding = {point.dist.name for point in entry_points(group=GROUP) if point.dist}
    for name in sorted({"lianzhi", *adding}):
        typer.echo(f"{name} {distribution(name).version}")
    raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_versions, is_eager=True, help="各发行包的版本 Installed versions."),
    ] = False,
) -> None:
    """What stands before a command; nothing but `--version`, which answers and ends."""


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 found wrong, 2 misuse. Whatever a command writes is its user's alone."""
    close_process()
    prepare()
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        point.load()(app)
    try:
        command_of(app)()
    except ConfigurationError as error:
        output.problems.paragraph(str(error), later="  ", style="red")
        sys.exit(output.MISUSE)
    except StoreUnavailableError as error:
        output.problems.paragraph(output.said(error), later="  ", style="red")
        sys.exit(output.FOUND_WRONG)
