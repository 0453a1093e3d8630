"""Repeats a call with growing pauses until the gateway has answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import count

from lianzhi.client.problems import UnavailableError
from lianzhi.client.wire import Backoff, LineError, Reply

log = logging.getLogger("lianzhi.client")


async def until_answered(
    attempt: Callable[[], Awaitable[Reply]], backoff: Backoff, *, name: str, patience: float | None = None
) -> Reply:
    """The first reply that is an answer, of whatever status. name: for the log, without personal data.

    patience: seconds after which no further attempt is made; None: for ever. Raises UnavailableError.
    """
    loop = asyncio.get_running_loop()
    end = None if patience is None else loop.time() + patience
    for number in count():
        wanted = None
        try:
            reply = await attempt()
            if not reply.later:
                return reply
            wanted, why = reply.retry_after, f"HTTP {reply.status}"
        except LineError as error:
            why = type(error.__cause__).__name__
        pause = backoff.pause(number, wanted)
        if end is not None and loop.time() + pause > end:
            raise UnavailableError(f"{name}：网关没有回答（{why}）。 No answer of the gateway ({why}).")
        log.warning("%s: no answer (%s), again in %.1f s", name, why, pause)
        await asyncio.sleep(pause)
    raise AssertionError("count() has no end")
