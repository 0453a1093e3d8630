"""Every table. Constraint names in snake case are what `ConflictError` says in kebab case (`faults`).

Personal data stands only in `messages.disclosure`, `submissions.body` and `quarantine.body` (design.md 6): one
column each, found by `request_no`, so that it can be emptied or encrypted without touching anything signed.
Foreign keys stand where a missing parent would lose something silently; PostgreSQL charges a query for each row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.store.columns import CODE, ROW_ID, Instant, Json

metadata = MetaData()


# PostgreSQL. Base64 does not compress: rows up to a page stay whole instead of being tried and moved out of line.
_WHOLE_ROWS = {"toast_tuple_target": 8160}
# Dead index entries of finished rows stand exactly where the polls look: vacuum after thousands, not percents.
_OFTEN_VACUUMED = {"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 5000}


def _only(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


requests = Table(
    "requests",
    metadata,
    Column("request_no", CODE, nullable=False),
    Column("type", CODE, nullable=False),
    Column("version", Integer, nullable=False),
    Column("shape", CODE, nullable=False),
    Column("state", CODE, nullable=False),
    Column("asker", CODE, nullable=False),
    Column("asked", CODE, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("case_no", CODE),
    Column("lane", CODE, nullable=False),
    Column("group_no", CODE),
    Column("related", CODE),
    Column("handler", CODE),
    Column("client", CODE),
    Column("submission_id", CODE),
    Column("reply_key", CODE),
    Column("reason", Text),
    Column("asker_seq", Integer, nullable=False),
    Column("asked_seq", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("refs", Json, nullable=False),
    Column("marks", Json, nullable=False),
    Column("facts", Json, nullable=False),
    PrimaryKeyConstraint("request_no", name="request_no"),
    # The asker needs no index: its code begins the request_no.
    Index("requests_asked", "asked", "request_no"),
    Index("requests_state", "state", "request_no", "type"),
    Index("requests_case", "case_no", "request_no", **_only("case_no IS NOT NULL")),
    Index("requests_group", "group_no", "request_no", **_only("group_no IS NOT NULL")),
)

messages = Table(
    "messages",
    metadata,
    Column("sender", CODE, nullable=False),
    Column("id", CODE, nullable=False),
    Column("request_no", CODE),
    Column("receiver", CODE, nullable=False),
    Column("verb", CODE, nullable=False),
    Column("seqno", Integer),
    Column("digest", CODE, nullable=False),
    Column("jws", Text, nullable=False),
    Column("disclosure", Text),
    Column("disposition", CODE, nullable=False),
    Column("time", Instant, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("answer_id", CODE),
    # The id first: one look-up by ids alone finds the keys of many senders.
    PrimaryKeyConstraint("id", "sender", name="message_id"),
    UniqueConstraint("request_no", "sender", "seqno", name="message_seqno"),
    postgresql_with=_WHOLE_ROWS,
)

submissions = Table(
    "submissions",
    metadata,
    Column("sender", CODE, nullable=False),
    Column("id", CODE, nullable=False),
    Column("digest", CODE, nullable=False),
    Column("content_type", CODE, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("client", CODE, nullable=False),
    Column("request_no", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("id", "sender", name="submission_id"),
    Index("submissions_request", "request_no"),
    postgresql_with=_WHOLE_ROWS,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("sender", CODE, nullable=False),
    Column("message_id", CODE, nullable=False),
    Column("receiver", CODE, nullable=False),
    Column("request_no", CODE),
    Column("seqno", Integer),
    Column("verb", CODE, nullable=False),
    Column("routing_key", CODE, nullable=False),
    Column("overtakes", Boolean, nullable=False),
    Column("state", CODE, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),  # nobody takes it before: its back-off, or another's lease
    Column("lease_owner", CODE),
    Column("reason", Text),
    UniqueConstraint("message_id", "sender", name="outbox_message"),
    ForeignKeyConstraint(["message_id", "sender"], ["messages.id", "messages.sender"], name="outbox_bytes"),
    Index("outbox_request", "request_no", "sender", "seqno"),
    # A million sent rows cost the poll nothing: they are not in this index. OR, not IN: SQLite then sees that
    # state = 'ready' is enough to use it.
    Index(
        "outbox_unsent",
        "state",
        "due_at",
        "id",
        **_only("state = 'ready' OR state = 'parked'"),
    ),
    postgresql_with=_OFTEN_VACUUMED,
)

timers = Table(
    "timers",
    metadata,
    Column("request_no", CODE, nullable=False),  # may wait for the `open` of a request that we do not have yet
    Column("kind", CODE, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("start_at", Instant),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("request_no", "kind", name="timer"),
    Index("timers_due", "due_at"),
    Index("timers_provisional", "due_at", **_only("provisional")),
    postgresql_with=_OFTEN_VACUUMED,
    sqlite_with_rowid=False,
)

measures = Table(
    "measures",
    metadata,
    Column("measure_no", CODE, nullable=False),
    Column("request_no", CODE, ForeignKey("requests.request_no", name="measure_request"), nullable=False),
    Column("type", CODE, nullable=False),
    Column("action", CODE, nullable=False),
    Column("case_no", CODE, nullable=False),
    Column("object_key", CODE, nullable=False),
    Column("ref", CODE, nullable=False),
    Column("state", CODE, nullable=False),
    Column("asked", CODE, nullable=False),
    Column("control_no", CODE),
    Column("rank", Integer),
    Column("start_on", CODE),
    Column("end_on", CODE),
    Column("ended_by", CODE),
    Column("amount", CODE),
    PrimaryKeyConstraint("measure_no", name="measure_no"),
    # One open (object, action, case) at a time (domain.md 3).
    Index(
        "open_measure",
        "object_key",
        "action",
        "case_no",
        unique=True,
        **_only("state IN ('requested', 'active', 'hit', 'handed-over')"),
    ),
    Index("measures_object", "object_key"),
    Index("measures_asked", "asked", "measure_no"),
    Index("measures_request", "request_no"),
    Index("measures_case", "case_no"),
    Index("measures_state", "state"),
    Index("measures_control", "control_no", "asked"),
)

documents = Table(
    "documents",
    metadata,
    Column("sha256", CODE, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", CODE, nullable=False),
    Column("put_by", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("sha256", name="document"),
)

document_refs = Table(
    "document_refs",
    metadata,
    Column("sha256", CODE, nullable=False),
    Column("request_no", CODE, ForeignKey("requests.request_no", name="document_request"), nullable=False),
    PrimaryKeyConstraint("sha256", "request_no", name="document_ref"),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("owner", CODE, nullable=False),
    Column("queue", CODE, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", CODE, nullable=False),
    Column("reason", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("pointer", Text),
    Column("user_id", Text),
    Column("message_id", CODE),
    Column("request_no", CODE),
    Column("count", Integer, nullable=False),
    UniqueConstraint("body_sha256", "owner", name="quarantine_body"),
    Index("quarantine_owner", "owner", "id"),
    Index("quarantine_reason", "reason"),
)

notices = Table(
    "notices",
    metadata,
    Column("owner", CODE, nullable=False),
    Column("body_sha256", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("body_sha256", "owner", name="notice"),
    Index("notices_owner", "owner", "at"),
    sqlite_with_rowid=False,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("client", CODE, nullable=False),
    Column("key", CODE, nullable=False),
    Column("fingerprint", CODE, nullable=False),
    Column("status", Integer, nullable=False),
    Column("response", Json, nullable=False),
    Column("location", CODE),
    Column("at", Instant, nullable=False),
    Column("request_no", CODE),
    PrimaryKeyConstraint("key", "client", name="idempotency_key"),
)

number_blocks = Table(
    "number_blocks",
    metadata,
    Column("opener", CODE, nullable=False),
    Column("day", CODE, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("opener", "day", name="number_block"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("audience", CODE, nullable=False),
    Column("kind", CODE, nullable=False),
    Column("request_no", CODE),
    Column("group_no", CODE),
    Column("case_no", CODE),
    Column("type", CODE),
    Column("verb", CODE),
    Column("state", CODE),
    Column("message_id", CODE),
    Column("digest", CODE),
    Column("head", Json),
    Column("detail", Text),
    Index("events_audience", "audience", "id"),
    Index("events_request", "request_no", "id", **_only("request_no IS NOT NULL")),
    sqlite_autoincrement=True,  # an id is never given twice, even after the oldest events are deleted
)

# Lines of the court's ledgers: codes, days, amounts and numbers, never a payload (docs/adr/0017).
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("ledger", CODE, nullable=False),
    Column("item_no", CODE, nullable=False),
    Column("source", CODE, nullable=False),
    Column("kind", CODE, nullable=False),
    Column("day", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("settles", Boolean, nullable=False),
    Column("due_on", CODE),
    Column("amount", CODE),
    Column("case_no", CODE),
    Column("request_no", CODE),
    Column("partner", CODE),
    Column("team", Text),
    PrimaryKeyConstraint("ledger", "item_no", "source", name="ledger_entry"),
)

# Rates that the court computes itself and hands in; never computed here (docs/domain.md section 10).
court_figures = Table(
    "court_figures",
    metadata,
    Column("period", CODE, nullable=False),
    Column("name", CODE, nullable=False),
    Column("value", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("period", "name", name="court_figure"),
    sqlite_with_rowid=False,
)

calendars = Table(
    "calendars",
    metadata,
    Column("year", Integer, nullable=False, autoincrement=False),
    Column("notice", Text, nullable=False),
    Column("issued_on", CODE, nullable=False),
    Column("rest", Json, nullable=False),
    Column("work", Json, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("year", name="calendar"),
)

measure_steps = Table(
    "measure_steps",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("measure_no", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", CODE, nullable=False),
    Column("end_on", CODE),
    Column("by", CODE, nullable=False),
    Column("cause", CODE),
    Index("measure_steps_measure", "measure_no", "id"),
)

pages = Table(
    "pages",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("page_id", CODE, nullable=False),
    Column("alert", CODE, ForeignKey("requests.request_no", name="page_alert"), nullable=False),
    Column("participant", CODE, nullable=False),
    Column("level", CODE, nullable=False),
    Column("person", CODE, nullable=False),
    Column("channel", CODE, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),  # nobody sends it before: its back-off, or another's lease
    Column("sent_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("state", CODE, nullable=False),
    UniqueConstraint("page_id", name="page_id"),
    UniqueConstraint("alert", "level", "person", "channel", name="page"),
    Index("pages_waiting", "state", "due_at", "id", **_only("state = 'waiting'")),
)

duty_shifts = Table(
    "duty_shifts",
    metadata,
    Column("participant", CODE, nullable=False),
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("person", CODE, nullable=False),
    PrimaryKeyConstraint("participant", "begins", "person", name="duty_shift"),
    sqlite_with_rowid=False,
)

approvals = Table(
    "approvals",
    metadata,
    Column("request_no", CODE, ForeignKey("requests.request_no", name="approval_request"), nullable=False),
    Column("kind", CODE, nullable=False),
    Column("approver", CODE, nullable=False),
    Column("role", CODE, nullable=False),
    Column("decision", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("client", CODE, nullable=False),
    Column("submission_id", CODE, nullable=False),
    PrimaryKeyConstraint("request_no", "kind", "approver", name="approval"),
)

daily_uses = Table(
    "daily_uses",
    metadata,
    Column("participant", CODE, nullable=False),
    Column("who", CODE, nullable=False),
    Column("day", CODE, nullable=False),
    Column("what", CODE, nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("participant", "who", "day", "what", name="daily_use"),
    sqlite_with_rowid=False,
)

subject_uses = Table(
    "subject_uses",
    metadata,
    Column("subject_key", CODE, nullable=False),
    Column("request_no", CODE, ForeignKey("requests.request_no", name="subject_request"), nullable=False),
    Column("handler", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("subject_key", "request_no", name="subject_use"),
    sqlite_with_rowid=False,
)

releases = Table(
    "releases",
    metadata,
    Column("release_no", CODE, nullable=False),
    Column("court", CODE, nullable=False),
    Column("case_no", CODE, nullable=False),
    Column("reason", CODE, nullable=False),
    Column("ordered_by", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("submission_id", CODE, nullable=False),
    PrimaryKeyConstraint("release_no", name="release"),
    Index("releases_case", "case_no", "release_no"),
)

release_items = Table(
    "release_items",
    metadata,
    Column("release_no", CODE, ForeignKey("releases.release_no", name="release_of_item"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", CODE, nullable=False),
    Column("request_no", CODE),
    Column("measure_no", CODE),
    Column("reason", CODE),
    PrimaryKeyConstraint("release_no", "seq", name="release_item"),
    sqlite_with_rowid=False,
)
