"""Paths and modes of the gateway's files: keys, passwords, database, documents. Only their owner may read them."""

from __future__ import annotations

from pathlib import Path

from gateway.registry.config import FILE, Config
from gateway.registry.installation import HANDOVER, HASH_KEY
from gateway.registry.law_files import LAW
from gateway.registry.participants import PARTICIPANTS
from lianzhi.files import Places, sqlite_files

KEYS = "keys"
RUN = "run"
"""Where the operators' socket stands; its modes are `gateway.http.operating.place`'s."""
_SQLITE = "sqlite:///"


def places(config: Config) -> Places:
    """The installation's folder, and what the configuration puts elsewhere: a database, documents, secret files."""
    folder = config.folder
    database: tuple[Path, ...] = ()
    if config.store_url.startswith(_SQLITE):
        database = sqlite_files(Path(config.store_url.removeprefix(_SQLITE)))
    return Places(
        home=folder,
        inside=(PARTICIPANTS, KEYS, HANDOVER, LAW),
        files=(folder / FILE, folder / HASH_KEY, *(folder / name for name in config.secret_files), *database),
        papers=config.documents_folder,
        doors=(RUN,),
    )
