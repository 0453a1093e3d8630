"""Timers that our own code failed over are tried again later (docs/adr/0028)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("timers", sa.Column("failures", NUMBER, nullable=False, server_default=sa.text("0")))
    op.add_column("timers", sa.Column("retry_at", sa.BigInteger()))
