"""Many callers, one commit: what arrives while a unit of work runs goes into the next one.

No timer and no waiting for a batch to fill: a lone item goes at once, a crowd shares the cost of one commit. If a
batch fails for a reason that one item may have caused, it runs again one by one and only the guilty item fails
(docs/architecture.md 2).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from lianzhi.errors import StoreUnavailableError

T = TypeVar("T")
R = TypeVar("R")


async def one_by_one(
    run: Callable[[Sequence[T]], Awaitable[list[R | Exception]]], items: Sequence[T]
) -> list[R | Exception]:
    """Run the batch; if it fails as a whole, each item alone. A store that is down fails them all at once."""
    try:
        return await run(items)
    except StoreUnavailableError as error:
        return [error] * len(items)
    except Exception as error:
        if len(items) == 1:
            return [error]
    results: list[R | Exception] = []
    for item in items:
        results += await one_by_one(run, [item])
    return results


class Batcher(Generic[T, R]):
    """Feeds `run` with everything that waits, at most `size` at a time, one run after another."""

    def __init__(self, run: Callable[[Sequence[T]], Awaitable[list[R | Exception]]], size: int) -> None:
        self._run = run
        self._size = size
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """The item's own result, or its own exception."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            results = await one_by_one(self._run, [item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
