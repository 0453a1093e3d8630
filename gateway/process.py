"""A gateway as a process of its own: its event loop, its signals, its collector (docs/adr/0019)."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence

import uvloop

from gateway.bootstrap import ROLES, Role, Wrappers, running
from gateway.registry.config import Config

COLLECT_AFTER = (20_000, 20, 20)
"""New objects until the youngest generation is looked through, and how often that before the next older one."""


def serve(
    config: Config,
    roles: Sequence[Role] = ROLES,
    *,
    wrappers: Wrappers | None = None,
    up: Callable[[], object] = lambda: None,
) -> None:
    """Runs a gateway until SIGINT or SIGTERM. up: called in the loop once it serves.

    Raises ConfigurationError, StoreUnavailableError.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, roles, wrappers, up))


async def _serve(config: Config, roles: Sequence[Role], wrappers: Wrappers | None, up: Callable[[], object]) -> None:
    async with running(config, roles, wrappers=wrappers) as gateway:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, gateway.stop.set)
        _spare_what_stays()
        up()
        await gateway.wait()


def _spare_what_stays() -> None:
    """What is loaded by now is not walked through again; what a request leaves behind dies by its count."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
