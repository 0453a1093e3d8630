"""What operators' lists are found and ordered by, silent partners, the daily mail (docs/adr/0050)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

CODE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BATCH = 1000
DONE = {
    "ask": {"refused", "returned", "rejected", "withdrawn", "closed"},
    "alert": {"handed-over", "false-hit", "withdrawn", "lapsed"},
    "notice": {"withdrawn", "rejected", "read"},
}
"""As of this version, whatever the code says later."""
ASKER = {"blocked", "supplement-wanted", "partial", "completed", "impossible"}
INDEXES: dict[str, tuple[list[str], str]] = {
    "requests_due": (["due_at"], "turn <> ''"),
    "requests_due_turn": (["turn", "asker", "due_at"], "turn <> ''"),
    "requests_due_asked": (["asked", "turn", "due_at"], "turn <> ''"),
    "requests_age": (["created_at"], "turn <> ''"),
    "requests_age_turn": (["turn", "asker", "created_at"], "turn <> ''"),
    **{
        f"requests_due_{name}": ([name, "due_at"], f"turn IS NOT NULL AND {name} IS NOT NULL")
        for name in ("handler", "team", "campaign", "lead")
    },
}


def upgrade() -> None:
    op.add_column("requests", sa.Column("turn", CODE))
    op.add_column("requests", sa.Column("due_at", sa.BigInteger()))
    for name in ("team", "campaign", "lead"):
        op.add_column("requests", sa.Column(name, CODE))
    _fill()
    op.create_table(
        "silences",
        sa.Column("participant", CODE, nullable=False),
        sa.Column("cause", CODE, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("participant", name="silence"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "digests",
        sa.Column("day", CODE, nullable=False),
        sa.Column("recipient", CODE, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("day", "recipient", name="digest"),
        sqlite_with_rowid=False,
    )
    for name, (columns, condition) in INDEXES.items():
        only = sa.text(condition)
        op.create_index(name, "requests", [*columns, "request_no"], sqlite_where=only, postgresql_where=only)


def _fill() -> None:
    """Campaign and lead were not kept before."""
    connection, after = op.get_bind(), ""
    page = sa.text(
        "SELECT request_no, shape, state, facts FROM requests "
        "WHERE request_no > :after ORDER BY request_no LIMIT :limit"
    )
    change = sa.text("UPDATE requests SET turn = :turn, due_at = :due_at, team = :team WHERE request_no = :request_no")
    while rows := connection.execute(page, {"after": after, "limit": BATCH}).all():
        after = rows[-1][0]
        values = [{"request_no": row[0], **_derived(row[1], row[2], json.loads(row[3]))} for row in rows]
        if found := [value for value in values if value["turn"] is not None or value["team"] is not None]:
            connection.execute(change, found)


def _derived(shape: str, state: str, facts: dict[str, Any]) -> dict[str, Any]:
    turn, due = _turn(shape, state, facts), facts.get("due")
    at = None
    if due is not None and "paused" not in due and turn is not None:
        passed = datetime.fromisoformat(due["at"]) - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
        at = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return {"turn": turn, "due_at": at, "team": facts.get("team")}


def _turn(shape: str, state: str, facts: dict[str, Any]) -> str | None:
    if state in DONE[shape]:
        return None
    if state == "awaiting-approval":
        return "approval"
    if state == "withdrawing":
        return "asked"
    if state in ASKER or facts.get("objection"):
        return "asker"
    return "gateway" if state in {"approved", "undeliverable"} else "asked"
