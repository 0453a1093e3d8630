"""Waiting for what another process or task brings about: poll every 20 ms until a deadline."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
POLL_SECONDS = 0.02


@overload
async def eventually(check: Callable[[], Coroutine[Any, Any, T | None]], timeout: float = ...) -> T: ...
@overload
async def eventually(check: Callable[[], T | None], timeout: float = ...) -> T: ...
async def eventually(check: Callable[[], Any], timeout: float = 60.0) -> Any:
    """The first true value of `check`, which may be a coroutine function. Raises AssertionError after `timeout`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        found = check()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if loop.time() > deadline:
            raise AssertionError(f"not within {timeout} s; last: {value!r}")
        await asyncio.sleep(POLL_SECONDS)
