"""A first try depends on no clock; messages whose time has not come wait; the partners' clocks (docs/adr/0032)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.execute("UPDATE outbox SET due_at = 0 WHERE attempts = 0 AND (state = 'ready' OR state = 'waiting')")
    op.create_table(
        "early_messages",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("owner", CODE, nullable=False),
        sa.Column("body_sha256", CODE, nullable=False),
        sa.Column("queue", CODE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Text()),
        sa.Column("content_type", sa.Text()),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.UniqueConstraint("owner", "body_sha256", name="early_message"),
    )
    op.create_index("early_messages_time", "early_messages", ["time"])
    op.create_index("early_messages_request", "early_messages", ["owner", "request_no"])
    op.create_table(
        "partner_clocks",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("participant", name="partner_clock"),
        sqlite_with_rowid=False,
    )
