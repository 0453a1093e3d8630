"""One process for one SQLite file, whatever the file is called: an flock(2) on the file itself.

A lock beside it (`<file>.lock`) is walked around by whoever deletes that file or reaches the database by another name.
flock(2) belongs to an open descriptor and to the inode; SQLite's own locks are fcntl(2) byte ranges, which on Linux and
the BSDs do not meet it. Those belong to the process: closing *any* descriptor of the file drops all of them, and
another process may then take the log of a database that is in use (sqlite.org/howtocorrupt.html, 2.2). So the
descriptor is opened before SQLite opens the file and closed after SQLite closed it: whoever opens a database that may
be locked here says so (`InUse`), and a descriptor is kept until nobody does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from pathlib import Path

if sys.platform != "win32":
    import fcntl

HAS_FLOCK = sys.platform != "win32"

_Inode = tuple[int, int]
_mutex = threading.Lock()
_held: set[_Inode] = set()
_users: Counter[_Inode] = Counter()
_kept: dict[_Inode, list[int]] = {}


class FileHeldError(Exception):
    """Another process, or another lock of this one, holds the file."""


class FileLock:
    """Held from its making to `release`; the kernel drops it when the process dies, so a crash leaves nothing behind.

    path: of a file that exists. Raises FileHeldError, OSError.
    """

    def __init__(self, path: Path) -> None:
        with _mutex:
            self._inode = _inode(os.stat(path))
            if self._inode in _held:
                raise FileHeldError(str(path))
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            self._inode = _inode(os.fstat(descriptor))  # what the name led to may have changed in between
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                _let_go(self._inode, descriptor)
                if isinstance(error, BlockingIOError):
                    raise FileHeldError(str(path)) from None
                raise
            _held.add(self._inode)
            self._descriptor = descriptor

    def release(self) -> None:
        """May be called again."""
        with _mutex:
            if self._descriptor < 0:
                return
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            _held.discard(self._inode)
            _let_go(self._inode, self._descriptor)
            self._descriptor = -1


class InUse:
    """That SQLite has the file open in this process, from its making to `end`. path: of a file that exists."""

    def __init__(self, path: Path) -> None:
        with _mutex:
            self._inode: _Inode | None = _inode(os.stat(path))
            _users[self._inode] += 1

    def end(self) -> None:
        """After SQLite has closed it. May be called again."""
        with _mutex:
            if self._inode is None:
                return
            _users[self._inode] -= 1
            if not _users[self._inode]:
                del _users[self._inode]
                for descriptor in _kept.pop(self._inode, ()):
                    os.close(descriptor)
            self._inode = None


def _inode(found: os.stat_result) -> _Inode:
    return found.st_dev, found.st_ino


def _let_go(inode: _Inode, descriptor: int) -> None:
    if _users[inode]:
        _kept.setdefault(inode, []).append(descriptor)
    else:
        os.close(descriptor)
