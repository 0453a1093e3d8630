"""Messages about requests of ours that the store does not have, whole; and what a doubt turned out to be
(docs/adr/0041)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "forgotten_messages",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("owner", CODE, nullable=False),
        sa.Column("body_sha256", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("sender", CODE, nullable=False),
        sa.Column("message_id", CODE, nullable=False),
        sa.Column("verb", CODE, nullable=False),
        sa.Column("seqno", NUMBER, nullable=False),
        sa.Column("causationid", CODE),
        sa.Column("submissionhash", CODE),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("taken_up_at", sa.BigInteger()),
        sa.UniqueConstraint("owner", "body_sha256", name="forgotten_message"),
    )
    op.create_index("forgotten_messages_request", "forgotten_messages", ["request_no"])
    op.create_index("forgotten_messages_submission", "forgotten_messages", ["submissionhash"])
    op.add_column("doubts", sa.Column("request_no", CODE))
    op.add_column("doubts", sa.Column("submissionhash", CODE))
