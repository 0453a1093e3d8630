"""One consuming process for each ledger. Two would hand the same message to two handlers.

The lock is an exclusive SQLite transaction on a file beside the ledger: it works on every system, and the operating
system lets it go when the process dies.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.errors import ConfigurationError


class ConsumerLock:
    """ledger: the ledger's path; the lock's file is `<ledger>.lock`."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(ledger.name + ".lock")
        self._connection: sqlite3.Connection | None = None

    def acquire(self) -> None:
        """Raises ConfigurationError when another process holds it or the folder cannot be written."""
        try:
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise ConfigurationError(
                    f"台账已被另一个进程使用（{self._path}），同一台账只能运行一个接收进程。"
                    " Another process is consuming with this ledger."
                ) from error
            raise ConfigurationError(f"{self._path}：无法写入。 Cannot be written: {error}") from error
        self._connection = connection

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def held_by_another(self) -> bool:
        """Whether a process is consuming. Raises ConfigurationError as `acquire`."""
        try:
            self.acquire()
        except ConfigurationError:
            if self._path.exists():
                return True
            raise
        self.release()
        return False
