"""The Node partner of examples/node as a child process: its packages installed once, its log read as it comes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lianzhi.errors import ConfigurationError

EXAMPLE = Path(__file__).parents[1] / "examples" / "node"
DEADLINE_S = 20.0


def install() -> None:
    """`npm ci` where `node_modules` is absent or older than the lock file. Raises ConfigurationError: what npm said."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise ConfigurationError(
                f"{tool} is not installed: run `scripts/setup.sh all`, or apt-get install nodejs npm"
            )
    marker = EXAMPLE / "node_modules" / ".package-lock.json"
    if marker.exists() and marker.stat().st_mtime >= (EXAMPLE / "package-lock.json").stat().st_mtime:
        return
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=EXAMPLE, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise ConfigurationError(f"npm ci failed:\n{done.stderr[-2000:]}")
    marker.touch()


@dataclass
class NodePartner:
    """`async with NodePartner(…)`: runs until it is left, then SIGTERM. demo: it makes receipts and results up.
    log: every line it wrote."""

    code: str
    amqp: str
    sign_key: Path
    open_key: Path
    gateway_keys: Path
    ledger: Path
    system: str = "云川县演示系统"
    password_file: Path | None = None
    arguments: tuple[str, ...] = ()
    demo: bool = True
    locale: str = "C.UTF-8"
    log: list[dict[str, Any]] = field(default_factory=list)
    _process: Process | None = None
    _reader: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> NodePartner:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        await self.ended()

    def command(self) -> tuple[str, ...]:
        return "node", "partner.mjs"

    async def start(self) -> None:
        environment: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "LC_ALL": self.locale,
            "LIANZHI_CODE": self.code,
            "LIANZHI_AMQP": self.amqp,
            "LIANZHI_SIGN_KEY": str(self.sign_key),
            "LIANZHI_OPEN_KEY": str(self.open_key),
            "LIANZHI_GATEWAY_KEYS": str(self.gateway_keys),
            "LIANZHI_LEDGER": str(self.ledger),
            "LIANZHI_SYSTEM": self.system,
        }
        if self.password_file is not None:
            environment = {**environment, "LIANZHI_PASSWORD_FILE": str(self.password_file)}
        self._process = await asyncio.create_subprocess_exec(
            *self.command(), *self.arguments, *(["--demo"] if self.demo else []),
            cwd=EXAMPLE, env=environment, stdout=PIPE, stderr=PIPE, limit=1 << 22,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read(self._process))

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None and self._reader is not None
        async with asyncio.timeout(DEADLINE_S):
            await self._reader
            return await self._process.wait()

    async def logged(self, event: str, count: int = 1, where: Callable[[dict[str, Any]], bool] = bool) -> list[Any]:
        """Its first `count` lines of that event, once they are there. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = [line for line in self.log if line["event"] == event and where(line)]
                if len(found) >= count:
                    return found[:count]
                self._changed.clear()
                await self._changed.wait()

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None and process.stderr is not None
        async for line in process.stdout:
            self.log.append(json.loads(line))
            self._changed.set()
        if stderr := (await process.stderr.read()).decode():
            self.log.append({"event": "stderr", "text": stderr})
            self._changed.set()
