"""Messages that wait for an earlier number, each with its size and without its bytes."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FETCH = 100


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("sender", CODE, nullable=False),
        sa.Column("request_no", CODE, nullable=False),
        sa.Column("seqno", NUMBER, nullable=False),
        sa.Column("message_id", CODE, nullable=False),
        sa.Column("verb", CODE, nullable=False),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("body_sha256", CODE, nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("sender", "request_no", "seqno", name="held_seqno"),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())


def _fill(bind: sa.Connection) -> None:
    """What waits already, some at a time: their bytes may be many."""
    keys = bind.execute(sa.text("SELECT id, sender FROM messages WHERE disposition = 'held' ORDER BY id")).all()
    read = sa.text(
        "SELECT id, sender, request_no, seqno, verb, digest, jws, disclosure FROM messages"
        " WHERE id = :id AND sender = :sender"
    )
    write = sa.text(
        "INSERT INTO held (sender, request_no, seqno, message_id, verb, digest, body_sha256, size)"
        " VALUES (:sender, :request_no, :seqno, :id, :verb, :digest, :body_sha256, :size)"
    )
    for start in range(0, len(keys), FETCH):
        rows = []
        for message_id, sender in keys[start : start + FETCH]:
            row = bind.execute(read, {"id": message_id, "sender": sender}).mappings().one()
            body = f"{row['jws']}~{row['disclosure'] or ''}~".encode()
            names = ("id", "sender", "request_no", "seqno", "verb", "digest")
            rows.append(
                {n: row[n] for n in names} | {"body_sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            )
        bind.execute(write, rows)
