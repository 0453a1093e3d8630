"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", CODE, nullable=False),
        sa.Column("put_by", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="document"),
    )
    op.create_table(
        "events",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("audience", CODE, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("request_no", CODE),
        sa.Column("group_no", CODE),
        sa.Column("case_no", CODE),
        sa.Column("type", CODE),
        sa.Column("verb", CODE),
        sa.Column("state", CODE),
        sa.Column("message_id", CODE),
        sa.Column("digest", CODE),
        sa.Column("head", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_audience", "events", ["audience", "id"])
    op.create_index("events_request", "events", ["request_no", "id"], **only("request_no IS NOT NULL"))
    op.create_table(
        "idempotency",
        sa.Column("client", CODE, nullable=False),
        sa.Column("key", CODE, nullable=False),
        sa.Column("fingerprint", CODE, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("location", CODE),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("request_no", CODE),
        sa.PrimaryKeyConstraint("key", "client", name="idempotency_key"),
    )
    op.create_table(
        "messages",
        sa.Column("sender", CODE, nullable=False),
        sa.Column("id", CODE, nullable=False),
        sa.Column("request_no", CODE),
        sa.Column("receiver", CODE, nullable=False),
        sa.Column("verb", CODE, nullable=False),
        sa.Column("seqno", sa.Integer()),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("disclosure", sa.Text()),
        sa.Column("disposition", CODE, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("answer_id", CODE),
        sa.PrimaryKeyConstraint("id", "sender", name="message_id"),
        sa.UniqueConstraint("request_no", "sender", "seqno", name="message_seqno"),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_table(
        "notices",
        sa.Column("owner", CODE, nullable=False),
        sa.Column("body_sha256", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("body_sha256", "owner", name="notice"),
        sqlite_with_rowid=False,
    )
    op.create_index("notices_owner", "notices", ["owner", "at"])
    op.create_table(
        "number_blocks",
        sa.Column("opener", CODE, nullable=False),
        sa.Column("day", CODE, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("opener", "day", name="number_block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("owner", CODE, nullable=False),
        sa.Column("queue", CODE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("pointer", sa.Text()),
        sa.Column("user_id", sa.Text()),
        sa.Column("message_id", CODE),
        sa.Column("request_no", CODE),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("body_sha256", "owner", name="quarantine_body"),
    )
    op.create_index("quarantine_owner", "quarantine", ["owner", "id"])
    op.create_index("quarantine_reason", "quarantine", ["reason"])
    op.create_table(
        "requests",
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("type", CODE, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shape", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("asker", CODE, nullable=False),
        sa.Column("asked", CODE, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("case_no", CODE),
        sa.Column("lane", CODE, nullable=False),
        sa.Column("group_no", CODE),
        sa.Column("related", CODE),
        sa.Column("handler", CODE),
        sa.Column("client", CODE),
        sa.Column("submission_id", CODE),
        sa.Column("reply_key", CODE),
        sa.Column("reason", sa.Text()),
        sa.Column("asker_seq", sa.Integer(), nullable=False),
        sa.Column("asked_seq", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_no", name="request_no"),
    )
    op.create_index("requests_asked", "requests", ["asked", "request_no"])
    op.create_index("requests_case", "requests", ["case_no", "request_no"], **only("case_no IS NOT NULL"))
    op.create_index("requests_group", "requests", ["group_no", "request_no"], **only("group_no IS NOT NULL"))
    op.create_index("requests_state", "requests", ["state", "request_no", "type"])
    op.create_table(
        "submissions",
        sa.Column("sender", CODE, nullable=False),
        sa.Column("id", CODE, nullable=False),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("content_type", CODE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("client", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "sender", name="submission_id"),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_index("submissions_request", "submissions", ["request_no"])
    op.create_table(
        "document_refs",
        sa.Column("sha256", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.ForeignKeyConstraint(["request_no"], ["requests.request_no"], name="document_request"),
        sa.PrimaryKeyConstraint("sha256", "request_no", name="document_ref"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measures",
        sa.Column("measure_no", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("type", CODE, nullable=False),
        sa.Column("action", CODE, nullable=False),
        sa.Column("case_no", CODE, nullable=False),
        sa.Column("object_key", CODE, nullable=False),
        sa.Column("ref", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("asked", CODE, nullable=False),
        sa.Column("control_no", CODE),
        sa.Column("rank", sa.Integer()),
        sa.Column("start_on", CODE),
        sa.Column("end_on", CODE),
        sa.Column("ended_by", CODE),
        sa.ForeignKeyConstraint(["request_no"], ["requests.request_no"], name="measure_request"),
        sa.PrimaryKeyConstraint("measure_no", name="measure_no"),
    )
    op.create_index("measures_case", "measures", ["case_no"])
    op.create_index("measures_control", "measures", ["control_no", "asked"])
    op.create_index("measures_object", "measures", ["object_key"])
    op.create_index("measures_request", "measures", ["request_no"])
    op.create_index("measures_state", "measures", ["state"])
    op.create_index(
        "open_measure",
        "measures",
        ["object_key", "action", "case_no"],
        unique=True,
        **only("state = 'requested' OR state = 'active'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("sender", CODE, nullable=False),
        sa.Column("message_id", CODE, nullable=False),
        sa.Column("receiver", CODE, nullable=False),
        sa.Column("request_no", CODE),
        sa.Column("seqno", sa.Integer()),
        sa.Column("verb", CODE, nullable=False),
        sa.Column("routing_key", CODE, nullable=False),
        sa.Column("overtakes", sa.Boolean(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", CODE),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(["message_id", "sender"], ["messages.id", "messages.sender"], name="outbox_bytes"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", "sender", name="outbox_message"),
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 5000},
    )
    op.create_index("outbox_request", "outbox", ["request_no", "sender", "seqno"])
    op.create_index("outbox_unsent", "outbox", ["state", "due_at", "id"], **only("state = 'ready' OR state = 'parked'"))
    op.create_table(
        "timers",
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("request_no", "kind", name="timer"),
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 5000},
        sqlite_with_rowid=False,
    )
    op.create_index("timers_due", "timers", ["due_at"])
