"""A private PostgreSQL for tests: its own data folder and unix socket, no system service, gone with the test process.

`shared()` is one cluster for the whole session; `Cluster` is for tests that crash or freeze one of their own.
"""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import asyncpg

from gateway.store.upkeep.migrate import migrate

SUPERUSER = "lianzhi"
TEMPLATE = "lianzhi_template"
START_DEADLINE_S = 30.0
POLL_S = 0.02
# No fsync: a test's data need not survive the machine. A crash of the server alone loses nothing.
FAST = ("fsync=off", "full_page_writes=off")


def binaries() -> Path | None:
    """The folder of `postgres` and all that belongs to it; None where PostgreSQL is not installed."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent  # a link to it may stand alone
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    return installed[-1].parent if installed else None


class Cluster:
    """One server. durable: with fsync, for measurements. port: also listen on 127.0.0.1 (for a proxy in between)."""

    def __init__(self, *, durable: bool = False, port: int | None = None) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("postgres")
        self._bin = found
        # The socket's path must be short, and PostgreSQL must be able to enter: not pytest's tmp_path.
        self.folder = Path(tempfile.mkdtemp(prefix="lz-pg-"))
        self._data = self.folder / "data"
        self._port = port
        self._settings = [
            *(() if durable else FAST),
            "unix_socket_permissions=0700",
            f"listen_addresses={'127.0.0.1' if port else ''}",
        ]
        self._server: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self._as_server = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_server += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        self._run("initdb", "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync")
        os.chmod(self.folder, 0o700 if os.geteuid() else 0o711)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_server, str(self._bin / program), *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )

    def start(self) -> None:
        """Returns when the server takes connections; after `crash` it has recovered."""
        options = [f"unix_socket_directories={self.folder}", *self._settings]
        if self._port:
            options.append(f"port={self._port}")
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    *self._as_server,
                    str(self._bin / "postgres"),
                    *("-D", str(self._data)),
                    *(part for option in options for part in ("-c", option)),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(POLL_S)

    def _ready(self) -> bool:
        """As pg_ctl judges: line 1 of postmaster.pid is our server, line 8 says `ready`."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            self._server is not None
            and len(lines) >= 8
            and lines[0] == str(self._server.pid)
            and lines[7].strip() == "ready"
        )

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As if the server had been killed: nothing is flushed or closed; `start` recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(timeout=START_DEADLINE_S)
            self._server = None

    def remove(self) -> None:
        self.crash()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        where = f"port={self._port}&" if self._port else ""
        return f"postgresql://{SUPERUSER}@/{database}?{where}host={self.folder}"

    async def prepare_template(self) -> None:
        """A migrated database that `new_database` copies in 25 ms."""
        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self.url(TEMPLATE))

    async def new_database(self, template: str = TEMPLATE) -> str:
        """URL of a fresh copy."""
        name = f"test_{next(self._names)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def drop_database(self, url: str) -> None:
        name = url.rpartition("/")[0] and url.partition("@/")[2].partition("?")[0]
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=str(self.folder), port=self._port or 5432, user=SUPERUSER, database="postgres"
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@functools.cache
def shared() -> Cluster:
    """The session's cluster, started at first use and removed when the test process ends."""
    cluster = Cluster()
    atexit.register(cluster.remove)
    cluster.start()
    return cluster
