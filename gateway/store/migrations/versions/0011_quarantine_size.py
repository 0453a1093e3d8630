"""Of what is refused: its whole size beside the bytes that are kept, the rule and what to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("size", NUMBER, nullable=False, server_default="0"))
    op.execute("UPDATE quarantine SET size = length(body)")
    op.add_column("quarantine", sa.Column("rule", CODE))
    op.add_column("quarantine", sa.Column("detail_zh", sa.Text()))
    op.add_column("quarantine", sa.Column("detail_en", sa.Text()))
    op.create_index("quarantine_hour", "quarantine", ["owner", "at"])
