"""Child processes of the tests, forked from one server that has imported everything already (20 ms a start).

One that is started by a shell imports for a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.eventually import eventually

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["tests.fault.entry", "lianzhi.cli.main", "gateway.cli", "gateway.store.upkeep.migrate"]
)


class Child:
    """A process running `main(order, ready)`. order.log: where `main` is to write its output (`write_to`)."""

    def __init__(self, main: Callable[[Any, Connection], None], order: Any) -> None:
        self.log: Path = order.log
        self._here, there = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=main, args=(order, there), daemon=True)
        self._process.start()
        there.close()

    @classmethod
    async def start(cls, main: Callable[[Any, Connection], None], order: Any) -> Child:
        """Returns when it says that it is ready; one that is to be killed at some point may have ended by then."""
        child = cls(main, order)
        await eventually(lambda: child._here.poll() or child.exitcode is not None)
        assert child._was_ready(), child.said()
        return child

    def _was_ready(self) -> bool:
        """Whether it said so, and did not merely end."""
        try:
            return self._here.poll() and self._here.recv_bytes() == b"ready"
        except EOFError:
            return False

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        """Negative: the signal that ended it. None: it lives."""
        return self._process.exitcode

    @property
    def stopped(self) -> bool:
        """Whether it hangs in SIGSTOP."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self, timeout: float = 30.0) -> int:
        """Its exit code, once it has one."""
        await eventually(lambda: self.exitcode is not None, timeout)
        assert self.exitcode is not None
        return self.exitcode

    async def stop(self) -> None:
        """In order. Fails where it had died of a fault of its own."""
        assert self.exitcode is None, self.said()
        self.signal(signal.SIGTERM)
        assert await self.ended() == 0, self.said()

    async def kill(self) -> None:
        if self.exitcode is None:
            self.signal(signal.SIGKILL)
        await self.ended()

    def said(self) -> str:
        """The end of what it wrote."""
        return f"exit code {self.exitcode}\n{self.log.read_text(errors='replace')[-4000:]}"
