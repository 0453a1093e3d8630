"""The court's ledgers and the figures that it hands in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("ledger", CODE, nullable=False),
        sa.Column("item_no", CODE, nullable=False),
        sa.Column("source", CODE, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("day", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settles", sa.Boolean(), nullable=False),
        sa.Column("due_on", CODE),
        sa.Column("amount", CODE),
        sa.Column("case_no", CODE),
        sa.Column("request_no", CODE),
        sa.Column("partner", CODE),
        sa.Column("team", sa.Text()),
        sa.PrimaryKeyConstraint("ledger", "item_no", "source", name="ledger_entry"),
    )
    op.create_table(
        "court_figures",
        sa.Column("period", CODE, nullable=False),
        sa.Column("name", CODE, nullable=False),
        sa.Column("value", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("period", "name", name="court_figure"),
        sqlite_with_rowid=False,
    )
