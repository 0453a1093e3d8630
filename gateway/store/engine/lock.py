"""One serving process for one SQLite file: a lock on the file itself, given back by the kernel at exit."""

from __future__ import annotations

from pathlib import Path

from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.filelock import FileHeldError, FileLock
from lianzhi.files import private_file


class SingleProcessLock:
    """Holds the database's file, made when absent, until `release`; whatever name another process finds it by.

    To be made before SQLite opens the file and released after SQLite has closed it (library/lianzhi/filelock.py).
    Raises ConfigurationError in a second process, StoreUnavailableError where the file can be neither made nor opened.
    """

    def __init__(self, database: Path) -> None:
        try:
            private_file(database)
            self._lock = FileLock(database)
        except FileHeldError:
            raise ConfigurationError(
                f"数据库 {database} 已由另一进程使用（fuser {database} 可查）；SQLite 只支持一个服务进程，"
                "多进程请改用 PostgreSQL。"
                f" The database {database} is in use by another process (fuser tells which); SQLite serves one process,"
                " use PostgreSQL for more."
            ) from None
        except OSError as error:
            raise StoreUnavailableError(str(error)) from error

    def release(self) -> None:
        self._lock.release()
