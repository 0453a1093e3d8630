"""The mark in the broker: `lianzhi.mark`, a quorum queue that keeps the last few (docs/adr/0030)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.broker.topology import MARK, MARKS_KEPT
from gateway.core.recovery.marks import Mark, highest
from lianzhi.amqp.link import WIRE_ERRORS, Link
from lianzhi.amqp.shelf import Shelf, ShelfMissingError
from lianzhi.errors import MarkUnreadableError

CONNECT_SECONDS = 5.0
LOOK_AGAIN, PAUSE_SECONDS = 4, 0.25


class MarkQueue:
    """`application.ports.recovery.MarkPlace` at the broker. user: of the link."""

    name = "broker"

    def __init__(self, link: Link, *, user: str) -> None:
        self._link = link
        self._shelf = Shelf(link, exchange=MARK, queue=MARK, user=user, most=MARKS_KEPT)

    async def connect(self) -> None:
        """Until the link is up or has failed once, a few seconds at most."""
        await self._link.wait_tried(CONNECT_SECONDS)

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        def keep(bodies: Sequence[bytes]) -> bytes | None:
            kept = highest(_marks(bodies), incarnations)
            return None if kept is None else kept.model_dump_json().encode()

        for _ in range(LOOK_AGAIN if patient else 1):
            try:
                bodies = await self._shelf.take(keep)
            except WIRE_ERRORS as error:
                raise _unreadable(error) from error
            if bodies:
                return highest(_marks(bodies), incarnations)
            if patient:
                await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def write(self, mark: Mark) -> None:
        try:
            await self._shelf.put(mark.model_dump_json().encode())
        except WIRE_ERRORS as error:
            raise _unreadable(error) from error


def _marks(bodies: Sequence[bytes]) -> list[Mark]:
    """What is no mark of ours is dropped: nobody but the gateway's own user writes here."""
    found = []
    for body in bodies:
        try:
            found.append(Mark.model_validate_json(body))
        except ValueError:
            continue
    return found


def _unreadable(error: Exception) -> MarkUnreadableError:
    if isinstance(error, ShelfMissingError):
        return MarkUnreadableError(
            f"代理中没有队列 {MARK} 或无权使用：请运行 lianzhi broker apply。",
            f"The broker has no such queue, or we may not use it: run `lianzhi broker apply`. ({error})",
            answered=True,
        )
    return MarkUnreadableError(
        "代理连不上，暂时读不到标记。", f"The broker cannot be reached: {type(error).__name__}", answered=False
    )
