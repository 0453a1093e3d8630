"""Documents that no request names: how many, and how many bytes, one participant may leave (`[limits]`).

They are counted in the store, so for all processes together. Looked at before a byte is taken in; what is under way
at that moment may pass by the uploads that one credential has in flight, and no further.
"""

from __future__ import annotations

from gateway.application.context import Context
from gateway.core.records import Changes, Event
from gateway.core.routing import Participant
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError


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
            bound, detail = "documents_unnamed_bytes", _too_large(bounds.documents_unnamed_bytes)
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


def _too_large(most: int) -> FieldError:
    return FieldError(
        pointer="/sha256",
        rule="documents-unnamed-bytes",
        detail=f"未被任何请求引用的文书不得超过 {most} 字节，请先在请求或答复中引用，再上传新的",
        detail_en=f"Documents that no request names have at most {most} bytes in all; name them, then put more",
    )
