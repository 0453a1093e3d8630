"""Translates database errors into errors of ours; one that is not named here is our own fault and crashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import asyncpg
from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.store.engine.columns import metadata
from lianzhi.errors import ConfigurationError, ConflictError, StoreUnavailableError

# SQLite primary result codes: busy, locked, read-only, I/O error, full, cannot open.
SQLITE_UNAVAILABLE = frozenset({5, 6, 8, 10, 13, 14})
# PostgreSQL classes: connection, resources (disk full, too many connections), operator intervention, system error.
POSTGRES_UNAVAILABLE = ("08", "53", "57", "58")
# Read-only after a failover; a lock not had in time; a session ended while this process was stopped.
POSTGRES_UNAVAILABLE_STATES = frozenset({"25006", "25P03", "55P03"})
# Serialization failure and deadlock: nobody is wrong, the unit is run again.
# The database is there and does not let us in, or there is none of that name.
POSTGRES_REFUSALS = ("28", "3D")
# A statement that we prepared is not there, or is there already: another session answers than the one before.
POSTGRES_POOLER_STATES = frozenset({"26000", "42P05"})
UNSUPPORTED = "unsupported startup parameter"  # pgbouncer's words
POOLER = (
    "[store] url：经由 pgbouncer 之类的连接池不能用：它丢掉会话设置和预备语句。请直接连 PostgreSQL："
    "本网关自己保持连接（每个进程至多 10 个）。"
    " A pooler such as pgbouncer in between does not work: it drops the session's settings and prepared statements."
    " Connect to PostgreSQL itself; the gateway keeps connections of its own, ten for each process at most."
)
POSTGRES_AGAIN = frozenset({"40001", "40P01"})


@contextmanager
def translated() -> Iterator[None]:
    """Raises ConflictError (constraint name in kebab case) and StoreUnavailableError in place of driver errors.

    After StoreUnavailableError nothing was written, except that a link lost during COMMIT leaves the outcome
    unknown: the unit is run again and its keys (message id, idempotency key, rev) tell.
    """
    try:
        yield
    except Exception as error:
        ours = _of_pooler(error) or _of_sqlite(error) or _of_postgres(error) or _of_network(error)
        if ours is None:
            raise
        raise ours from error


def _of_pooler(error: Exception) -> Exception | None:
    """Also where SQLAlchemy has put its own error around the driver's."""
    if getattr(error, "sqlstate", None) in POSTGRES_POOLER_STATES or UNSUPPORTED in str(error):
        return ConfigurationError(POOLER)
    return None


def _of_sqlite(error: Exception) -> Exception | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code & 0xFF in SQLITE_UNAVAILABLE:
        return StoreUnavailableError(str(error))
    columns = str(error).partition("UNIQUE constraint failed: ")[2]
    return _conflict(_unique_names().get(columns))


def _of_postgres(error: Exception) -> Exception | None:
    state = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.InterfaceError) and "clos" in str(error):
        return StoreUnavailableError(str(error))
    if isinstance(error, asyncpg.InternalClientError):
        # The server's farewell to a process that was stopped arrives between two statements: out of step for good.
        return StoreUnavailableError(str(error))
    if state is None:
        return None
    if state in POSTGRES_AGAIN:
        return ConflictError("deadlock")
    if state.startswith((*POSTGRES_UNAVAILABLE, *POSTGRES_REFUSALS)) or state in POSTGRES_UNAVAILABLE_STATES:
        return StoreUnavailableError(str(error))
    name = getattr(error, "constraint_name", None)
    return _conflict(name if name in _unique_names().values() else None)


def is_refusal(error: BaseException | None) -> bool:
    """Whether waiting would not mend it: a wrong password, user or database name. error: the driver's."""
    return str(getattr(error, "sqlstate", None) or "").startswith(POSTGRES_REFUSALS)


def _of_network(error: Exception) -> Exception | None:
    """Refused, unreachable, timed out (TimeoutError is an OSError), or no connection free in time."""
    if isinstance(error, (OSError, PoolTimeoutError)):
        return StoreUnavailableError(str(error) or type(error).__name__)
    return None


def _conflict(name: str | None) -> ConflictError | None:
    return None if name is None else ConflictError(name.replace("_", "-"))


@cache
def _unique_names() -> dict[str, str]:
    """SQLite names the columns, PostgreSQL the constraint: `messages.id, messages.sender` → `message_id`."""
    found: dict[str, str] = {}
    for table in metadata.tables.values():
        uniques = [c for c in table.constraints if isinstance(c, (PrimaryKeyConstraint, UniqueConstraint))]
        indexes: list[Index] = [i for i in table.indexes if i.unique]
        for item in (*uniques, *indexes):
            columns = ", ".join(f"{table.name}.{column.name}" for column in item.columns)
            if item.name is not None:
                found[columns] = str(item.name)
    return found
