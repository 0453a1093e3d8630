"""What registers really answered stands on the measure; the debt of a case is one figure with its history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("receipt_no", "seized", "appraised"):
        op.add_column("measures", sa.Column(name, CODE))
    op.add_column("measures", sa.Column("published_at", sa.BigInteger()))
    op.create_table(
        "case_debts",
        sa.Column("court", CODE, nullable=False),
        sa.Column("case_no", CODE, nullable=False),
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("amount", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("reason", CODE),
        sa.PrimaryKeyConstraint("case_no", "court", "seq", name="case_debt"),
        sqlite_with_rowid=False,
    )
