"""What one credential may have in flight at once: requests, long polls among them, uploads (`[limits]`).

A credential is a client of a court, or a partner by its JWT; another credential never feels what one has open.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Literal

from gateway.application.context import Context
from gateway.http.caller import Caller
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

Kind = Literal["requests_in_flight", "polls_in_flight", "uploads_in_flight"]
RETRY_SECONDS: dict[Kind, int] = {"requests_in_flight": 1, "polls_in_flight": 5, "uploads_in_flight": 5}
WORDS: dict[Kind, tuple[str, str]] = {
    "requests_in_flight": ("在办请求", "requests"),
    "polls_in_flight": ("长轮询", "long polls"),
    "uploads_in_flight": ("上传", "uploads"),
}


class Budgets:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self.taken: Counter[tuple[Kind, str, str]] = Counter()
        """(kind, participant, client) → how many now."""

    def take(self, kind: Kind, caller: Caller) -> InFlight:
        """One more until the block is left. Raises RejectedError too-many-requests."""
        code = caller.participant.code
        key = (kind, code, caller.client.id if caller.client else "")
        most: int = getattr(self._ctx.bounds, kind)
        if self.taken[key] >= most:
            self._ctx.reached.count(kind, code)
            raise _too_many(kind, most)
        self.taken[key] += 1
        return InFlight(self.taken, key)


class InFlight:
    """One place that is taken."""

    __slots__ = ("_key", "_taken")

    def __init__(self, taken: Counter[tuple[Kind, str, str]], key: tuple[Kind, str, str]) -> None:
        self._taken = taken
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = self._taken[self._key] - 1
        if left:
            self._taken[self._key] = left
        else:
            del self._taken[self._key]


def _too_many(kind: Kind, most: int) -> RejectedError:
    zh, en = WORDS[kind]
    detail = FieldError(
        pointer="/Authorization",
        rule=kind.replace("_", "-"),
        detail=f"同一凭证同时最多 {most} 个{zh}，请等前面的结束后再发",
        detail_en=f"One credential has at most {most} {en} in flight; wait until one of them has ended",
    )
    return RejectedError("too-many-requests", [detail], retry_after=RETRY_SECONDS[kind])
