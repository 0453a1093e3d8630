"""Which files of an installation's folder a backup holds, so that a new machine can go on with them, and when the last
one was made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gateway.registry.config import FILE, Config
from gateway.registry.installation import HASH_KEY
from gateway.registry.law_files import LAW
from gateway.registry.participants import PARTICIPANTS, PRIVATE_KEYS
from lianzhi.files import write_private

LAST_BACKUP = "last-backup"
"""One line beside the configuration, for `lianzhi doctor`."""
PUBLIC = (PARTICIPANTS, "keys", LAW)


def kept_files(config: Config, *, keys: bool) -> list[tuple[str, Path]]:
    """(path relative to the folder, file), in order. keys: also what must stay secret: the private keys, the key of the
    hashes, and password files that lie in the folder. What was made for others (`handover/`) is theirs.

    `lianzhi.toml` is kept as it is, with a password where somebody wrote one into an address.
    """
    folder = config.folder
    private = folder / PRIVATE_KEYS
    found = {folder / FILE}
    for part in PUBLIC:
        found |= {path for path in (folder / part).rglob("*") if path.is_file() and not path.is_relative_to(private)}
    if keys:
        found |= {path for path in private.rglob("*") if path.is_file()}
        found |= {path for name in secret_names(config) if (path := folder / name).is_file()}
    relative = sorted((path.relative_to(folder).as_posix(), path) for path in found if path.is_relative_to(folder))
    return [(name, path) for name, path in relative if ".." not in Path(name).parts]


def secret_names(config: Config) -> list[str]:
    """The key of the hashes and the password files, as the configuration names them."""
    notify = config.notify
    named = [HASH_KEY, config.broker.password_file]
    named += [] if notify.webhook is None else [notify.webhook.secret_file]
    named += [] if notify.mail is None else [notify.mail.password_file]
    named += [one.secret_file for one in config.alerts.webhook.values()]
    return [name for name in named if name]


def missing_secrets(config: Config) -> list[str]:
    """What the gateway needs and is not in the folder: brought by hand after a restore from a backup without keys."""
    folder = config.folder
    missing = [name for name in secret_names(config) if not (folder / name).is_file()]
    if not any((folder / PRIVATE_KEYS).glob("*.jwk")):
        missing.append(f"{PRIVATE_KEYS}/*.jwk")
    return missing


def note_backup(folder: Path, at: datetime) -> None:
    """at: aware. Raises OSError."""
    write_private(folder / LAST_BACKUP, (at.astimezone(UTC).isoformat(timespec="seconds") + "\n").encode())


def last_backup(folder: Path) -> datetime | None:
    """None: never, or nobody can read when."""
    try:
        found = datetime.fromisoformat((folder / LAST_BACKUP).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo is not None else None
