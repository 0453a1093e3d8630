"""What a private node loads from: RabbitMQ's own plugins and libraries, without those that it does not run.

Erlang looks for a module in one directory after another, and RabbitMQ puts all of its some seventy on the path: 50,000
files that are not there are opened at each start. With the third that is needed, a node starts in three seconds in
place of five.
"""

from __future__ import annotations

import re
from pathlib import Path

_APPLICATIONS = re.compile(r"\{applications,\s*\[([^\]]*)\]")
_ROOTS = ("rabbit", "rabbitmq_management")


def link_needed(plugins: Path, target: Path) -> None:
    """Make `target` a folder of links to those of `plugins` (of one server) that a node with management needs.

    What needs what is said by each application's resource file (app(4)).
    """
    folders: dict[str, Path] = {}
    needs: dict[str, list[str]] = {}
    for resource in plugins.glob("*/ebin/*.app"):
        found = _APPLICATIONS.search(resource.read_text("utf-8"))
        folders[resource.stem] = resource.parents[1]
        needs[resource.stem] = re.findall(r"\w+", found[1]) if found else []
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in target.iterdir():  # of a server that was here before
        old.unlink()
    for name in _closure(needs):
        (target / folders[name].name).symlink_to(folders[name])


def _closure(needs: dict[str, list[str]]) -> set[str]:
    """The roots and all they need; what is not in the folder is part of Erlang."""
    found: set[str] = set()
    waiting = list(_ROOTS)
    while waiting:
        name = waiting.pop()
        if name in needs and name not in found:
            found.add(name)
            waiting += needs[name]
    return found
