"""Documents: their bytes, who has put them and who may read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.core.records import DocumentRow


class Documents(Protocol):
    """Content-addressed bytes."""

    async def put(self, sha256: str, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Stream in, write once; the size. Raises RejectedError document-mismatch, too-large."""
        ...

    async def exists(self, sha256: str) -> bool: ...

    def get(self, sha256: str) -> AsyncIterator[bytes]: ...


class Readable(Protocol):
    """Read in a unit of work and outside of one."""

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        """Which of them `participant` may read."""
        ...


class PaperReads(Readable, Protocol):
    """Outside of a unit of work."""

    async def document(self, sha256: str) -> DocumentRow | None: ...

    async def document_put(self, sha256: str, participant: str) -> DocumentRow | None:
        """As this participant has put it, whoever did before."""
        ...

    async def documents_unnamed(self, participant: str) -> tuple[int, int]:
        """Of the documents that it put, those that no request names: how many, and their bytes."""
        ...


class PaperUnit(Readable, Protocol):
    """Inside a unit of work."""

    async def wait_for_name(self, row: DocumentRow) -> None:
        """Count a new document against whoever put it, until a request names it."""
        ...
