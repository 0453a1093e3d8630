"""Documents in a folder, each under the SHA-256 of its bytes (obstore, so another object store is a configuration).

Bytes arrive under a name of their own in `incoming/`, are hashed on the way, reach the disk, and only then get the
name that says what they are; a name is given once and never again. So whatever has a digest for its name is whole,
after a crash as well, and what a broken upload left behind is found by its age.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from lianzhi.errors import RejectedError, StoreUnavailableError
from lianzhi.files import FILE_MODE, private_folder
from lianzhi.problem import FieldError

INCOMING = "incoming"
ABANDONED_AFTER = timedelta(days=1)
_PART = 1 << 20  # bytes held in memory for each upload
_CHUNK = 64 << 10


class LocalDocuments:
    """root: made when absent. One folder may serve several processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with _unavailable():
            private_folder(root)
            self._store = LocalStore(root)

    async def put(self, sha256: str, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Take the bytes in; the size. Bytes that are here already are compared with and not written again.

        Raises RejectedError document-mismatch, too-large; StoreUnavailableError; and whatever `chunks` raises.
        Nothing is visible under the digest until all of it is there and is right.
        """
        incoming = f"{INCOMING}/{uuid4().hex}"
        try:
            size, found = await self._receive(incoming, chunks, limit)
            if found != sha256:
                raise RejectedError("document-mismatch", pointer="/sha256")
            await self._name(incoming, _path(sha256))
        finally:
            await self._discard(incoming)
        return size

    async def exists(self, sha256: str) -> bool:
        with _unavailable():
            try:
                await obstore.head_async(self._store, _path(sha256))
            except FileNotFoundError:
                return False
        return True

    async def get(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises StoreUnavailableError, also when they are gone."""
        with _unavailable():
            found = await obstore.get_async(self._store, _path(sha256))
            async for part in found.stream(min_chunk_size=_CHUNK):
                yield bytes(part)

    async def sweep(self, now: datetime) -> int:
        """Remove what uploads that never ended left behind a day ago; how many files that were."""
        return await asyncio.to_thread(_sweep, self._root / INCOMING, (now - ABANDONED_AFTER).timestamp())

    async def _receive(self, path: str, chunks: AsyncIterator[bytes], limit: int) -> tuple[int, str]:
        size, digest = 0, hashlib.sha256()
        with _unavailable():
            private_folder(self._root / INCOMING)
        writer = obstore.open_writer_async(self._store, path, buffer_size=_PART, max_concurrency=1)
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                digest.update(chunk)
                with _unavailable():
                    await writer.write(chunk)
        finally:
            with _unavailable():
                await writer.close()
        return size, digest.hexdigest()

    async def _name(self, incoming: str, path: str) -> None:
        with _unavailable():
            await asyncio.to_thread(_received, self._root / incoming, self._root / path)
            try:
                await obstore.rename_async(self._store, incoming, path, overwrite=False)
            except AlreadyExistsError:
                return
            await asyncio.to_thread(_folders_to_disk, self._root / path, self._root)

    async def _discard(self, incoming: str) -> None:
        with _unavailable():
            try:
                await obstore.delete_async(self._store, incoming)
            except FileNotFoundError:
                return


def place_of(root: Path, sha256: str) -> Path:
    """Where a document of this digest lies in the folder, whether it is there or not."""
    return root / _path(sha256)


def wrong_with(root: Path, sha256: str, size: int, *, digest: bool) -> tuple[str, str, str] | None:
    """(rule, found, wanted) of `core.recovery.soundness_words` where the file of a registered document is missing, of
    another size or, where its bytes are to be read as well (digest), not what its name says. Raises
    StoreUnavailableError."""
    with _unavailable():
        try:
            with place_of(root, sha256).open("rb") as file:
                if (there := os.fstat(file.fileno()).st_size) != size:
                    return "document-size", str(there), str(size)
                if digest and (found := hashlib.file_digest(file, "sha256").hexdigest()) != sha256:
                    return "document-digest", found, sha256
        except FileNotFoundError:
            return "document-file", "0", "1"
    return None


def _too_large(limit: int) -> RejectedError:
    zh, en = f"一份文书不得超过 {limit} 字节，请拆分", f"A document has at most {limit} bytes; split it"
    return RejectedError("too-large", [FieldError(pointer="", rule="document-size", detail=zh, detail_en=en)])


def _path(sha256: str) -> str:
    """Two levels, so that no folder grows without bound."""
    return f"{sha256[:2]}/{sha256}"


def _received(incoming: Path, target: Path) -> None:
    """On the disk and its owner's alone, as is the folder that it goes to. (It lay in a closed folder so far; the
    serving process makes it closed in the first place, but this code may run in another one.)"""
    private_folder(target.parent)
    incoming.chmod(FILE_MODE)
    _to_disk(incoming)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders_to_disk(path: Path, root: Path) -> None:
    """The names as well: the folder of the file and, as it may be new, its parent."""
    _to_disk(path.parent)
    _to_disk(root)


def _sweep(folder: Path, before: float) -> int:
    if not folder.is_dir():
        return 0
    old = [path for path in folder.iterdir() if path.stat().st_mtime < before]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


@contextmanager
def _unavailable() -> Iterator[None]:
    """A full or broken disk is the store being down: said so, retried later, nothing half written."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreUnavailableError(f"documents: {type(error).__name__}") from error
