"""The passwords of broker users: the gateway's own in `broker.password`, one for each partner in its `handover/`.

Each is made once, 600, before the broker is told; whoever holds the file needs to ask nobody.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import tomlkit
from tomlkit.items import Table

from gateway.registry.config import FILE, Config, load_config
from gateway.registry.installation import BROKER_PASSWORD, HANDOVER, PASSWORD_BYTES, write_secret, write_text
from lianzhi.text_files import read_secret, read_text

PARTNER_PASSWORD = "amqp.password"  # noqa: S105 (the name of its file)


def gateway_password(config: Config) -> str | None:
    """What the gateway logs in with; made, and named in `lianzhi.toml`, where neither address nor file has it. None: it
    logs in by a certificate. Raises ConfigurationError."""
    if not config.broker.has_password:
        return None
    if config.broker.password is not None and config.broker.password_file is None:
        return config.broker.password
    if config.broker.password_file is None:
        _name_own_file(config.folder)
        config = load_config(config.folder)
    name = config.broker.password_file or BROKER_PASSWORD
    path = config.folder / name
    if not path.exists() and not Path(name).is_absolute():
        write_secret(path, new_password() + "\n")
    return config.secret(name)


def _name_own_file(folder: Path) -> None:
    """`[broker] password_file`, beside what stands there."""
    document = tomlkit.parse(read_text(folder / FILE))
    section = document.setdefault("broker", tomlkit.table())
    assert isinstance(section, Table)
    section["password_file"] = BROKER_PASSWORD
    write_text(folder / FILE, tomlkit.dumps(document))


def partner_password_file(folder: Path, code: str) -> Path:
    """To be handed to the partner, and deleted here then."""
    return folder / HANDOVER / code / PARTNER_PASSWORD


def partner_password(folder: Path, code: str) -> str:
    """What lies ready for the partner; made where nothing does. Raises ConfigurationError."""
    path = partner_password_file(folder, code)
    if not path.exists():
        write_secret(path, new_password() + "\n")
    return read_secret(path)


def new_password() -> str:
    """32 characters that need no quoting in an address."""
    return secrets.token_urlsafe(PASSWORD_BYTES)
