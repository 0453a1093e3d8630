"""Waiting for what another process or task brings about: poll every 20 ms until a deadline."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.02


async def eventually(check: Callable[[], T | Awaitable[T | None] | None], timeout: float = 60.0) -> T:
    """The first true value of `check`, which may be a coroutine function. Raises AssertionError after `timeout`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        found = check()
        value: T | None = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if loop.time() > deadline:
            raise AssertionError(f"not within {timeout} s; last: {value!r}")
        await asyncio.sleep(POLL_SECONDS)
