"""What the application's own statements may do in the ledger's file: everything with its tables, nothing with ours.

SQLite asks an authorizer about every action when it compiles a statement, whatever the words look like, also inside
triggers (https://www.sqlite.org/c3ref/set_authorizer.html). It stays installed, because installing one makes SQLite
compile all known statements again; a mode says for whom it answers. Python keeps compiled statements by their text, so
the application's carry a mark: none of ours is ever taken for one of theirs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from lianzhi.errors import MisuseError

Mode = Literal["ours", "write", "prepare", "query"]
Parameters = Sequence[Any] | Mapping[str, Any]

OURS = "lz_"
_MARK = "/* application */ "
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA})
_CONTROL = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT})
_BY_FIRST = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})  # the second is a column


class Guard:
    """One for each connection; used on its thread only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._mode: Mode = "ours"
        self._denied = False
        connection.set_authorizer(self._authorize)

    def write(self, sql: str, parameters: Parameters) -> None:
        """One statement of a transaction. Raises MisuseError, sqlite3.Error."""
        with self._answering("write"):
            self._connection.execute(_MARK + sql, parameters)

    def query(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Reads any table. Raises MisuseError for anything else, sqlite3.Error."""
        with self._answering("query"):
            return self._connection.execute(_MARK + sql, parameters).fetchall()

    def script(self, script: str) -> None:
        """Statements outside any transaction of ours; one of its own has to end with it. Raises MisuseError,
        sqlite3.Error."""
        try:
            with self._answering("prepare"):
                self._connection.executescript(script)
            if self._connection.in_transaction:
                raise MisuseError("脚本中的事务没有结束 the script leaves a transaction open: COMMIT it")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _answering(self, mode: Mode) -> Iterator[None]:
        self._mode, self._denied = mode, False
        try:
            yield
        except sqlite3.DatabaseError as error:
            if self._denied:
                raise MisuseError(_WHY[mode]) from error
            raise
        finally:
            self._mode = "ours"

    def _authorize(
        self, action: int, first: str | None, second: str | None, database: str | None, trigger: str | None
    ) -> int:
        if self._mode == "ours" or action in _READING or self._allowed(action, first or "", second or ""):
            return sqlite3.SQLITE_OK
        self._denied = True
        return sqlite3.SQLITE_DENY

    def _allowed(self, action: int, first: str, second: str) -> bool:
        if self._mode == "query":
            return False
        if action in _CONTROL:
            return self._mode == "prepare"
        if action in _FORBIDDEN:
            return False
        names = (first,) if action in _BY_FIRST else (first, second)
        return not any(name.lower().startswith(OURS) for name in names)


_WHY: dict[Mode, str] = {
    "write": "只能写自己的表：不得改动 lz_ 开头的表，不得 ATTACH、PRAGMA、COMMIT"
    " write your own tables only: not those that begin with lz_, and no ATTACH, PRAGMA or COMMIT",
    "prepare": "只能建自己的表：不得改动 lz_ 开头的表，不得 ATTACH、PRAGMA"
    " prepare your own tables only: not those that begin with lz_, and no ATTACH or PRAGMA",
    "query": "这里只能查询 only queries here; write in a transaction",
}
