"""Documents by their digest: who may put one, who may read one (docs/contracts.md 3.3, docs/adr/0025).

Whoever may submit may put a document before any request names it, also one that others have put: it has shown that it
has the bytes, and learns nothing of the others. It is readable by whoever has put it, and by the other party of a
request in which one who could read it names it; for anybody else it does not exist.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import structlog

from gateway.application.answers import DocumentView
from gateway.application.context import Context
from gateway.application.ports.papers import Documents
from gateway.core.records import Changes, DocumentRow
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.base import words_of
from lianzhi.protocol.envelope import timestamp
from lianzhi.protocol.values import MediaType

log = structlog.get_logger("access")

MEDIA_TYPES = tuple(words_of(MediaType))
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Papers:
    def __init__(self, context: Context, documents: Documents) -> None:
        self._ctx = context
        self._documents = documents

    @property
    def limit(self) -> int:
        """Bytes of one document."""
        return self._ctx.limits.document_bytes

    def check(self, sha256: str, size: int | None) -> None:
        """What can be told before a byte is read. size: as announced, if it was.

        Raises RejectedError: not-found (no digest), too-large.
        """
        if not _SHA256.fullmatch(sha256):
            raise RejectedError("not-found")
        if size is not None and size > self.limit:
            raise _too_large(self.limit)

    async def put(
        self, who: Participant, sha256: str, media_type: str, chunks: AsyncIterator[bytes]
    ) -> tuple[DocumentView, bool]:
        """The document as `who` has put it, and whether it had not before. Bytes first, then the row: a row never names
        what is not there.

        Raises RejectedError document-mismatch, too-large; StoreUnavailableError.
        """
        size = await self._documents.put(sha256, chunks, self.limit)
        row = await self._ctx.store.document_put(sha256, who.code)
        if row is not None:
            return _view(row), False
        row = DocumentRow(sha256, size, media_type, who.code, self._ctx.clock.now())
        async with self._ctx.store.begin() as tx:
            await tx.apply(Changes(documents=[row]))
            await tx.wait_for_name(row)
        return _view(row), True

    async def find(self, who: Participant, reader: str, sha256: str) -> DocumentRow:
        """The document's row, if `who` may read it; the reading is logged. Raises RejectedError not-found."""
        store, digest = self._ctx.store, sha256 if _SHA256.fullmatch(sha256) else None
        row = await store.document_put(digest, who.code) if digest is not None else None
        if row is None and digest is not None and await store.documents_readable(who.code, [digest]):
            row = await store.document(digest)
        if row is None:
            raise RejectedError("not-found")
        log.info("document-read", participant=who.code, client=reader, sha256=sha256)
        return row

    def read(self, row: DocumentRow) -> AsyncIterator[bytes]:
        """Raises StoreUnavailableError when the bytes cannot be had."""
        return self._documents.get(row.sha256)


def _view(row: DocumentRow) -> DocumentView:
    return DocumentView(sha256=row.sha256, size=row.size, media_type=row.media_type, at=timestamp(row.at))


def _too_large(limit: int) -> RejectedError:
    detail = FieldError(
        pointer="/Content-Length",
        rule="document-size",
        detail=f"一份文书不得超过 {limit} 字节，请拆分",
        detail_en=f"A document has at most {limit} bytes; split it",
    )
    return RejectedError("too-large", [detail])
