"""Alembic's entry: runs inside the connection and transaction that `gateway.store.upkeep.migrate` has begun."""

from alembic import context

from gateway.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,  # ours: SQLite's driver leaves BEGIN to us
)
with context.begin_transaction():
    context.run_migrations()
