# ruff: noqa: S608 -- names of our own tables and columns only
"""The statements of `store.check`, the same text on SQLite and PostgreSQL. They read; a plan may scan and sort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.store.tables import metadata

# Under a request number, in its order (collation "C" on PostgreSQL, as Python compares).
OF_REQUEST: Mapping[str, str] = {
    "requests": "SELECT request_no, shape, state, asker, asked, reason, asker_seq, asked_seq, held, marks, facts"
    " FROM requests ORDER BY request_no",
    "messages": "SELECT request_no, sender, id, seqno, digest, disposition FROM messages WHERE request_no IS NOT NULL"
    " ORDER BY request_no",
    "outbox": "SELECT request_no, sender, message_id, seqno, state FROM outbox WHERE request_no IS NOT NULL"
    " ORDER BY request_no",
    "held": "SELECT request_no, sender, seqno, message_id FROM held ORDER BY request_no",
    "timers": "SELECT request_no, kind FROM timers ORDER BY request_no",
    "measures": "SELECT request_no, measure_no, state, action, end_on FROM measures ORDER BY request_no",
    "events": "SELECT request_no, kind, type, detail FROM events WHERE request_no IS NOT NULL ORDER BY request_no",
}

ACCEPTED = "SELECT client || '/' || key, request_no, response FROM idempotency"
KNOWN = (
    "SELECT request_no FROM requests WHERE request_no IN {keys} UNION SELECT group_no FROM requests WHERE group_no IN"
    " {keys} UNION SELECT release_no FROM releases WHERE release_no IN {keys}"
)
DOCUMENTS = "SELECT sha256, size FROM documents ORDER BY sha256"
COUNTS: Mapping[str, str] = {
    name: f"SELECT count(*) FROM {name}"
    for name in ("requests", "messages", "events", "measures", "submissions", "documents", "outbox")
}


def _absent(rule: str, table: str, key: str, column: str, other: str, join: str) -> tuple[str, str, str]:
    """Rows of `table` AS t whose `column` names a row of `other` AS p that does not exist."""
    return (
        rule,
        table,
        f"SELECT {key}, '0', t.{column} FROM {table} AS t WHERE t.{column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {other} AS p WHERE {join})",
    )


# (rule, table, statement of key, found, wanted)
PAIRS: tuple[tuple[str, str, str], ...] = (
    (
        "outbox-message",
        "outbox",
        "SELECT o.sender || '/' || o.message_id, COALESCE(o.request_no, '-') || ' ' ||"
        " COALESCE(CAST(o.seqno AS TEXT), '-') || ' ' || o.receiver, COALESCE(m.request_no, '-') || ' ' ||"
        " COALESCE(CAST(m.seqno AS TEXT), '-') || ' ' || m.receiver FROM outbox AS o JOIN messages AS m"
        " ON m.id = o.message_id AND m.sender = o.sender WHERE COALESCE(m.request_no, '') <> COALESCE(o.request_no, '')"
        " OR COALESCE(m.seqno, 0) <> COALESCE(o.seqno, 0) OR m.receiver <> o.receiver",
    ),
    _absent("answer", "messages", "t.sender || '/' || t.id", "answer_id", "messages",
            "p.id = t.answer_id AND p.sender = t.receiver"),
    _absent("request-submission", "requests", "t.request_no", "submission_id", "submissions",
            "p.id = t.submission_id AND p.sender = t.asker"),
    _absent("approval-submission", "approvals", "t.request_no || ' ' || t.kind || ' ' || t.approver", "submission_id",
            "submissions", "p.id = t.submission_id"),
    _absent("ledger-request", "ledger_entries", "t.ledger || ' ' || t.item_no || ' ' || t.source", "request_no",
            "requests", "p.request_no = t.request_no"),
    _absent("step-measure", "measure_steps", "t.measure_no || ' ' || CAST(t.id AS TEXT)", "measure_no", "measures",
            "p.measure_no = t.measure_no"),
    *(
        _absent("document-row", table, f"t.{key}", "sha256", "documents", "p.sha256 = t.sha256")
        for table, key in (
            ("document_refs", "request_no"),
            ("document_puts", "participant"),
            ("document_readers", "participant"),
            ("documents_unnamed", "participant"),
        )
    ),
    (
        "paused-route",
        "paused_routes",
        "SELECT route, participant || ' ' || CAST(allowed AS TEXT), '> 0' FROM paused_routes"
        " WHERE allowed < 1 OR failures < 0 OR route NOT LIKE participant || '.%'",
    ),
)  # fmt: skip


def _parents() -> Iterator[tuple[str, str, str]]:
    """SQLite checks foreign keys only where it is told to, PostgreSQL not where its triggers were off."""
    for table in metadata.sorted_tables:
        key = " || ' ' || ".join(f"CAST(t.{c.name} AS TEXT)" for c in table.primary_key)
        for constraint in sorted(table.foreign_key_constraints, key=lambda c: str(c.name)):
            parent = constraint.referred_table.name
            join = " AND ".join(f"p.{e.column.name} = t.{e.parent.name}" for e in constraint.elements)
            named = " || '/' || ".join(f"t.{e.parent.name}" for e in constraint.elements)
            yield (
                "parent",
                table.name,
                f"SELECT {key}, '{parent}', {named} FROM {table.name} AS t"
                f" WHERE NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {join})",
            )


PARENTS = tuple(_parents())
