"""Makes files and folders that only their owner may read, and corrects the modes of those that exist.

What stands in them are names, identity numbers, plates, keys and passwords. The rule is folders 700 and files 600,
whatever the umask: a mode is given when a thing is made, never corrected afterwards alone, because in between anybody
could have opened it. A library does not change the umask of its host's process; the gateway's own processes set it
(`close_process`), so that what other libraries write for them is closed as well.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077
SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""SQLite gives the files beside a database the database's own mode (sqlite.org, unix VFS, findCreateFileMode)."""
WAL_BYTES = 16 << 20
"""What SQLite's write-ahead log is cut back to once its content is in the database; a peak would stay on the disk."""


def close_process() -> None:
    """For a process that is ours from its first instruction: nothing that it or its children make is open to others."""
    os.umask(OTHERS)


def private_folder(path: Path) -> None:
    """Makes the folder and what is missing above it, each 700. One that exists is left. Raises OSError."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
            folder.chmod(FOLDER_MODE)  # a umask may have taken even our own bits


def private_file(path: Path) -> None:
    """Makes an empty file, 600, unless there is one: for a library that opens it by its name. Raises OSError.

    An existing file is not opened: closing it again would drop the locks that SQLite holds in this process.
    """
    with suppress(FileExistsError):
        os.close(_created(path))


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all: a temporary file, 600, flushed, then renamed. What is not a regular file (a pipe, a device,
    a link) is written through its name. Raises OSError."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(content)
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(_created(temporary), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name that the caller knows
    finally:
        temporary.unlink(missing_ok=True)


def _created(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), FILE_MODE)
    if sys.platform != "win32":
        os.fchmod(descriptor, FILE_MODE)
    return descriptor


@dataclass(frozen=True, slots=True)
class Places:
    """What belongs to an installation. home: its folder, with what lies directly in it, unless others have business
    there (`is_shared`). inside: names of those folders in it that are ours with all that lies in them. folders, files:
    single ones, wherever they are. papers: the folder of documents, if there is one. doors: names of folders in home
    through which a group comes in by design; they keep their modes, and the group may pass through home without
    reading it.
    """

    home: Path | None = None
    inside: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    papers: Path | None = None
    doors: tuple[str, ...] = ()


@dataclass(slots=True)
class Modes:
    """What was found open to others. folders, files: how many. foreign: how many of them belong to somebody else or
    cannot be changed. home_shared: the installation's folder is not its own."""

    folders: int = 0
    files: int = 0
    foreign: int = 0
    home_shared: bool = False
    _mend: bool = field(default=False, repr=False)
    _counted: set[Path] = field(default_factory=set, repr=False)

    @property
    def open(self) -> bool:
        return bool(self.folders or self.files)

    def look(self, path: Path, others: int = OTHERS) -> bool:
        """Whether `path` is a folder. One that is open to others is counted, and closed where that is asked for.
        others: the bits that must not be there.

        A symbolic link is neither followed nor changed: what it leads to is not ours to judge.
        """
        try:
            found = path.lstat()
        except OSError:
            return False
        folder = stat.S_ISDIR(found.st_mode)
        if (folder or stat.S_ISREG(found.st_mode)) and found.st_mode & others and path not in self._counted:
            self._counted.add(path)
            if folder:
                self.folders += 1
            else:
                self.files += 1
            ours = found.st_uid == os.geteuid()
            if not ours or (self._mend and not _closed(path)):
                self.foreign += 1
        return folder


def sqlite_files(database: Path) -> tuple[Path, ...]:
    """The database and whatever stands beside it, with the lock that earlier versions left there."""
    suffixes = (*SQLITE_SUFFIXES, ".lock", ".lock-journal")
    return tuple(database.with_name(database.name + suffix) for suffix in suffixes)


def told(modes: Modes) -> tuple[str, str]:
    """What was found, in counts, Chinese and English."""
    zh = f"{modes.folders} 个文件夹、{modes.files} 个文件曾对其他用户开放"
    en = f"{modes.folders} folders and {modes.files} files were open to other users"
    if modes.foreign:
        zh += f"，其中 {modes.foreign} 个属主不是本用户或改不了，请以属主身份 chmod"
        en += f"; {modes.foreign} of them belong to somebody else or cannot be changed: chmod them as their owner"
    return zh, en


def open_to_others(places: Places) -> Modes:
    """What another user of this machine could read."""
    return _looked_at(places, Modes())


def put_right(places: Places) -> Modes:
    """Takes the group's and everybody's bits from it. What was found is told by the caller, in counts."""
    return _looked_at(places, Modes(_mend=True))


def _looked_at(places: Places, modes: Modes) -> Modes:
    if sys.platform == "win32":
        return modes
    if places.home is not None and places.home.is_dir():
        home = places.home.resolve()
        modes.home_shared = is_shared(home)
        if not modes.home_shared:
            modes.look(home, OTHERS & ~stat.S_IXGRP if places.doors else OTHERS)
            for path in _entries(home):
                if path.name not in places.doors:
                    modes.look(path)
        for name in places.inside:
            _tree(home / name, modes.look)
    for folder in places.folders:
        modes.look(folder)
    for path in places.files:
        if _is_ours(path):  # a secret may be the system's, mounted into a container
            modes.look(path)
    if places.papers is not None:
        _papers(places.papers, modes)
    return modes


def is_shared(folder: Path) -> bool:
    """Whether others have business there: one that is not our user's, one like /tmp, the user's home, the system's own
    (FHS 3.0). An administrator may have put an installation into any of them; closing it would stop the machine."""
    found, path = folder.stat(), folder.resolve()
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
        return True
    return path == Path.home() or path in _SYSTEM or path.parent in _OF_SYSTEM


_OF_SYSTEM = frozenset(map(Path, ("/usr", "/usr/local", "/usr/share", "/var")))
_TOP = (
    *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt", "proc"),
    *("root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
)
_SYSTEM = frozenset({Path("/"), *(Path("/") / name for name in _TOP)})


def holds_only(folder: Path, names: Iterable[str]) -> bool:
    """Whether nothing lies in the folder but files of these names, keys, configurations: then it is ours to close."""
    known = set(names)

    def is_ours(path: Path) -> bool:
        return path.name in known or path.suffix in (".jwk", ".toml") or path.name.endswith(".jwks.json")

    return folder.is_dir() and not is_shared(folder) and all(map(is_ours, _entries(folder)))


def _papers(root: Path, modes: Modes) -> None:
    """There may be a million. A folder of them that is closed was closed after all that lay in it, so it is passed
    over; the root is closed first, so nobody reaches the others meanwhile."""
    if root.is_symlink() or not modes.look(root):
        return
    for folder in _entries(root):
        if folder.is_symlink() or not folder.is_dir():
            modes.look(folder)
        elif folder.stat().st_mode & OTHERS:
            _tree_below(folder, modes.look)
            modes.look(folder)


def _tree(path: Path, look: Callable[[Path], bool]) -> None:
    if look(path):
        _tree_below(path, look)


def _tree_below(folder: Path, look: Callable[[Path], bool]) -> None:
    for path in _entries(folder):
        _tree(path, look)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_ours(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.geteuid()
    except OSError:
        return False


def _closed(path: Path) -> bool:
    """By a descriptor that was opened without following a link, and that holds no lock of SQLite (O_PATH: open(2))."""
    try:
        if sys.platform != "linux":
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
            return True
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            os.chmod(f"/proc/self/fd/{descriptor}", mode & ~OTHERS)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True
