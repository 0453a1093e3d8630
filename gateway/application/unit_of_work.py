"""The unit of work: the transaction, the changes to write, the time and the context that its decisions share.

Code that needs the transaction takes the whole unit. Code that runs without one (a submission is prepared before its
unit begins) takes only what it needs: context, changes, time. Events are written in the unit that decides what they
say. Many callers share one unit (`Batcher`): what arrives while one runs goes into the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from gateway.application.context import Context
from gateway.application.ports.store import Transaction
from gateway.core.records import Changes, Event, Held, Message, Request
from lianzhi.errors import StoreUnavailableError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class UnitOfWork:
    """tx: the open transaction; rows are locked in it. changes: what `tx.apply` writes at its end. now: one time for
    everything in it."""

    context: Context
    tx: Transaction
    changes: Changes
    now: datetime

    def tell(
        self,
        request: Request,
        kind: str,
        message: Message | Held | None = None,
        detail: str | None = None,
        *,
        head: Mapping[str, Any] | None = None,
    ) -> None:
        """An event of this request."""
        self.changes.events += request_events(
            self.context, request, kind, self.now, message=message, head=head, detail=detail
        )


# --- events: what the feed, the timeline and the operators see; codes and digests only


def audiences(context: Context, request: Request) -> list[str]:
    """Whose feeds an event of this request stands in: its parties that use the API."""
    return [code for code in (request.asker, request.asked) if context.participant(code).local]


def request_events(
    context: Context,
    request: Request,
    kind: str,
    now: datetime,
    *,
    message: Message | Held | None = None,
    head: Mapping[str, Any] | None = None,
    detail: str | None = None,
) -> list[Event]:
    """One event for each local party; the case number only where that party may see it."""
    home = context.home.code
    return [
        Event(
            at=now,
            audience=audience,
            kind=kind,
            request_no=request.request_no,
            group_no=request.group_no,
            case_no=request.case_no if audience == home or request.facts.get("caseno") else None,
            type=request.type,
            verb=message.verb if message else None,
            state=request.state,
            message_id=_id_of(message),
            digest=message.digest if message else None,
            head=dict(head) if head else None,
            detail=detail,
        )
        for audience in audiences(context, request)
    ]


def own_events(
    context: Context, request: Request, kind: str, now: datetime, *, head: Mapping[str, Any], detail: str | None = None
) -> list[Event]:
    """For the asker alone: what is no business of the one asked, such as the debt."""
    events = request_events(context, request, kind, now, head=head, detail=detail)
    return [event for event in events if event.audience == request.asker]


def _id_of(message: Message | Held | None) -> str | None:
    return message.message_id if isinstance(message, Held) else message.id if message is not None else None


# --- many callers, one commit
#
# No timer and no waiting for a batch to fill: a lone item goes at once, a crowd shares the cost of one commit. If a
# batch fails for a reason that one item may have caused, it runs again one by one and only the guilty item fails
# (docs/architecture.md 2).


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
