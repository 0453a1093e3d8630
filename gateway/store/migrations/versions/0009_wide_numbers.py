"""Numbers that somebody else chooses, and counts that grow with what he sends, have 64 bits on both databases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# (table, column, may be absent)
COLUMNS = (
    ("requests", "version", False),
    ("requests", "rev", False),
    ("requests", "asker_seq", False),
    ("requests", "asked_seq", False),
    ("requests", "held", False),
    ("messages", "seqno", True),
    ("outbox", "seqno", True),
    ("outbox", "attempts", False),
    ("paused_routes", "failures", False),
    ("paused_routes", "allowed", False),
    ("timers", "count", False),
    ("measures", "rank", True),
    ("quarantine", "count", False),
    ("idempotency", "status", False),
    ("calendars", "year", False),
    ("pages", "attempts", False),
    ("daily_uses", "used", False),
    ("release_items", "seq", False),
)


def upgrade() -> None:
    """An INTEGER of SQLite has 64 bits already."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column, nullable in COLUMNS:
        op.alter_column(table, column, type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=nullable)
