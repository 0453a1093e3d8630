"""The spool: submissions that the gateway has not answered yet, in a small SQLite file that survives a crash.

A row is committed before the first attempt and holds the exact bytes and the Idempotency-Key; every attempt sends
these. When the gateway has answered, the bytes are overwritten and only the answer stays. The feed's cursor and the
pinned key set stand beside them. The file holds personal data while something is unanswered: mode 600.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import ConfigurationError, MisuseError, StoreUnavailableError
from lianzhi.files import WAL_BYTES, private_file, private_folder

T = TypeVar("T")
SCHEMA_VERSION = 1
ANSWERS_KEPT = timedelta(days=90)
_SCHEMA = """
CREATE TABLE outgoing (
    key TEXT PRIMARY KEY, made_at TEXT NOT NULL, path TEXT NOT NULL, content_type TEXT NOT NULL,
    fingerprint TEXT NOT NULL, body BLOB, attempts INTEGER NOT NULL DEFAULT 0,
    status INTEGER, answer TEXT, answered_at TEXT, incarnation TEXT
);
CREATE INDEX outgoing_unanswered ON outgoing (made_at) WHERE status IS NULL;
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# What was refused changed nothing at the gateway either: the key is free for the corrected words.
_PUT = """
INSERT INTO outgoing (key, made_at, path, content_type, fingerprint, body, incarnation) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET made_at = excluded.made_at, path = excluded.path, body = excluded.body,
    content_type = excluded.content_type, fingerprint = excluded.fingerprint, incarnation = excluded.incarnation,
    attempts = 0, status = NULL, answer = NULL, answered_at = NULL
WHERE outgoing.status >= 400
"""
_COLUMNS = "key, path, content_type, fingerprint, body, status, answer, incarnation"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One POST. key: its Idempotency-Key. fingerprint: of what was meant, before salt and signature.

    status, answer: what the gateway said, None until then; then body is gone. incarnation: of the gateway's store, as
    it was known when this was made; sent with every try, so that a retry can be told from what is new.
    """

    key: str
    path: str
    content_type: str
    fingerprint: str
    body: bytes | None
    status: int | None = None
    answer: str | None = None
    incarnation: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and self.status < 400


def fingerprint(path: str, content: Any) -> str:
    """SHA-256, hex, of what is said and where: the same content is the same intention, whatever its salt."""
    return hashlib.sha256(dumps([path, content]).encode()).hexdigest()


class Spool:
    """One file for one court system at one gateway. Every call runs on a thread of its own, one at a time."""

    def __init__(self, path: Path, owner: str, now: Callable[[], datetime]) -> None:
        """owner: `<court>@<gateway>`; a spool of another one is refused."""
        self._path = path
        self._owner = owner
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lianzhi-spool")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises ConfigurationError: cannot be written, of a newer version, or of another court."""
        await self._run(self._open)

    async def close(self) -> None:
        await self._run(self._close)
        self._thread.shutdown()

    async def put(self, item: Outgoing) -> Outgoing:
        """Commits `item`, and returns what stands under its key: `item`, or the same thing said earlier.

        What was refused before gives way. Raises MisuseError when the key stands for something else.
        """
        return await self._run(lambda: self._put(item))

    async def get(self, key: str) -> Outgoing | None:
        return await self._run(lambda: self._get(key))

    async def said_before(self, key: str) -> Outgoing | None:
        """The latest accepted submission that meant the same as that of `key`, under another key."""
        return await self._run(lambda: self._said_before(key))

    async def unanswered(self) -> list[str]:
        """Keys, oldest first."""
        return await self._run(lambda: [row[0] for row in self._db.execute(
            "SELECT key FROM outgoing WHERE status IS NULL ORDER BY made_at, rowid"
        )])  # fmt: skip

    async def attempted(self, key: str) -> None:
        await self._run(lambda: self._execute("UPDATE outgoing SET attempts = attempts + 1 WHERE key = ?", key))

    async def answered(self, key: str, status: int, answer: str) -> None:
        """Commits the answer and destroys the bytes."""
        await self._run(lambda: self._execute(
            "UPDATE outgoing SET status = ?, answer = ?, answered_at = ?, body = NULL WHERE key = ?",
            status, answer, self._now().isoformat(), key,
        ))  # fmt: skip

    async def note(self, name: str) -> str | None:
        """A small text kept under a name: the feed's cursor, the pinned keys."""
        return await self._run(lambda: self._note(name))

    async def keep(self, name: str, value: str) -> None:
        await self._run(lambda: self._execute("INSERT OR REPLACE INTO note VALUES (?, ?)", name, value))

    # on the thread

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise MisuseError("the spool is not open")
        return self._connection

    async def _run(self, work: Callable[[], T]) -> T:
        """Raises StoreUnavailableError: the file is locked, full, broken or gone."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise StoreUnavailableError(
                f"{self._path}：发件台账读写失败（{error}）。 The spool cannot be read or written."
            ) from error

    def _execute(self, sql: str, *parameters: Any) -> None:
        self._db.execute(sql, parameters)

    def _open(self) -> None:
        try:
            private_folder(self._path.parent)
            private_file(self._path)
            db = sqlite3.connect(self._path, isolation_level=None, timeout=10.0, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk
            db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
            db.execute("PRAGMA secure_delete = ON")  # what is overwritten is gone
            self._connection = db
            self._prepare(db)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"{self._path}：打不开发件台账。 The spool cannot be opened: {error}") from error

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("INSERT INTO note VALUES ('owner', ?)", (self._owner,))
        elif version != SCHEMA_VERSION:
            raise self._wrong("由更新的版本写成，请升级", "was written by a newer version; upgrade this library")
        elif (owner := self._note("owner")) != self._owner:
            raise self._wrong(f"属于 {owner}，请另指定文件", f"belongs to {owner}; name another file")
        elif "incarnation" not in {row[1] for row in db.execute("PRAGMA table_info(outgoing)")}:
            db.execute("ALTER TABLE outgoing ADD COLUMN incarnation TEXT")  # the older library passes over it
        db.execute("DELETE FROM outgoing WHERE answered_at < ?", ((self._now() - ANSWERS_KEPT).isoformat(),))
        db.execute("COMMIT")

    def _wrong(self, zh: str, en: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path}：{zh}。 The spool {en}.")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _get(self, key: str) -> Outgoing | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM outgoing WHERE key = ?", (key,)).fetchone()  # noqa: S608
        return None if row is None else Outgoing(*row)

    def _said_before(self, key: str) -> Outgoing | None:
        same = (
            f"SELECT {_COLUMNS} FROM outgoing WHERE fingerprint = (SELECT fingerprint FROM outgoing WHERE key = ?)"  # noqa: S608
            " AND key <> ? AND status < 400 ORDER BY made_at DESC, rowid DESC LIMIT 1"
        )
        row = self._db.execute(same, (key, key)).fetchone()
        return None if row is None else Outgoing(*row)

    def _note(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _put(self, item: Outgoing) -> Outgoing:
        at = self._now().isoformat()
        self._execute(_PUT, item.key, at, item.path, item.content_type, item.fingerprint, item.body, item.incarnation)
        kept = self._get(item.key)
        if kept is None or kept.fingerprint != item.fingerprint:
            raise MisuseError(f"键 {item.key} 已用于其他内容 the key {item.key} stands for something else")
        return kept


def answer_of(item: Outgoing) -> Any:
    """The JSON that the gateway answered."""
    if item.answer is None:
        raise MisuseError(f"{item.key} has no answer yet")
    return json.loads(item.answer)
