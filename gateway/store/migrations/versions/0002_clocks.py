"""Terms that can be counted again, and the calendars that they are counted on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("timers", sa.Column("start_at", sa.BigInteger()))
    op.add_column("timers", sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_index(
        "timers_provisional",
        "timers",
        ["due_at"],
        sqlite_where=sa.text("provisional"),
        postgresql_where=sa.text("provisional"),
    )
    op.create_table(
        "calendars",
        sa.Column("year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("issued_on", CODE, nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("year", name="calendar"),
    )
