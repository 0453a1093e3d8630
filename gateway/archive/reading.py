"""Reads a backup: checks that it is whole, and unpacks it piece by piece. A file that no backup holds is refused."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from gateway.archive.manifest import DATABASES, MANIFEST, MOST, FileEntry, Manifest, document_of, is_lawful
from lianzhi.errors import ConfigurationError
from lianzhi.protocol.rules import all_told

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup. pieces: its bytes, once, before the next member is asked for. sha256: where it is a
    document, the digest that its name says."""

    name: str
    size: int
    pieces: Iterator[bytes]
    sha256: str | None


def members(path: Path) -> Iterator[Member]:
    """Every file of it, in order, unverified. Raises ConfigurationError (not a backup), OSError."""
    tar: Any
    with _whole(path), tarfile.open(path, "r|") as tar:
        while (info := tar.next()) is not None:
            tar.members = []  # it would remember each of a million
            file = tar.extractfile(info) if info.isreg() and is_lawful(info.name) else None
            if file is None:
                raise _wrong(path, f"不应有的文件 {info.name!r}", f"a file that no backup holds, {info.name!r}")
            yield Member(info.name, info.size, _pieces(path, file), document_of(info.name))


def _pieces(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    with _whole(path):
        while piece := file.read(_PIECE):
            yield piece


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise _wrong(path, "不是完整的备份文件", f"not a whole backup ({type(error).__name__})") from error


def verified(path: Path) -> Manifest:
    """What the backup holds, after every byte of it has been compared with the manifest.

    Raises ConfigurationError that names what is wrong; OSError.
    """
    entries: list[FileEntry] = []
    digests, count, size, manifest = hashlib.sha256(), 0, 0, None
    for member in members(path):
        if manifest is not None:
            raise _wrong(path, f"清单之后还有 {member.name}", f"{member.name} stands behind the manifest")
        if member.name == MANIFEST:
            manifest = _manifest(path, member)
            continue
        digest = hashlib.sha256()
        for piece in member.pieces:
            digest.update(piece)
        if member.sha256 is None:
            entries.append(FileEntry(name=member.name, size=member.size, sha256=digest.hexdigest()))
        elif digest.hexdigest() != member.sha256:
            raise _wrong(path, f"文书 {member.sha256} 已损坏", f"document {member.sha256} is damaged")
        else:
            count, size = count + 1, size + member.size
            digests.update(f"{member.sha256}\n".encode())
    if manifest is None:
        raise _wrong(path, "没有清单，备份不完整", "no manifest: it is not complete")
    _compare(path, manifest, entries)
    held = manifest.documents
    if (count, size, digests.hexdigest()) != (held.count, held.bytes, held.digest):
        zh = f"应有 {held.count} 份文书，实有 {count} 份或内容不符"
        raise _wrong(path, zh, f"{held.count} documents are listed, {count} are there, or others")
    return manifest


def _manifest(path: Path, member: Member) -> Manifest:
    if member.size > MOST:
        raise _wrong(path, "清单过大", "the manifest is too large")
    try:
        return Manifest.model_validate_json(b"".join(member.pieces))
    except ValidationError as error:
        where = all_told(error, 5)
        raise _wrong(path, f"清单有误 {where}", f"the manifest is wrong: {where}") from error


def _compare(path: Path, manifest: Manifest, entries: list[FileEntry]) -> None:
    listed = {entry.name: entry for entry in manifest.files}
    for entry in entries:
        if listed.pop(entry.name, None) != entry:
            raise _wrong(
                path, f"{entry.name} 与清单不符，已损坏", f"{entry.name} is not what the manifest says: damaged"
            )
    if listed:
        name = min(listed)
        raise _wrong(path, f"缺少 {name}", f"{name} is missing")
    database = DATABASES[manifest.database]
    if database not in {entry.name for entry in entries}:
        raise _wrong(path, f"缺少 {database}", f"{database} is missing")


def _wrong(path: Path, zh: str, en: str) -> ConfigurationError:
    return ConfigurationError(f"{path}：{zh}；请换一份备份。 {en}; take another backup.")
