"""Where each unsent message goes, which of them have to wait, and which queues take nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
READY = sa.text("state = 'ready'")
WAITING = sa.text("state = 'waiting'")
UNSENT = sa.text("state = 'ready' OR state = 'waiting' OR state = 'parked'")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("route", CODE, nullable=False, server_default=sa.text("''")))
    # Sent ones too: each may be sent again.
    op.execute(
        "UPDATE outbox SET route = receiver || CASE "
        "WHEN substr(routing_key, length(receiver) + 2, 7) = 'urgent.' THEN '.urgent' ELSE '.normal' END"
    )
    op.drop_index("outbox_unsent", "outbox")
    op.drop_index("outbox_request", "outbox")  # sent rows are found by their messages
    op.create_index("outbox_ready", "outbox", ["route", "due_at", "id"], sqlite_where=READY, postgresql_where=READY)
    op.create_index(
        "outbox_unsent",
        "outbox",
        ["request_no", "sender", "seqno", "state", "id"],
        sqlite_where=UNSENT,
        postgresql_where=UNSENT,
    )
    op.create_index(
        "outbox_waiting", "outbox", ["request_no", "sender"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.execute(
        "UPDATE outbox SET state = 'waiting' WHERE state = 'ready' AND NOT overtakes AND EXISTS ("
        "SELECT 1 FROM outbox AS earlier WHERE earlier.request_no = outbox.request_no "
        "AND earlier.sender = outbox.sender AND earlier.seqno < outbox.seqno "
        "AND (earlier.state = 'ready' OR earlier.state = 'waiting' OR earlier.state = 'parked'))"
    )
    op.create_table(
        "paused_routes",
        sa.Column("route", CODE, nullable=False),
        sa.Column("participant", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("route", name="paused_route"),
        sqlite_with_rowid=False,
    )
