"""A plan of dead messages is carried out one by one: who began it, what became of each (docs/handbook/replay.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("replay_plans", sa.Column("begun_at", sa.BigInteger()))
    op.add_column("replay_plans", sa.Column("begun_by", CODE))
    op.add_column("replay_plans", sa.Column("begun_person", sa.Text()))
    op.add_column("replay_plans", sa.Column("outcomes", sa.Text()))
