"""Paths and modes of the court system's files: spool, keys, token. Only their owner may read them, whatever
the umask.
"""

from __future__ import annotations

import logging
from pathlib import Path

from lianzhi.files import Modes, Places, holds_only, put_right, sqlite_files, told

_log = logging.getLogger("lianzhi.client")


def places(spool: Path, folder: Path | None = None, files: tuple[Path, ...] = ()) -> Places:
    """folder, files: where `client.toml` lies, it and its secrets. Of the host's folders only those where nothing lies
    but what is ours: that one, and the spool's."""
    every = (*sqlite_files(spool), *files)
    folders = {folder or spool.parent, spool.parent}
    ours = sorted(one for one in folders if holds_only(one, {path.name for path in every}))
    return Places(folders=tuple(ours), files=every)


def close(where: Places) -> Modes:
    """Puts right what an earlier version or an open umask left, and says so, in counts."""
    modes = put_right(where)
    if modes.open:
        zh, en = told(modes)
        _log.warning("%s，现已收回。 %s; they are closed now.", zh, en)
    return modes
