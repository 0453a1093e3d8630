"""The product under test from outside: its command line as child processes, its port, its files; never its modules.

`LIANZHI_PRODUCT` names another checkout with an environment of its own (`tools/regress.sh`), else it is this one. What
the tests themselves import (signing, a private broker) is always this checkout's.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from simulation.parties import PARTNERS, Parties, own_user
from simulation.private_broker import free_port
from simulation.stage import write_files
from tests.agency import Agency
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import Court

HERE = Path(__file__).resolve().parents[2]
PRODUCT = Path(os.environ.get("LIANZHI_PRODUCT", HERE)).resolve()
START_SECONDS = 60.0
STOP_SECONDS = 15.0
_ENDED_WITH_US = ("setpriv", "--pdeathsig", "KILL")  # a test run that is killed leaves no program behind


def is_this_checkout() -> bool:
    """Whether the product is the code beside these tests, not another version of it."""
    return PRODUCT == HERE


@cache
def known_limits() -> frozenset[str]:
    """The names that the product takes in `[limits]`. A bound that it does not have cannot be configured: it is left
    out, and the test then shows what happens without it."""
    import subprocess

    asked = "from gateway.registry.config import Config; print(*Config.model_fields['limits'].annotation.model_fields)"
    found = subprocess.run([python(), "-c", asked], cwd=PRODUCT, capture_output=True, text=True, check=True)
    return frozenset(found.stdout.split())


def python(product: Path = PRODUCT) -> str:
    return str(product / ".venv" / "bin" / "python")


def command(product: Path = PRODUCT) -> str:
    return str(product / ".venv" / "bin" / "lianzhi")


class WallClock:
    """What `tests.agency` takes for a clock: the wall's."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended. code: its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Installation:
    """One court's gateway, its agencies' folders, a virtual host. Processes are started by the test. product: the
    checkout whose programs are started from now on; another one is an upgrade."""

    root: Path
    vhost: Vhost
    parties: Parties
    port: int
    court: Court
    product: Path = PRODUCT
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    agencies: list[Agency] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The gateway's own."""
        return self.parties.folder

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the serving processes wrote."""
        return self.root / "gateway.log"

    def limit(self, **limits: Any) -> None:
        """`[limits]` of every process that is started from now on; names that the product lacks are left out."""
        known = known_limits()
        self.environment |= {f"LIANZHI_LIMITS__{n.upper()}": str(v) for n, v in limits.items() if n in known}

    async def run(self, *arguments: str, folder: bool = True, timeout: float = 60.0) -> Finished:
        """`lianzhi …` to its end; `--dir` of this installation is added unless folder is False."""
        where = ["--dir", str(self.folder)] if folder else []
        return await self._finish([command(self.product), *arguments, *where], timeout)

    async def script(self, file: str | Path, *arguments: str, timeout: float = 60.0) -> Finished:
        """A program of its own with the product's libraries (`lianzhi.partner`, `lianzhi.client`): a path below
        `tests/walls/scripts`, or an absolute one."""
        path = Path(__file__).with_name("scripts") / file
        return await self._finish([python(self.product), str(path), *arguments], timeout)

    async def serve(
        self, *, umask: int = -1, wait: bool = True, roles: str = "", program: Sequence[str] = (), **environment: str
    ) -> Process:
        """A gateway; wait: until `/readyz` says that it is connected to the broker. roles: some, else all.
        program: what takes the place of `lianzhi`."""
        started = program or (command(self.product),)
        some = ("--role", roles) if roles else ()
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *_ENDED_WITH_US, *started, "serve", "--dir", str(self.folder), *some, cwd=PRODUCT,
                env=self._environment() | environment, stdin=DEVNULL, stdout=log, stderr=log,
                start_new_session=True, umask=umask,
            )  # fmt: skip
        self.processes.append(process)
        if wait:
            await eventually(lambda: self.is_ready(process), START_SECONDS)
        return process

    async def agency(self, code: str) -> Agency:
        """An agency with its keys and its own broker user, connected; it says whatever the test wants.

        The same one each time: two would take each other's messages off their queue."""
        for agency in self.agencies:
            if agency.code == code:
                return agency
        agency = Agency(self.parties.partners[code], WallClock())  # its `now` is enough
        await agency.connect()
        self.agencies.append(agency)
        return agency

    async def stop(self, process: Process) -> int:
        """SIGTERM; its exit code. SIGKILL after fifteen seconds."""
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def close(self) -> None:
        for agency in self.agencies:
            await agency.close()
        for process in self.processes:
            if process.returncode is None:
                await self.stop(process)

    def said(self) -> str:
        """The end of the serving processes' log."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    async def quarantine(self) -> list[dict[str, Any]]:
        """As `lianzhi quarantine list --json` shows it, to whoever runs this: a listed operator where the product asks
        for one, also of files that an older version has written."""
        settings = self.folder / "lianzhi.toml"
        if self.product == HERE and "[operators." not in (text := settings.read_text(encoding="utf-8")):
            tables = "".join(
                f"\n[operators.{user}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in one.items())
                for user, one in own_user().items()
            )
            settings.write_text(text + tables, encoding="utf-8")
        found: list[dict[str, Any]] = (await self.run("quarantine", "list", "--json")).json()
        return found

    async def is_ready(self, process: Process) -> bool:
        assert process.returncode is None, self.said()
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200 and (await answer.json()).get("broker") == "connected"
        return False

    async def _finish(self, words: list[str], timeout: float) -> Finished:
        return await finish(words, self._environment(), timeout=timeout)

    def _environment(self) -> dict[str, str]:
        return clean_environment() | self.environment | {"LIANZHI_HTTP__PORT": str(self.port)}


def clean_environment() -> dict[str, str]:
    """Nothing of a real installation's settings; the product's modules, not those beside the tests."""
    return {n: v for n, v in os.environ.items() if not n.startswith("LIANZHI_") and n != "PYTHONPATH"}


async def run_alone(*arguments: str, umask: int = -1, timeout: float = 60.0) -> Finished:
    """`lianzhi …` to its end, of no installation but the one that the arguments name."""
    return await finish([command(), *arguments], clean_environment(), umask=umask, timeout=timeout)


async def finish(words: list[str], environment: dict[str, str], *, umask: int = -1, timeout: float) -> Finished:
    """A program of the product to its end; killed with its children when the time is over, or when nobody waits for it
    any more."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=PRODUCT, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
        start_new_session=True, umask=umask,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout)
    except (TimeoutError, asyncio.CancelledError):
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


