"""One administrator at a time changes an installation: two at once would write over each other's files.

The lock is flock(2) on the folder itself: nothing is left behind by a crash, and no file has to be there first. Editors
do not know it; what they write is put in place at once and read whole.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import ParamSpec, TypeVar

from lianzhi.cli.output import fail

P = ParamSpec("P")
R = TypeVar("R")
LOCKS = Path("/proc/locks")
AGAIN_SECONDS = 0.1


@contextmanager
def alone(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Nobody else's command changes the installation meanwhile. patience: seconds to wait for another one.

    Ends the command, in words, where another one is at work. A folder that is not there is left to whoever needs it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _take(descriptor, folder, time.monotonic() + patience)
        yield
    finally:
        os.close(descriptor)


def one_at_a_time(command: Callable[P, R]) -> Callable[P, R]:
    """The whole command, which has a parameter `folder`, is `alone`."""

    given = signature(command)

    @wraps(command)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        called = given.bind(*args, **kwargs)
        called.apply_defaults()
        folder: Path = called.arguments["folder"]
        with alone(folder):
            return command(*args, **kwargs)

    return whole


def _take(descriptor: int, folder: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                break
            time.sleep(AGAIN_SECONDS)
    who = holder(os.fstat(descriptor).st_ino)
    named = f"（进程 process {who}）" if who is not None else ""
    fail(
        f"{folder}：另一名管理员的命令正在修改本安装{named}，本命令什么也没有改；等它结束后重试。"
        " Another administrator's command is changing this installation. Nothing was changed by this one: try again"
        " when that is done."
    )


def holder(inode: int) -> int | None:
    """The process that has locked it, where the kernel says so (proc(5), `/proc/locks`)."""
    try:
        lines = LOCKS.read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()  # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF
        if len(words) >= 6 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return None
