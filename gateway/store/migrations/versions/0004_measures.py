"""Measures that are hit, handed over and lapse; their history; pages and the duty roster."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.add_column("measures", sa.Column("amount", CODE))
    op.drop_index("open_measure", "measures")
    op.create_index(
        "open_measure",
        "measures",
        ["object_key", "action", "case_no"],
        unique=True,
        **only("state IN ('requested', 'active', 'hit', 'handed-over')"),
    )
    op.create_index("measures_asked", "measures", ["asked", "measure_no"])
    op.create_table(
        "measure_steps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("measure_no", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("end_on", CODE),
        sa.Column("by", CODE, nullable=False),
        sa.Column("cause", CODE),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("measure_steps_measure", "measure_steps", ["measure_no", "id"])
    op.create_table(
        "pages",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("page_id", CODE, nullable=False),
        sa.Column("alert", CODE, nullable=False),
        sa.Column("participant", CODE, nullable=False),
        sa.Column("level", CODE, nullable=False),
        sa.Column("person", CODE, nullable=False),
        sa.Column("channel", CODE, nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("page_id", name="page_id"),
        sa.UniqueConstraint("alert", "level", "person", "channel", name="page"),
        sa.ForeignKeyConstraint(["alert"], ["requests.request_no"], name="page_alert"),
    )
    op.create_index("pages_waiting", "pages", ["state", "due_at", "id"], **only("state = 'waiting'"))
    op.create_table(
        "duty_shifts",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("person", CODE, nullable=False),
        sa.PrimaryKeyConstraint("participant", "begins", "person", name="duty_shift"),
        sqlite_with_rowid=False,
    )
