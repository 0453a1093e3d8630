"""The database: all SQL of the project.

`await migrate(url)` brings the schema up to date; `await open_store(url, serving=True)` gives the
`services.ports.Store`.
"""

from gateway.store.migrate import migrate
from gateway.store.store import SqlStore, open_store
from gateway.store.transaction import SqlTransaction

__all__ = ["SqlStore", "SqlTransaction", "migrate", "open_store"]
