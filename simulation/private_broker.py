"""A RabbitMQ node of our own, as a child process of any user: for the demo, the tests and the benchmarks.

No system service is used or started: own home, cookie, epmd, ports (all on 127.0.0.1) and data directory.
Nothing outlives its owner: a guard process in a session of its own waits for the end of a pipe that only we
hold, and then kills what is left and removes the directory, however we ended (Ctrl-C, SIGKILL).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import secrets
import shlex
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from gateway.bounds import Bounds
from lianzhi.errors import ConfigurationError
from simulation.broker_plugins import link_needed

VHOST = "lianzhi"
ADMIN = "lianzhi-admin"
NODE = "lianzhi@localhost"
DEBIAN_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PORTS = range(20000, 32000, 2)
SHARED = "/tmp"  # noqa: S108 (not TMPDIR: whose differs would be given the same ports)
START_SECONDS = 60.0
STOP_SECONDS = 15.0

_ABSENT = (
    "未找到 RabbitMQ：请运行 make setup，或 apt-get install rabbitmq-server\n"
    "RabbitMQ is not installed: run `make setup`, or apt-get install rabbitmq-server"
)
# $1: the directory; $2: `keep` or `remove`. `cat` ends when our end of its pipe closes.
_GUARD = """
cat >/dev/null
for f in "$1"/*.pid; do [ -f "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null; done
[ "$2" = keep ] || rm -rf "$1"
"""
# $1: pid file; the rest: the command, which keeps this process id.
_EXEC = 'f="$1"; shift; echo $$ >"$f" && exec "$@"'
# Erlang's schedulers spin while idle by default; here they share a few cores with everything else.
_ERL = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none"


def server_program() -> str:
    """The server script to run. Raises ConfigurationError where RabbitMQ is not installed.

    Debian's /usr/sbin wrapper refuses ordinary users, so the script behind it is called.
    """
    if os.access(DEBIAN_SERVER, os.X_OK):
        return DEBIAN_SERVER
    found = shutil.which("rabbitmq-server")
    if found is None or shutil.which("epmd") is None:
        raise ConfigurationError(_ABSENT)
    return found


def control_program() -> str:
    """`rabbitmqctl`, which lies beside the server script itself. Raises ConfigurationError as `server_program`."""
    return str(Path(os.path.realpath(server_program())).with_name("rabbitmqctl"))


def plugins_folder() -> Path:
    """RabbitMQ's plugins and libraries, beside the folder of its scripts. Raises ConfigurationError as above."""
    return Path(os.path.realpath(server_program())).parents[1] / "plugins"


def free_ports(count: int) -> tuple[int, ...]:
    """Different ports nobody listens on, below the range that outgoing connections take theirs from.

    They are given out in turn to all programs of this user, so that none comes again while its first owner is still
    about to listen on it. The one beside each stays free with it: a gateway's figures stand there. Raises OSError: none
    is left.
    """
    turn = Path(f"{SHARED}/lianzhi-ports-{os.getuid()}")
    descriptor = os.open(turn, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file, ExitStack() as held:
        fcntl.flock(file, fcntl.LOCK_EX)
        last = file.read(8)
        port = int(last) if last.isdecimal() and int(last) in PORTS else PORTS.start
        ports: list[int] = []
        for _ in PORTS:
            port = port + PORTS.step if port + PORTS.step in PORTS else PORTS.start
            with suppress(OSError):
                for one in (port, port + 1):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", one))
                ports.append(port)
            if len(ports) == count:
                break
        else:
            raise OSError(errno.EADDRINUSE, f"no {count} ports are free")
        file.seek(0)
        file.truncate()
        file.write(str(port))
        return tuple(ports)


def free_port() -> int:
    return free_ports(1)[0]


@dataclass(frozen=True, slots=True)
class Ports:
    amqp: int
    management: int
    distribution: int
    epmd: int
    amqps: int
    management_tls: int


@dataclass(frozen=True, slots=True)
class Tls:
    """A node's own certificate and its key, in PEM: it then also listens with TLS, for AMQP and for management."""

    certificate: Path
    key: Path


class PrivateBroker:
    """`async with PrivateBroker() as broker: … broker.url()`.

    directory: where its data stays from one run to the next; without it a temporary one, removed at the end. tls: what
    it shows on two more ports; new content of the files counts after `ssl:clear_pem_cache()`.
    Start-up takes about 3 s. Belongs to the event loop that started it.
    """

    def __init__(self, directory: Path | None = None, *, tls: Tls | None = None) -> None:
        self.temporary = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="lianzhi-broker-")) if directory is None else directory
        self.ports = Ports(*free_ports(6))
        self.tls = tls
        self.admin = ADMIN
        self.password = ""
        self._node: Process | None = None
        self._epmd: Process | None = None
        self._guard: Process | None = None
        self._lock: IO[str] | None = None

    def url(self, *, user: str | None = None, password: str | None = None, vhost: str = VHOST) -> str:
        """AMQP URL, of the administrator unless a user is named."""
        return self.url_at(self.ports.amqp, user=user, password=password, vhost=vhost)

    def url_at(self, port: int, *, user: str | None = None, password: str | None = None, vhost: str = VHOST) -> str:
        """The same through another local port (a proxy in front of the node)."""
        name, word = user or self.admin, password or self.password
        return f"amqp://{quote(name, '')}:{quote(word, '')}@127.0.0.1:{port}/{quote(vhost, '')}"

    @property
    def management_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.management}"

    @property
    def running(self) -> bool:
        return self._node is not None and self._node.returncode is None

    @property
    def pid(self) -> int:
        """Of the Erlang VM itself."""
        if self._node is None:
            raise RuntimeError("the broker was not started")
        return self._node.pid

    async def start(self) -> None:
        """Returns when it serves AMQP and the management API.

        Raises ConfigurationError: not installed, directory in use, or the node ended (with its last log lines).
        """
        program = server_program()
        if self._guard is None:
            self._prepare()
            self._guard = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _GUARD, "lianzhi-broker-guard", str(self.directory),
                "remove" if self.temporary else "keep",
                stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
            )  # fmt: skip
            self._epmd = await self._spawn("epmd", "epmd", "-port", str(self.ports.epmd), "-address", "127.0.0.1")
            await _listening(self.ports.epmd)
        with _ReadySocket() as ready:
            self._node = await self._spawn("node", program, NOTIFY_SOCKET=ready.path)
            ended = asyncio.ensure_future(self._node.wait())
            served = asyncio.ensure_future(ready.wait())
            try:
                await asyncio.wait((ended, served), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not served.done():
                    raise ConfigurationError(self._failure())
            finally:
                ended.cancel()
                served.cancel()

    async def stop(self) -> None:
        """In order: SIGTERM, then SIGKILL after 15 s. The data stay for `restart`."""
        if self._node is None or self._node.returncode is not None:
            return
        self._node.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._node.wait(), STOP_SECONDS)
        await self._end()

    async def kill(self) -> None:
        """SIGKILL, as a power cut would, once the queues that exist are known on disk (0.5 s).

        RabbitMQ 3.10 writes the registration of a new quorum queue up to a second late; a node that dies sooner
        comes back with a queue that has no leader and nothing in it.
        """
        if self.running:
            await self.control("eval", "dets:sync(ra_directory_reverse).")
        await self._end()

    async def _end(self) -> None:
        if self._node is None:
            return
        with suppress(ProcessLookupError):
            self._node.kill()
        await self._node.wait()
        (self.directory / "node.pid").unlink(missing_ok=True)

    async def restart(self) -> None:
        """Stop if it runs; start on the same data and ports."""
        await self.stop()
        await self.start()

    async def control(self, *arguments: str) -> str:
        """`rabbitmqctl` on this node (0.5 s): for what the management API cannot do. Raises RuntimeError."""
        tool = control_program()
        process = await asyncio.create_subprocess_exec(
            tool, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=self.directory, env=self._environment()
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(said.decode(errors="replace"))
        return said.decode(errors="replace")

    async def close(self) -> None:
        """End everything; a temporary directory goes with it, so its node is killed, not asked."""
        await (self._end() if self.temporary else self.stop())
        for process in (self._epmd, self._guard):
            if process is None:
                continue
            if process.stdin is not None:
                process.stdin.close()
            else:
                with suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
        self._epmd = self._guard = None
        if self.temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    async def __aenter__(self) -> PrivateBroker:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (self.directory / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(f"{self.directory}：另一个进程正在使用 / in use by another process") from error
        cookie = self.directory / ".erlang.cookie"
        if not cookie.exists():
            _write(cookie, secrets.token_hex(20), 0o400)
            _write(self.directory / "password", secrets.token_urlsafe(24), 0o600)
        self.password = (self.directory / "password").read_text()
        _write(self.directory / "enabled_plugins", "[rabbitmq_management].\n", 0o600)
        _write(self.directory / "rabbitmq.conf", self._configuration(), 0o600)
        settings = ""
        if plugins_folder().is_dir():  # elsewhere RabbitMQ finds its own
            home = self.directory.absolute() / "server"
            link_needed(plugins_folder(), home / "plugins")
            settings = f"RABBITMQ_HOME={shlex.quote(str(home))}\nRABBITMQ_PLUGINS_DIR=$RABBITMQ_HOME/plugins\n"
        _write(self.directory / "env.conf", settings, 0o600)

    def _configuration(self) -> str:
        return "\n".join(
            (
                f"listeners.tcp.1 = 127.0.0.1:{self.ports.amqp}",
                "management.tcp.ip = 127.0.0.1",
                f"management.tcp.port = {self.ports.management}",
                f"default_vhost = {VHOST}",
                f"default_user = {self.admin}",
                f"default_pass = {self.password}",
                "default_user_tags.administrator = true",
                f"max_message_size = {Bounds().broker_message_bytes}",
                "log.console = false",
                "log.file.level = warning",
                *self._tls_configuration(),
                "",
            )
        )

    def _tls_configuration(self) -> list[str]:
        if self.tls is None:
            return []
        files = (("certfile", self.tls.certificate), ("keyfile", self.tls.key))
        return [
            f"listeners.ssl.1 = 127.0.0.1:{self.ports.amqps}",
            "ssl_options.verify = verify_none",
            "management.ssl.ip = 127.0.0.1",
            f"management.ssl.port = {self.ports.management_tls}",
            *(f"{section}.{name} = {path}" for section in ("ssl_options", "management.ssl") for name, path in files),
        ]

    def _environment(self) -> dict[str, str]:
        at = self.directory
        return {
            "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(at),
            "RABBITMQ_CONF_ENV_FILE": str(at / "env.conf"),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.ports.amqp),
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(at / "data"),
            "RABBITMQ_LOG_BASE": str(at / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(at / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(at / "rabbitmq.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERL,
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    async def _spawn(self, name: str, *command: str, **environment: str) -> Process:
        with (self.directory / f"{name}.out").open("ab") as out:
            return await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _EXEC, name, str(self.directory / f"{name}.pid"), *command,
                stdin=DEVNULL, stdout=out, stderr=out, cwd=self.directory, start_new_session=True,
                env=self._environment() | environment,
            )  # fmt: skip

    def _failure(self) -> str:
        lines: list[str] = []
        for log in (self.directory / "node.out", *sorted((self.directory / "log").glob("*.log"))):
            with suppress(OSError):
                lines += log.read_text(errors="replace").splitlines()[-15:]
        return "RabbitMQ 未能启动 / RabbitMQ did not start:\n" + "\n".join(lines)


class _ReadySocket:
    """sd_notify(3): the node says READY=1 here when it serves. An abstract address: no file, no length limit."""

    def __init__(self) -> None:
        name = f"lianzhi-{secrets.token_hex(12)}"
        self.path = f"@{name}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(f"\0{name}")

    def __enter__(self) -> _ReadySocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    async def wait(self) -> None:
        loop = asyncio.get_running_loop()
        while b"READY=1" not in await loop.sock_recv(self._socket, 4096):
            pass


async def _listening(port: int) -> None:
    """Until something accepts on that port."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


def _write(path: Path, text: str, mode: int) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
