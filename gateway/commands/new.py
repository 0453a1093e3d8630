"""For whoever extends: `new matter`. What it writes is complete at once, and then changed by hand."""

from __future__ import annotations

import typer

from gateway.commands.new_matter import new_matter

new_app = typer.Typer(help="新建：写出完整的文件，再改 Write what is complete, to be changed", no_args_is_help=True)
new_app.command("matter")(new_matter)


@new_app.callback()
def _named() -> None:
    """Typer takes a group of one command for that command."""