@asynccontextmanager
async def installed(
    root: Path,
    vhost: Vhost,
    *,
    partners: list[Mapping[str, Any]] | None = None,
    store_url: str | None = None,
    users: str = "",
    product: Path = PRODUCT,
) -> AsyncIterator[Installation]:
    """Files, an empty migrated database, a provisioned virtual host: everything by the product's own commands but the
    files, whose form has not changed. store_url: of a database of its own. users: what the names of its broker users
    end in, where another installation on the same broker is alive. No gateway runs yet."""
    parties = write_files(
        root, vhost.broker, vhost=vhost.name, partners=partners or PARTNERS, users=users, telephones=product == HERE,
        operators=own_user() if product == HERE else {},
    )  # fmt: skip
    port = free_port()
    async with Court(parties.token, parties.handover, f"http://127.0.0.1:{port}") as court:
        site = Installation(root, vhost, parties, port, court, product)
        if store_url is not None:
            site.environment["LIANZHI_STORE__URL"] = store_url
        try:
            done = await site.run("db", "migrate")
            assert done.code == 0, done.err
            await apply_topology(site)
            yield site
        finally:
            await site.close()


async def apply_topology(site: Installation) -> Finished:
    """`lianzhi broker apply` of the product, as the private broker's administrator."""
    passwords = site.root / "passwords.json"
    passwords.write_text(json.dumps(site.parties.passwords))
    site.environment |= {
        "LIANZHI_BROKER_ADMIN": site.vhost.broker.admin,
        "LIANZHI_BROKER_ADMIN_PASSWORD": site.vhost.broker.password,
    }
    done = await site.run("broker", "apply", "--passwords", str(passwords))
    assert done.code == 0, done.out + done.err
    return done
