"""POSTs that may be retries of what was done before a restore (docs/adr/0030)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("incarnations", sa.Column("doubts_ended_at", sa.BigInteger()))
    op.create_table(
        "doubts",
        sa.Column("client", CODE, nullable=False),
        sa.Column("key", CODE, nullable=False),
        sa.Column("participant", CODE, nullable=False),
        sa.Column("path", CODE, nullable=False),
        sa.Column("fingerprint", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.PrimaryKeyConstraint("key", "client", name="doubt"),
        sqlite_with_rowid=False,
    )
