"""Where the operators' socket stands: `run/operate.sock` under the installation, 660, for the group `lianzhi`.

The folder `run` is 750. The installation's own folder lets that group through (710), and nothing in it is readable for
them. A path of more than 107 bytes is no obstacle: the folder is opened first, and the socket is named below its
descriptor.
"""

from __future__ import annotations

import grp
import os
import shlex
import socket
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from lianzhi.errors import ConfigurationError
from lianzhi.files import is_shared

log = structlog.get_logger("operate")

RUN, SOCKET = "run", "operate.sock"
GROUP = "lianzhi"
RUN_MODE, SOCKET_MODE, THROUGH = 0o750, 0o660, 0o710
PENDING = 64


def socket_of(folder: Path) -> Path:
    return folder / RUN / SOCKET


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket | None]:
    """A socket that listens, taken away at the end. None: another process of this installation has it.

    Raises ConfigurationError: it cannot be made.
    """
    try:
        sock = _opened(folder)
    except OSError as error:
        raise ConfigurationError(
            f"{socket_of(folder)}：无法监听（{error.strerror}），请核对目录的属主与权限。"
            f" Cannot listen there ({error.strerror}); see to the folder's owner and modes."
        ) from error
    if sock is None:
        log.warning("operate-socket-taken", rule="another process of this installation serves operators")
        yield None
        return
    made = socket_of(folder)
    ours = made.lstat().st_ino
    with sock:
        try:
            yield sock
        finally:
            with suppress(OSError):
                if made.lstat().st_ino == ours:
                    made.unlink()


def let_through(folder: Path) -> None:
    """Lets the operators' group pass through the installation's folder, unless others use that folder too. An operator
    may be listed at any time, so it does not wait for the first one. Raises OSError."""
    gid, _ = group_of(folder)
    if not is_shared(folder):
        give(folder, gid, THROUGH)


def _opened(folder: Path) -> socket.socket | None:
    """With its modes and its group. Raises OSError."""
    run, (gid, named) = folder / RUN, group_of(folder)
    run.mkdir(mode=RUN_MODE, exist_ok=True)
    give(run, gid, RUN_MODE)
    let_through(folder)
    with below(run) as name:
        if is_served(name):
            return None
        sock = _bound(name)
    give(socket_of(folder), gid, SOCKET_MODE)
    if not named:
        log.warning("operate-group-missing", group=GROUP, used=group_name(gid), rule="groupadd lianzhi, add operators")
    return sock


@contextmanager
def below(folder: Path) -> Iterator[str]:
    """A short name of the socket in that folder, as long as the block lasts. Raises OSError."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def is_served(name: str) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:  # so many wait that it must be alive
            return True
    return True


def closed_on_the_way(folder: Path, uid: int, gids: Collection[int]) -> Path | None:
    """The first folder from the root to `run`, or the socket, that the user of this uid and these groups may not pass,
    by its mode. None: there is none, or what is missing yet hides it. Access lists beyond the mode are not looked at.
    """
    run = folder.resolve() / RUN
    for path in (*reversed(run.parents), run, run / SOCKET):
        try:
            found = path.stat()
        except OSError:  # missing, or behind what was found closed before
            return None
        wanted = stat.S_IWOTH if path.name == SOCKET else stat.S_IXOTH
        if not _allowed(found, wanted, uid, gids):
            return path
    return None


def _allowed(found: os.stat_result, wanted: int, uid: int, gids: Collection[int]) -> bool:
    """Whether the mode lets that user do it. wanted: one of the bits of everybody else."""
    if uid == 0:
        return True
    shift = 6 if found.st_uid == uid else 3 if found.st_gid in gids else 0
    return bool(found.st_mode & wanted << shift)


def group_of(folder: Path) -> tuple[int, bool]:
    """(the group that may operate, whether it is `lianzhi`): else that of the folder's owner."""
    with suppress(KeyError):
        return grp.getgrnam(GROUP).gr_gid, True
    return os.getegid() if folder.stat().st_uid == os.geteuid() else folder.stat().st_gid, False


def give(path: Path, gid: int, mode: int) -> None:
    """To that group, with that mode. One that we may not give away stays with its group, and is told."""
    found = path.lstat()
    if found.st_gid != gid:
        try:
            os.chown(path, -1, gid, follow_symlinks=False)
        except PermissionError:
            rule = "make the gateway's user a member of the group"
            log.warning("operate-group-not-given", path=path.name, group=group_name(gid), rule=rule)
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def _bound(name: str) -> socket.socket:
    with suppress(FileNotFoundError):
        os.unlink(name)  # of a process that was killed
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.bind(name)  # others could only reach it through `run`, and are asked who they are anyway
        sock.listen(PENDING)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def opening(closed: Path, group: str) -> str:
    """The command that lets the group pass there."""
    mode = "g+rw" if closed.name == SOCKET else "g+x"
    return f"chgrp {group} {shlex.quote(str(closed))} && chmod {mode} {shlex.quote(str(closed))}"


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
