"""Writes a backup: under a temporary name, to the disk, then renamed; memory does not depend on its size."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from gateway.archive.manifest import DOCUMENTS, MANIFEST, NAMED, Documents, FileEntry, Manifest
from lianzhi.errors import ConfigurationError
from lianzhi.files import FILE_MODE, private_file, private_folder

SUFFIX, PREFIX, PARTIAL = ".tar", "lianzhi-", ".lianzhi-backup-"
_PIECE = 1 << 20


class BackupWriter:
    """work: a folder beside the backup-to-be for what has to be made before it can be put in."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._path = work / f"backup{SUFFIX}"
        private_file(self._path)
        self._tar: Any = tarfile.open(self._path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `finish` closes it
        self._since = int(work.stat().st_mtime)
        self._files: list[FileEntry] = []
        self._digests = hashlib.sha256()
        self._count = self._bytes = self._missing = self._damaged = 0
        self._named: list[str] = []

    def add(self, name: str, path: Path) -> None:
        """A file as it is. Raises OSError."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._files.append(FileEntry(name=name, size=size, sha256=self._put(name, file, size)))

    def add_document(self, sha256: str, path: Path) -> None:
        """One that is not there, or is not what its name says, is counted and told, and the backup goes on: the other
        files are worth having."""
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                whole = _digest(file) == sha256
                if whole:
                    file.seek(0)
                    whole = self._put(f"{DOCUMENTS}{sha256[:2]}/{sha256}", file, size) == sha256
        except FileNotFoundError:
            self._missing += 1
        else:
            if whole:
                self._count += 1
                self._bytes += size
                self._digests.update(f"{sha256}\n".encode())
                return
            self._damaged += 1
        if len(self._named) < NAMED:
            self._named.append(sha256)

    def documents(self) -> Documents:
        """What was put in so far."""
        return Documents(
            count=self._count, bytes=self._bytes, digest=self._digests.hexdigest(), missing=self._missing,
            damaged=self._damaged, named=self._named,
        )  # fmt: skip

    def files(self) -> list[FileEntry]:
        return list(self._files)

    def finish(self, manifest: Manifest) -> Path:
        """The whole backup, on the disk; still under its temporary name."""
        content = manifest.model_dump_json(indent=1).encode() + b"\n"
        self._put(MANIFEST, io.BytesIO(content), len(content))
        self._tar.close()
        _to_disk(self._path)
        return self._path

    def _put(self, name: str, file: IO[bytes], size: int) -> str:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, FILE_MODE, self._since
        reader = _Hashing(file)
        self._tar.addfile(info, reader)
        self._tar.members = []  # it would remember each of a million
        return reader.digest.hexdigest()


class _Hashing:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def writing(folder: Path) -> Iterator[BackupWriter]:
    """A backup that will stand in `folder`. Whatever ends the block, nothing temporary stays; what an earlier run left
    that was killed is removed. Raises OSError."""
    private_folder(folder)
    _sweep(folder)
    work = folder / f"{PARTIAL}{secrets.token_hex(8)}"
    private_folder(work)
    lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield BackupWriter(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _sweep(folder: Path) -> None:
    """The kernel has given back the lock of whoever was killed."""
    for left in folder.glob(f"{PARTIAL}*"):
        with suppress(OSError):
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(lock)


def place(finished: Path, out: Path, at: datetime) -> Path:
    """Gives a finished backup its name: `out` where that ends in `.tar`, else one of its own in the folder `out`.

    Raises ConfigurationError: a file of that name exists.
    """
    if out.suffix == SUFFIX:
        _name(finished, out)
        return out
    stem = f"{PREFIX}{at:%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        named = out / (f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number:03d}{SUFFIX}")
        with suppress(ConfigurationError):
            _name(finished, named)
            return named
    raise ConfigurationError(f"{out / stem}{SUFFIX}：同名备份过多。 Too many backups of this name.")


def _name(finished: Path, target: Path) -> None:
    """One backup at a time gets its name in a folder. (No hard link: a removable disk may know none.)"""
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(target):
            raise ConfigurationError(f"{target}：已存在，不覆盖。 Exists already; nothing was overwritten.")
        finished.rename(target)
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_older(folder: Path, keep: int) -> list[Path]:
    """All but the newest `keep` complete backups of this folder, by the moment in their names; anything else stays."""
    found = sorted(folder.glob(f"{PREFIX}[0-9]*T[0-9]*Z*{SUFFIX}"))
    older = found[: max(0, len(found) - keep)]
    for path in older:
        path.unlink()
    return older


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
