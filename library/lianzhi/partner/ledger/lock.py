"""One consuming process for each ledger. Two would hand the same message to two handlers.

The lock is on the ledger's own file (`lianzhi.filelock`), so neither another name of it nor the deleting of a file
beside it makes room for a second process. Where the system has no flock(2), it is an exclusive SQLite transaction on a
file beside the ledger. The system lets either go when the process dies.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Protocol

from lianzhi.errors import ConfigurationError
from lianzhi.filelock import HAS_FLOCK, FileHeldError, FileLock
from lianzhi.files import private_file


class _Held(Protocol):
    def release(self) -> None: ...


class ConsumerLock:
    """ledger: the ledger's path; its file is made when absent. To be acquired before the ledger is opened and released
    after it was closed. flock: whether the system has it."""

    def __init__(self, ledger: Path, *, flock: bool = HAS_FLOCK) -> None:
        self._path = Path(os.path.realpath(ledger))
        self._flock = flock
        self._held: _Held | None = None

    def acquire(self) -> None:
        """Raises ConfigurationError when another process holds it or the file cannot be written."""
        try:
            private_file(self._path)
            self._held = FileLock(self._path) if self._flock else _LockBeside(Path(f"{self._path}.lock"))
        except FileHeldError as error:
            raise self._in_use() from error
        except (OSError, sqlite3.OperationalError) as error:
            raise ConfigurationError(f"{self._path}：无法写入。 Cannot be written: {error}") from error

    def release(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None

    def held_by_another(self) -> bool:
        """Whether a process is consuming. Raises ConfigurationError as `acquire`."""
        try:
            self.acquire()
        except ConfigurationError as error:
            if isinstance(error.__cause__, FileHeldError):
                return True
            raise
        self.release()
        return False

    def _in_use(self) -> ConfigurationError:
        return ConfigurationError(
            f"台账已被另一个进程使用（{self._path}），同一台账只能运行一个接收进程。"
            " Another process is consuming with this ledger."
        )


class _LockBeside:
    """Raises FileHeldError, OSError, sqlite3.OperationalError."""

    def __init__(self, path: Path) -> None:
        private_file(path)
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "locked" in str(error):
                raise FileHeldError(str(path)) from error
            raise

    def release(self) -> None:
        self._connection.close()
