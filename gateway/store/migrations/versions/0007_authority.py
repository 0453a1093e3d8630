"""Whose case a request belongs to, and whose measure it is (docs/adr/0025)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OPEN = "state IN ('requested', 'active', 'hit', 'handed-over')"
# What the one asked had done when only `case_no` was there: a hit stands in the case of its control, and these states
# come of an answer that takes a request up.
TAKEN_UP = """
    UPDATE requests SET asked_case_no = case_no
    WHERE case_no IS NOT NULL AND submission_id IS NULL AND (
        (shape = 'alert' AND related IS NOT NULL)
        OR state IN ('accepted', 'in-progress', 'partial', 'completed', 'impossible', 'closed', 'read', 'acknowledged',
                     'team-sent', 'identity-checked', 'handed-over'))
"""


def upgrade() -> None:
    op.add_column("requests", sa.Column("asked_case_no", CODE))
    op.create_index(
        "requests_asked_case",
        "requests",
        ["asked_case_no", "request_no"],
        sqlite_where=sa.text("asked_case_no IS NOT NULL"),
        postgresql_where=sa.text("asked_case_no IS NOT NULL"),
    )
    op.execute(TAKEN_UP)
    op.add_column("measures", sa.Column("opener", CODE))
    op.execute(
        "UPDATE measures SET opener = (SELECT asker FROM requests WHERE requests.request_no = measures.request_no)"
    )
    op.drop_index("open_measure", table_name="measures")
    op.create_index(
        "open_measure",
        "measures",
        ["object_key", "action", "case_no", "opener"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
