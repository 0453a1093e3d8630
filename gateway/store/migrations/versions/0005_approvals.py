"""Approvals given after a submission, daily limits, and cases that are let go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("request_no", CODE, sa.ForeignKey("requests.request_no", name="approval_request"), nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("approver", CODE, nullable=False),
        sa.Column("role", CODE, nullable=False),
        sa.Column("decision", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("client", CODE, nullable=False),
        sa.Column("submission_id", CODE, nullable=False),
        sa.PrimaryKeyConstraint("request_no", "kind", "approver", name="approval"),
    )
    op.create_table(
        "daily_uses",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("who", CODE, nullable=False),
        sa.Column("day", CODE, nullable=False),
        sa.Column("what", CODE, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("participant", "who", "day", "what", name="daily_use"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subject_uses",
        sa.Column("subject_key", CODE, nullable=False),
        sa.Column("request_no", CODE, sa.ForeignKey("requests.request_no", name="subject_request"), nullable=False),
        sa.Column("handler", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", "request_no", name="subject_use"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "releases",
        sa.Column("release_no", CODE, nullable=False),
        sa.Column("court", CODE, nullable=False),
        sa.Column("case_no", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("ordered_by", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", CODE, nullable=False),
        sa.PrimaryKeyConstraint("release_no", name="release"),
    )
    op.create_index("releases_case", "releases", ["case_no", "release_no"])
    op.create_table(
        "release_items",
        sa.Column("release_no", CODE, sa.ForeignKey("releases.release_no", name="release_of_item"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("request_no", CODE),
        sa.Column("measure_no", CODE),
        sa.Column("reason", CODE),
        sa.PrimaryKeyConstraint("release_no", "seq", name="release_item"),
        sqlite_with_rowid=False,
    )
