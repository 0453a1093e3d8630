"""Paths and modes of the partner's files: ledger, keys, password. Only their owner may read them, whatever
the umask.
"""

from __future__ import annotations

import logging

from lianzhi.files import Modes, Places, holds_only, put_right, sqlite_files, told
from lianzhi.partner.config import PartnerConfig

_log = logging.getLogger(__name__)


def places(config: PartnerConfig) -> Places:
    """Of the host's folders only those where nothing lies but what is ours: that of `partner.toml`, the ledger's."""
    ledger = sqlite_files(config.ledger)
    named = tuple(path for path in config.files if path.parent == config.folder)
    files = (*ledger, *config.secret_files, *named)
    folders = {config.folder or config.ledger.parent, config.ledger.parent}
    ours = sorted(folder for folder in folders if holds_only(folder, {path.name for path in files}))
    return Places(folders=tuple(ours), files=files)


def close(config: PartnerConfig) -> Modes:
    """Puts right what an earlier version or an open umask left, and says so, in counts."""
    modes = put_right(places(config))
    if modes.open:
        zh, en = told(modes)
        _log.warning("%s，现已收回。 %s; they are closed now.", zh, en)
    return modes
