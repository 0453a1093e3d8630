"""The gateway of the demo: `lianzhi db migrate` and `lianzhi serve`, all roles, as a child process.

Importing it takes as long as the broker takes to start, so both begin at once: the child imports, waits for a word,
and then migrates and serves exactly as a court's does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import aiohttp

from lianzhi.errors import ConfigurationError
from simulation.private_broker import PrivateBroker, free_port

READY_SECONDS = 40.0
STOP_SECONDS = 10.0
MEND_EVERY = "0.5"  # seconds; a demo does not wait 15 for a paper that has come
_CHILD = """
import sys
import gateway.bootstrap, gateway.store.upkeep.migrate
from lianzhi.cli.main import main
folder = sys.argv.pop()
if sys.stdin.readline():
    for command in (["db", "migrate"], ["serve"]):
        sys.argv[1:] = [*command, "--dir", folder]
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
"""


class GatewayProcess:
    """folder: of the installation. log: what it says. broker: whose guard ends this process too if we are killed.

    `async with` starts it, `serve` lets it serve, leaving the block stops it.
    """

    def __init__(self, folder: Path, log: Path, broker: PrivateBroker) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self._folder = folder
        self._log = log
        self._broker = broker
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> GatewayProcess:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _CHILD, str(self._folder),
                stdin=PIPE, stdout=log, stderr=log, start_new_session=True, env=self._environment(),
            )  # fmt: skip
        return self

    async def serve(self) -> None:
        """The folder and the broker are there: returns when submissions are accepted and the broker is connected.

        Raises ConfigurationError with the end of its log.
        """
        process = self._process
        assert process is not None and process.stdin is not None, "the gateway was started"
        self._pid_file.write_text(str(process.pid))
        process.stdin.write(b"serve\n")
        await self._ready()

    async def __aexit__(self, *_: object) -> None:
        """SIGTERM, and SIGKILL after ten seconds."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._pid_file.unlink(missing_ok=True)

    async def watch(self) -> None:
        """Until it ends by itself, which it must not: raises ConfigurationError."""
        assert self._process is not None, "the gateway was started"
        await self._process.wait()
        raise self._ended()

    @property
    def _pid_file(self) -> Path:
        return self._broker.directory / "gateway.pid"

    async def _ready(self) -> None:
        ended = asyncio.create_task(self.watch())
        try:
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while not await self._is_ready(session):
                    if ended.done():
                        ended.result()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self._ended() from None
        finally:
            ended.cancel()

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        with suppress(aiohttp.ClientError):
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200 and (await answer.json())["broker"] == "connected"
        return False

    def _ended(self) -> ConfigurationError:
        lines = self._log.read_text(errors="replace").splitlines()[-15:]
        return ConfigurationError("网关未能运行 / the gateway does not run:\n" + "\n".join(lines))

    def _environment(self) -> dict[str, str]:
        """Nothing of a real installation's settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LIANZHI_")}
        return own | {
            "LIANZHI_HTTP__PORT": str(self.port),
            "LIANZHI_HTTP__METRICS_PORT": str(self.metrics_port),
            "LIANZHI_TIMING__MEND_EVERY": MEND_EVERY,
        }
