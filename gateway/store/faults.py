"""Database errors become ours at one place; what is not named here is our own fault and crashes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.errors import ConflictError, StoreUnavailableError
from gateway.store.tables import metadata

# SQLite primary result codes: busy, locked, read-only, I/O error, full, cannot open.
SQLITE_UNAVAILABLE = frozenset({5, 6, 8, 10, 13, 14})
# PostgreSQL classes: connection, resources (disk full, too many connections), operator intervention, system error.
POSTGRES_UNAVAILABLE = ("08", "53", "57", "58")
# Read-only after a failover; a lock not had in time.
POSTGRES_UNAVAILABLE_STATES = frozenset({"25006", "55P03"})
# Serialization failure and deadlock: nobody is wrong, the unit is run again.
POSTGRES_AGAIN = frozenset({"40001", "40P01"})


@contextmanager
def translated() -> Iterator[None]:
    """Raises ConflictError (constraint name in kebab case) and StoreUnavailableError in place of driver errors.

    After StoreUnavailableError nothing was written, except that a link lost during COMMIT leaves the outcome
    unknown: the unit is run again and its keys (message id, idempotency key, rev) tell.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translate(error) from error
    except (OSError, PoolTimeoutError) as error:  # TimeoutError is an OSError
        raise StoreUnavailableError(str(error) or type(error).__name__) from error


def _translate(error: DBAPIError) -> Exception:
    origin = error.orig
    state = getattr(origin, "sqlstate", None)
    if state in POSTGRES_AGAIN:
        return ConflictError("deadlock")
    if isinstance(error, IntegrityError):
        name = _constraint(origin)
        return ConflictError(name.replace("_", "-")) if name else error
    if error.connection_invalidated or _unavailable(origin, state):
        return StoreUnavailableError(str(origin))
    return error


def _unavailable(origin: BaseException | None, state: str | None) -> bool:
    if isinstance(origin, sqlite3.Error):
        code = getattr(origin, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in SQLITE_UNAVAILABLE
    return state is not None and (state.startswith(POSTGRES_UNAVAILABLE) or state in POSTGRES_UNAVAILABLE_STATES)


def _constraint(origin: BaseException | None) -> str | None:
    """The name of the unique constraint that said no; None for any other kind."""
    if isinstance(origin, sqlite3.IntegrityError):
        columns = str(origin).partition("UNIQUE constraint failed: ")[2]
        return _UNIQUE.get(columns)
    cause = getattr(origin, "__cause__", None)
    name = getattr(cause, "constraint_name", None)
    return name if name in _UNIQUE.values() else None


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


_UNIQUE = _unique_names()
