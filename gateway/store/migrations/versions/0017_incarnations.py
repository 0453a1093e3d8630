"""How far the store has come, and which of its lives this is (docs/adr/0030)."""

from __future__ import annotations

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("incarnation", CODE, nullable=False),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("token", CODE, nullable=False),
        sa.PrimaryKeyConstraint("incarnation", name="present_incarnation"),
        sqlite_with_rowid=False,
    )
    incarnations = op.create_table(
        "incarnations",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("incarnation", CODE, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("shared_event", NUMBER, nullable=False),
        sa.UniqueConstraint("incarnation", name="incarnation"),
    )
    op.create_index("number_blocks_day", "number_blocks", ["day"])
    first = str(uuid.uuid4())
    op.bulk_insert(installation, [{"incarnation": first, "sequence": 0, "token": ""}])
    now = time.time_ns() // 1000
    op.bulk_insert(incarnations, [{"incarnation": first, "began_at": now, "shared_event": 0}])
