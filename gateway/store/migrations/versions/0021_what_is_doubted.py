"""What a doubtful POST is about: codes and the case number, so that a person can ask about it (docs/adr/0030)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = ("receiver", "type", "verb", "case_no")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("doubts", sa.Column(name, CODE))
