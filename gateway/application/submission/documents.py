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
from gateway.core.records import Changes, DocumentRow, Event
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


# --- documents that no request names: how many, and how many bytes, one participant may leave (`[limits]`)
#
# They are counted in the store, so for all processes together. Looked at before a byte is taken in; what is under way
# at that moment may pass by the uploads that one credential has in flight, and no further.


class DocumentQuota:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def check(self, who: Participant, sha256: str, size: int | None) -> None:
        """Whether `who` may put another. size: as announced, if it was. What it has put already is no other one.

        Raises RejectedError documents-quota; StoreUnavailableError.
        """
        bounds, store = self._ctx.bounds, self._ctx.store
        count, used = await store.documents_unnamed(who.code)
        if count >= bounds.documents_unnamed:
            bound, detail = "documents_unnamed", _too_many(bounds.documents_unnamed)
        elif used + (size or 0) > bounds.documents_unnamed_bytes:
            bound, detail = "documents_unnamed_bytes", _too_many_bytes(bounds.documents_unnamed_bytes)
        else:
            return
        if await store.document_put(sha256, who.code) is not None:
            return
        self._ctx.reached.count(bound, who.code)
        await self._tell(bound, who)
        raise RejectedError("documents-quota", [detail])

    async def _tell(self, bound: str, who: Participant) -> None:
        now = self._ctx.clock.now()
        if not self._ctx.reached.to_be_told(bound, who.code, now):
            return
        event = Event(
            at=now,
            audience=self._ctx.home.code,
            kind="incident",
            head={"bound": bound, "participant": who.code},
            detail=f"bound:{bound}:{who.code}",
        )
        async with self._ctx.store.begin() as tx:
            await tx.apply(Changes(events=[event]))


def _too_many(most: int) -> FieldError:
    return FieldError(
        pointer="/sha256",
        rule="documents-unnamed",
        detail=f"已有 {most} 份文书未被任何请求引用，请先在请求或答复中引用，再上传新的",
        detail_en=f"{most} documents wait that no request names; name them in a request or an answer, then put more",
    )


def _too_many_bytes(most: int) -> FieldError:
    return FieldError(
        pointer="/sha256",
        rule="documents-unnamed-bytes",
        detail=f"未被任何请求引用的文书不得超过 {most} 字节，请先在请求或答复中引用，再上传新的",
        detail_en=f"Documents that no request names have at most {most} bytes in all; name them, then put more",
    )
