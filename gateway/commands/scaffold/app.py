"""`lianzhi new matter | kind | participant`: writes the files of an extension, complete at once, to be
changed by hand.
"""

from __future__ import annotations

import typer

from gateway.commands.scaffold.new_kind import new_kind
from gateway.commands.scaffold.new_matter import new_matter
from gateway.commands.scaffold.new_participant import new_participant

new_app = typer.Typer(help="新建：写出完整的文件，再改 Write what is complete, to be changed", no_args_is_help=True)
new_app.command("matter")(new_matter)
new_app.command("kind")(new_kind)
new_app.command("participant")(new_participant)
