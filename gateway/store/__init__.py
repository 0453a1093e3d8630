"""The database: all SQL of the project.

`await upkeep.migrate.migrate(url)` brings the schema up to date (imported by who needs it: it takes alembic along);
`await open_store(url, serving=True)` gives the `application.ports.store.Store`.
"""

from gateway.store.store import SqlStore, SqlTransaction, open_store

__all__ = ["SqlStore", "SqlTransaction", "open_store"]
