"""Troubles that duty officers are told of, and what is told of each to whom (docs/adr/0052)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("outcome = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("family", CODE, nullable=False),
        sa.Column("subject", CODE, nullable=False),
        sa.Column("scope", CODE, nullable=False),
        sa.Column("alarm_id", CODE, nullable=False),
        sa.Column("condition", CODE, nullable=False),
        sa.Column("severity", CODE, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger()),
        sa.Column("clear_at", sa.BigInteger()),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("family", "subject", "scope", name="alarm"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tellings",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("alarm_id", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("way", CODE, nullable=False),
        sa.Column("recipient", CODE, nullable=False),
        sa.Column("condition", CODE, nullable=False),
        sa.Column("severity", CODE, nullable=False),
        sa.Column("subject", CODE, nullable=False),
        sa.Column("scope", CODE, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("outcome", CODE, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alarm_id", "state", "way", "recipient", name="telling"),
    )
    op.create_index(
        "tellings_waiting", "tellings", ["outcome", "due_at", "id"], sqlite_where=WAITS, postgresql_where=WAITS
    )
