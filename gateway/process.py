"""A gateway as a process of its own: its event loop, its signals, its collector (docs/adr/0019)."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress

import structlog
import uvloop

from gateway.bootstrap import ROLES, STORE_PAUSES, Role, Wrappers, running, wait_for_store
from gateway.registry.config import Config
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of
from lianzhi.files import close_process

log = structlog.get_logger("lianzhi")

COLLECT_AFTER = (20_000, 20, 20)
"""New objects until the youngest generation is looked through, and how often that before the next older one."""


def serve(
    config: Config,
    roles: Sequence[Role] = ROLES,
    *,
    wrappers: Wrappers | None = None,
    up: Callable[[], object] = lambda: None,
) -> None:
    """Runs a gateway until SIGINT or SIGTERM, loading its files again on SIGHUP; first it waits for its database.

    up: called in the loop once it serves.

    Raises ConfigurationError.
    """
    close_process()
    gc.freeze()  # what is imported stays: the collector need not walk through it while the installation is loaded
    _open_as_many_files_as_allowed()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, roles, wrappers, up))


async def _serve(config: Config, roles: Sequence[Role], wrappers: Wrappers | None, up: Callable[[], object]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what is not loaded yet cannot be loaded again
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, told.set)
    while not told.is_set():
        await wait_for_store(config, roles, told)
        try:
            await _serve_until(told, config, roles, wrappers, up)
        except _NotUpError as error:  # it went away again
            log.warning("store-unavailable", error=cause_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), STORE_PAUSES[0])
        else:
            return


async def _serve_until(
    told: asyncio.Event, config: Config, roles: Sequence[Role], wrappers: Wrappers | None, up: Callable[[], object]
) -> None:
    """Raises _NotUpError: the database went away before it served."""
    async with AsyncExitStack() as stack:
        try:
            gateway = await stack.enter_async_context(running(config, roles, wrappers=wrappers))
        except StoreUnavailableError as error:
            raise _NotUpError from error
        _spare_what_stays()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, gateway.reloader.ask)
        up()
        try:
            await gateway.wait(told)
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)


class _NotUpError(Exception):
    pass


def _open_as_many_files_as_allowed() -> None:
    """The soft limit of many systems is 1,024, fewer than the connections of `[limits]`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _spare_what_stays() -> None:
    """What is loaded by now is not walked through again; what a request leaves behind dies by its count."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
