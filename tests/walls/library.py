"""Programs on the product's libraries as child processes, and the far end played by the test itself."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.eventually import eventually
from tests.walls.product import PRODUCT, python

SCRIPTS = Path(__file__).with_name("scripts")
STOP_SECONDS = 20.0
_numbers = count(1)


def environment(**more: str) -> dict[str, str]:
    """Nothing of a real installation's settings; the product's modules, not those beside the tests."""
    return {n: v for n, v in os.environ.items() if not n.startswith("LIANZHI_") and n != "PYTHONPATH"} | more


@dataclass
class Program:
    """A script below `scripts/` with the product's libraries. What it prints is one JSON object a line."""

    process: Process
    out: Path
    err: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        whole = self.out.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    @property
    def log(self) -> str:
        return self.err.read_text(errors="replace")

    async def told(self, event: str, count: int = 1, timeout: float = 30) -> list[dict[str, Any]]:
        """Its first lines of that event, once there are `count`. Raises AssertionError when it has ended before."""

        def found() -> list[dict[str, Any]] | None:
            fitting = [line for line in self.lines if line["event"] == event]
            if len(fitting) >= count:
                return fitting[:count]
            assert self.process.returncode is None, f"it has ended: {self.lines[-1:]} {self.log[-2000:]}"
            return None

        return await eventually(found, timeout)

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 60)

    async def stop(self) -> int:
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()


@asynccontextmanager
async def program(
    folder: Path, script: str, *arguments: object, interpreter: str | None = None, cwd: Path = PRODUCT, **variables: str
) -> AsyncIterator[Program]:
    """Runs until the block is left. folder: for what it prints. interpreter, cwd: else the product's."""
    number = next(_numbers)
    out, err = folder / f"program-{number}.out", folder / f"program-{number}.err"
    with out.open("wb") as prints, err.open("wb") as logs:
        process = await asyncio.create_subprocess_exec(
            interpreter or python(), str(SCRIPTS / script), *map(str, arguments), cwd=cwd,
            env=environment(**variables), stdin=DEVNULL, stdout=prints, stderr=logs, start_new_session=True,
        )  # fmt: skip
    running = Program(process, out, err)
    try:
        yield running
    finally:
        if process.returncode is None:
            await running.stop()
