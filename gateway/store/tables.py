"""Every table. Constraint names in snake case are what `ConflictError` says in kebab case (`faults`).

Personal data stands only in `messages.disclosure`, `submissions.body` and `quarantine.body` (docs/architecture.md 6):
one column each, found by `request_no`, so that it can be emptied or encrypted without touching anything signed.
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
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.core.alarms.standing import Alarm
from gateway.core.alarms.tellings import Telling
from gateway.core.operating.records import ActRow, Digest, Hold, Plan, QuarantineEnd
from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    CaseDebt,
    CourtFigure,
    DocumentRow,
    DutyShift,
    EarlyMessage,
    Event,
    Held,
    IdempotencyRow,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    OutboxRow,
    Page,
    PartnerClock,
    PartnerVersion,
    PausedRoute,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    SubjectUse,
    Submission,
    Timer,
)
from gateway.core.recovery.doubts import Doubt
from gateway.core.recovery.forgotten import Forgotten
from gateway.core.requests.listing import listed_campaign, listed_due, listed_lead, listed_team, listed_turn
from gateway.core.silence import Silence
from gateway.store.engine import columns
from gateway.store.engine.columns import CODE, NUMBER, ROW_ID, Instant, Stored

metadata = columns.metadata

# PostgreSQL. Base64 does not compress: rows up to a page stay whole instead of being tried and moved out of line.
_WHOLE_ROWS = {"toast_tuple_target": 8160}
# Dead index entries of finished rows stand exactly where the polls look: vacuum after thousands, not percents.
_OFTEN_VACUUMED = {"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 5000}


def _only(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


LISTED = ("handler", "team", "campaign", "lead")
"""Whose open requests operators list."""


REQUEST = Stored(
    "requests",
    Request,
    Column("reason", Text),
    PrimaryKeyConstraint("request_no", name="request_no"),
    # The asker needs no index: its code begins the request_no.
    Index("requests_asked", "asked", "request_no"),
    # What a list may be filtered by, alone and two at a time: in order of the number, nothing read that is not shown.
    Index("requests_state", "state", "request_no", "type"),
    Index("requests_type", "type", "request_no"),
    Index("requests_state_type", "state", "type", "request_no"),
    Index("requests_asked_type", "asked", "type", "request_no"),
    Index("requests_asked_state", "asked", "state", "request_no"),
    Index("requests_case", "case_no", "request_no", **_only("case_no IS NOT NULL")),
    Index("requests_asked_case", "asked_case_no", "request_no", **_only("asked_case_no IS NOT NULL")),
    Index("requests_group", "group_no", "request_no", **_only("group_no IS NOT NULL")),
    # What operators' lists are ranges of, in order of the deadline and of age: of what is not done only. The conditions
    # differ, so that PostgreSQL takes no index for another filter's instead.
    Index("requests_due", "due_at", "request_no", **_only("turn <> ''")),
    Index("requests_due_turn", "turn", "asker", "due_at", "request_no", **_only("turn <> ''")),
    Index("requests_due_asked", "asked", "turn", "due_at", "request_no", **_only("turn <> ''")),
    Index("requests_age", "created_at", "request_no", **_only("turn <> ''")),
    Index("requests_age_turn", "turn", "asker", "created_at", "request_no", **_only("turn <> ''")),
    *(
        Index(f"requests_due_{name}", name, "due_at", "request_no", **_only(f"turn IS NOT NULL AND {name} IS NOT NULL"))
        for name in LISTED
    ),
    derived={
        Column("turn", CODE): listed_turn,
        Column("due_at", Instant): listed_due,
        Column("team", CODE): listed_team,
        Column("campaign", CODE): listed_campaign,
        Column("lead", CODE): listed_lead,
    },
)

MESSAGE = Stored(
    "messages",
    Message,
    Column("jws", Text, nullable=False),
    Column("disclosure", Text),
    # The id first: one look-up by ids alone finds the keys of many senders.
    PrimaryKeyConstraint("id", "sender", name="message_id"),
    UniqueConstraint("request_no", "sender", "seqno", name="message_seqno"),
    postgresql_with=_WHOLE_ROWS,
)

SUBMISSION = Stored(
    "submissions",
    Submission,
    PrimaryKeyConstraint("id", "sender", name="submission_id"),
    Index("submissions_request", "request_no"),
    postgresql_with=_WHOLE_ROWS,
)

OUTBOX = Stored(
    "outbox",
    OutboxRow,
    Column("id", ROW_ID, primary_key=True),
    # Nobody takes it before: the end of its back-off, or of another's lease. 0, and no time, until it is tried.
    Column("due_at", Instant, nullable=False),
    Column("lease_owner", CODE),
    Column("reason", Text),
    Column("route", CODE, nullable=False, server_default=text("''")),  # the beginning of `routing_key`
    UniqueConstraint("message_id", "sender", name="outbox_message"),
    ForeignKeyConstraint(["message_id", "sender"], ["messages.id", "messages.sender"], name="outbox_bytes"),
    # What may be sent, by where it goes: neither a million sent rows, nor a long tail behind one that cannot go, nor
    # what waits for another participant is read by a poll.
    Index("outbox_ready", "route", "due_at", "id", **_only("state = 'ready'")),
    # The order of a request. OR, not IN: SQLite then sees that a part of the condition is enough to use it.
    Index(
        "outbox_unsent",
        "request_no",
        "sender",
        "seqno",
        "state",
        "id",
        **_only("state = 'ready' OR state = 'waiting' OR state = 'parked'"),
    ),
    Index("outbox_waiting", "request_no", "sender", **_only("state = 'waiting'")),  # mostly empty: does anything wait?
    Index("outbox_dead", "receiver", "id", **_only("state = 'parked' OR state = 'dead'")),
    postgresql_with=_OFTEN_VACUUMED,
)

PAUSED_ROUTE = Stored(
    "paused_routes",
    PausedRoute,
    PrimaryKeyConstraint("route", name="paused_route"),
    sqlite_with_rowid=False,
)

TIMER = Stored(
    "timers",
    Timer,
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("failures", NUMBER, nullable=False, server_default=text("0")),  # of our own code over this one
    Column("retry_at", Instant),  # not before, whatever is due: it is set aside
    PrimaryKeyConstraint("request_no", "kind", name="timer"),
    Index("timers_due", "due_at"),
    Index("timers_provisional", "due_at", **_only("provisional")),
    postgresql_with=_OFTEN_VACUUMED,
    sqlite_with_rowid=False,
)

MEASURE = Stored(
    "measures",
    Measure,
    Column("request_no", CODE, ForeignKey("requests.request_no", name="measure_request"), nullable=False),
    Column("opener", CODE),
    PrimaryKeyConstraint("measure_no", name="measure_no"),
    # One open (object, action, case) of an opener at a time (domain.md 3).
    Index(
        "open_measure",
        "object_key",
        "action",
        "case_no",
        "opener",
        unique=True,
        **_only("state IN ('requested', 'active', 'hit', 'handed-over')"),
    ),
    Index("measures_object", "object_key"),
    Index("measures_asked", "asked", "state", "measure_no"),
    Index("measures_request", "request_no"),
    Index("measures_case", "case_no", "state", "measure_no"),
    Index("measures_state", "state", "measure_no"),
    Index("measures_control", "control_no", "asked"),
)

DOCUMENT = Stored(
    "documents",
    DocumentRow,
    Column("size", BigInteger, nullable=False),
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

# Of `documents`: those that no request names, counted against whoever put them.
documents_unnamed = Table(
    "documents_unnamed",
    metadata,
    Column("participant", CODE, nullable=False),
    Column("sha256", CODE, nullable=False),
    Column("size", BigInteger, nullable=False),
    PrimaryKeyConstraint("participant", "sha256", name="document_unnamed"),
    sqlite_with_rowid=False,
)

# A partner's JWT writes once (docs/adr/0026).
tokens_used = Table(
    "tokens_used",
    metadata,
    Column("participant", CODE, nullable=False),
    Column("jti", CODE, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("participant", "jti", name="token_used"),
    Index("tokens_used_expiry", "expires_at"),
)

# Who has put the bytes itself, whoever did first; as what, and when.
document_puts = Table(
    "document_puts",
    metadata,
    Column("sha256", CODE, nullable=False),
    Column("participant", CODE, nullable=False),
    Column("media_type", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("sha256", "participant", name="document_put"),
    sqlite_with_rowid=False,
)

# Who may read it: whoever has put it, and the other party of a request in which a reader named it.
document_readers = Table(
    "document_readers",
    metadata,
    Column("sha256", CODE, nullable=False),
    Column("participant", CODE, nullable=False),
    PrimaryKeyConstraint("sha256", "participant", name="document_reader"),
    sqlite_with_rowid=False,
)

# Named by somebody who could not read it: nothing comes of it unless that very party puts the bytes.
document_claims = Table(
    "document_claims",
    metadata,
    Column("sha256", CODE, nullable=False),
    Column("named_by", CODE, nullable=False),
    Column("request_no", CODE, ForeignKey("requests.request_no", name="claim_request"), nullable=False),
    Column("other", CODE, nullable=False),
    PrimaryKeyConstraint("sha256", "named_by", "request_no", name="document_claim"),
    sqlite_with_rowid=False,
)

# Messages that wait for an earlier number of their sender, without their bytes: what is asked at each arrival.
# The request may be one that we do not have yet; so may that of a timer, which waits for its `open`.
HELD = Stored(
    "held",
    Held,
    PrimaryKeyConstraint("sender", "request_no", "seqno", name="held_seqno"),
    sqlite_with_rowid=False,
)

# Messages whose signature verifies and whose `time` has not come, as they came (docs/adr/0032).
EARLY = Stored(
    "early_messages",
    EarlyMessage,
    Column("user_id", Text),
    Column("content_type", Text),
    UniqueConstraint("owner", "body_sha256", name="early_message"),
    Index("early_messages_time", "time"),
    Index("early_messages_request", "owner", "request_no"),
)

# Messages about requests of ours that the store does not have, as they came (docs/adr/0041).
FORGOTTEN = Stored(
    "forgotten_messages",
    Forgotten,
    UniqueConstraint("owner", "body_sha256", name="forgotten_message"),
    Index("forgotten_messages_request", "request_no"),
    Index("forgotten_messages_submission", "submissionhash"),
)

# What the clocks of those who send to us showed of late; every process shows it.
PARTNER_CLOCK = Stored(
    "partner_clocks",
    PartnerClock,
    Column("offset_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("participant", name="partner_clock"),
    sqlite_with_rowid=False,
)

# Of a long message the first bytes only (`size`: of all of it).
QUARANTINE = Stored(
    "quarantine",
    QuarantineRow,
    Column("pointer", Text),
    Column("user_id", Text),
    Column("size", NUMBER, nullable=False, server_default=text("0")),
    Column("detail_zh", Text),
    Column("detail_en", Text),
    UniqueConstraint("body_sha256", "owner", name="quarantine_body"),
    Index("quarantine_owner", "owner", "id"),
    Index("quarantine_hour", "owner", "at"),
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

# Which version of notices and pongs a partner has said that it reads.
PARTNER_VERSION = Stored(
    "partner_versions",
    PartnerVersion,
    PrimaryKeyConstraint("participant", name="partner_version"),
    sqlite_with_rowid=False,
)

IDEMPOTENCY = Stored(
    "idempotency",
    IdempotencyRow,
    PrimaryKeyConstraint("key", "client", name="idempotency_key"),
)

number_blocks = Table(
    "number_blocks",
    metadata,
    Column("opener", CODE, nullable=False),
    Column("day", CODE, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("opener", "day", name="number_block"),
    Index("number_blocks_day", "day"),
    sqlite_with_rowid=False,
)

# One row: how far this store has come (docs/adr/0030).
installation = Table(
    "installation",
    metadata,
    Column("incarnation", CODE, nullable=False),
    Column("sequence", NUMBER, nullable=False),
    Column("token", CODE, nullable=False),
    PrimaryKeyConstraint("incarnation", name="present_incarnation"),
    sqlite_with_rowid=False,
)

# The lives of this store: the first, and one more for each time that an older copy of it went on.
incarnations = Table(
    "incarnations",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("incarnation", CODE, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("shared_event", NUMBER, nullable=False),  # the last one that it has in common with the one before it
    Column("doubts_ended_at", Instant),  # an operator said that nothing of before comes any more
    UniqueConstraint("incarnation", name="incarnation"),
)

# POSTs that may be retries of what was done in the lost hour: a person decides. Of their content codes and the case
# number alone, so that he can ask about them.
DOUBT = Stored(
    "doubts",
    Doubt,
    PrimaryKeyConstraint("key", "client", name="doubt"),
    sqlite_with_rowid=False,
)

EVENT = Stored(
    "events",
    Event,
    Column("detail", Text),
    Index("events_audience", "audience", "id"),
    Index("events_request", "request_no", "id", **_only("request_no IS NOT NULL")),
    Index("events_incidents", "audience", "id", **_only("kind = 'incident'")),
    sqlite_autoincrement=True,  # an id is never given twice, even after the oldest events are deleted
)

# Lines of the court's ledgers: codes, days, amounts and numbers, never a payload (docs/adr/0017).
LEDGER = Stored(
    "ledger_entries",
    LedgerLine,
    Column("team", Text),
    PrimaryKeyConstraint("ledger", "item_no", "source", name="ledger_entry"),
)

# Rates that the court computes itself and hands in; never computed here (docs/domain.md section 10).
COURT_FIGURE = Stored(
    "court_figures",
    CourtFigure,
    PrimaryKeyConstraint("period", "name", name="court_figure"),
    sqlite_with_rowid=False,
)

CALENDAR = Stored(
    "calendars",
    CalendarYear,
    Column("year", NUMBER, nullable=False, autoincrement=False),
    Column("notice", Text, nullable=False),
    PrimaryKeyConstraint("year", name="calendar"),
)

MEASURE_STEP = Stored(
    "measure_steps",
    MeasureStep,
    Index("measure_steps_measure", "measure_no", "id"),
)

# What a case's debt is: the last figure holds, those before it are its history (docs/adr/0036).
CASE_DEBT = Stored(
    "case_debts",
    CaseDebt,
    PrimaryKeyConstraint("case_no", "court", "seq", name="case_debt"),
    sqlite_with_rowid=False,
)

# Nobody sends one before `due_at`: its back-off, or another's lease.
PAGE = Stored(
    "pages",
    Page,
    Column("alert", CODE, ForeignKey("requests.request_no", name="page_alert"), nullable=False),
    UniqueConstraint("page_id", name="page_id"),
    UniqueConstraint("alert", "level", "person", "channel", name="page"),
    Index("pages_waiting", "state", "due_at", "id", **_only("state = 'waiting'")),
    Index("pages_state", "state"),
)

DUTY_SHIFT = Stored(
    "duty_shifts",
    DutyShift,
    PrimaryKeyConstraint("participant", "begins", "person", name="duty_shift"),
    sqlite_with_rowid=False,
)

APPROVAL = Stored(
    "approvals",
    ApprovalRow,
    Column("request_no", CODE, ForeignKey("requests.request_no", name="approval_request"), nullable=False),
    PrimaryKeyConstraint("request_no", "kind", "approver", name="approval"),
)

daily_uses = Table(
    "daily_uses",
    metadata,
    Column("participant", CODE, nullable=False),
    Column("who", CODE, nullable=False),
    Column("day", CODE, nullable=False),
    Column("what", CODE, nullable=False),
    Column("used", NUMBER, nullable=False),
    PrimaryKeyConstraint("participant", "who", "day", "what", name="daily_use"),
    sqlite_with_rowid=False,
)

SUBJECT_USE = Stored(
    "subject_uses",
    SubjectUse,
    Column("request_no", CODE, ForeignKey("requests.request_no", name="subject_request"), nullable=False),
    PrimaryKeyConstraint("subject_key", "request_no", name="subject_use"),
    sqlite_with_rowid=False,
)

RELEASE = Stored(
    "releases",
    Release,
    PrimaryKeyConstraint("release_no", name="release"),
    Index("releases_case", "case_no", "release_no"),
)

RELEASE_ITEM = Stored(
    "release_items",
    ReleaseItem,
    Column("release_no", CODE, ForeignKey("releases.release_no", name="release_of_item"), nullable=False),
    PrimaryKeyConstraint("release_no", "seq", name="release_item"),
    sqlite_with_rowid=False,
)

# What `/readyz` writes to see whether anything can be written.
write_probes = Table(
    "write_probes",
    metadata,
    Column("name", CODE, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", name="write_probe"),
    sqlite_with_rowid=False,
)

# Dispatch that an operator has stopped (docs/adr/0047): everything, a partner, a matter type.
# Partners that are silent now, so that the beginning and the end of it are told once.
SILENCE = Stored("silences", Silence, PrimaryKeyConstraint("participant", name="silence"), sqlite_with_rowid=False)

# The operators' mail of a day: whoever has the row sends it.
DIGEST = Stored("digests", Digest, PrimaryKeyConstraint("day", "recipient", name="digest"), sqlite_with_rowid=False)

# What duty officers are told of (docs/adr/0052): troubles that stand, and what is told of each to whom.
ALARM = Stored(
    "alarms",
    Alarm,
    PrimaryKeyConstraint("family", "subject", "scope", name="alarm"),
    sqlite_with_rowid=False,
)
TELLING = Stored(
    "tellings",
    Telling,
    Column("error", Text),
    UniqueConstraint("alarm_id", "state", "way", "recipient", name="telling"),
    Index("tellings_waiting", "outcome", "due_at", "id", **_only("outcome = 'waiting'")),
)

HOLD = Stored(
    "holds",
    Hold,
    Column("person", Text, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("scope", "name", name="hold"),
    sqlite_with_rowid=False,
)

# What operators did, each act once, in its order.
ACT = Stored(
    "operator_acts",
    ActRow,
    Column("name", Text, nullable=False),
    Column("why", Text),
    Index("operator_acts_about", "about", "id"),
    sqlite_autoincrement=True,
)

# Quarantine rows that somebody dealt with; `count`: of the row's at that time.
QUARANTINE_END = Stored(
    "quarantine_ends",
    QuarantineEnd,
    Column("row_id", ROW_ID, nullable=False, autoincrement=False),
    Column("person", Text, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("row_id", name="quarantine_end"),
)

# Dead messages that one person planned to send again, and another one does.
PLAN = Stored(
    "replay_plans",
    Plan,
    Column("plan_no", ROW_ID, primary_key=True),
    Column("person", Text, nullable=False),
    Column("ended_person", Text),
    Column("begun_person", Text),
    sqlite_autoincrement=True,
)
