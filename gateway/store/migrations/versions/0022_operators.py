"""What operators do: holds, acts, quarantine rows dealt with, plans of two persons (docs/adr/0047)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DEAD = sa.text("state = 'parked' OR state = 'dead'")
INCIDENT = sa.text("kind = 'incident'")


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("scope", CODE, nullable=False),
        sa.Column("name", CODE, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("user", CODE, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name="hold"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "operator_acts",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user", CODE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", CODE, nullable=False),
        sa.Column("act", CODE, nullable=False),
        sa.Column("about", CODE, nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("result", CODE, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("operator_acts_about", "operator_acts", ["about", "id"])
    op.create_table(
        "quarantine_ends",
        sa.Column("row_id", ROW_ID, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user", CODE, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("how", CODE, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("row_id", name="quarantine_end"),
    )
    op.create_table(
        "replay_plans",
        sa.Column("plan_no", ROW_ID, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user", CODE, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", CODE),
        sa.Column("ended_person", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_dead", "outbox", ["receiver", "id"], sqlite_where=DEAD, postgresql_where=DEAD)
    op.create_index("events_incidents", "events", ["audience", "id"], sqlite_where=INCIDENT, postgresql_where=INCIDENT)
