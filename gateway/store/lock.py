"""One serving process for one SQLite file: an advisory lock on `<file>.lock`, given back by the kernel at exit."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from gateway.errors import ConfigurationError


class SingleProcessLock:
    """Holds `<database>.lock` until `release`; a second process raises ConfigurationError.

    The kernel drops the lock when the process dies, so a crash leaves nothing to clean up. The file stays: deleting
    it would let two processes each lock a file of that name.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "?"
            os.close(self._fd)
            raise ConfigurationError(
                f"数据库 {database} 已由另一进程（pid {holder}）使用；SQLite 只支持一个服务进程，"
                "多进程请改用 PostgreSQL。"
                f" The database {database} is in use by another process (pid {holder}); SQLite serves one process, "
                "use PostgreSQL for more."
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
