"""The ledger's tables. Names begin with `lz_`; an application may keep its own tables in the same file.

`ADDED` are columns that came later. A ledger written before gets them, and tables that it lacks, when it is opened; an
older library passes over both, so its version stays and one can go back. `lz_again`: how many messages of ours went
once more, and when; `lz_asked`: what we said that we lack; `lz_gateway`: which life of its store the gateway is in.
"""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS lz_conversation (
    request_no TEXT PRIMARY KEY, type TEXT NOT NULL, version INTEGER NOT NULL, role TEXT NOT NULL,
    peer TEXT NOT NULL, dialect TEXT NOT NULL, lane TEXT NOT NULL, case_no TEXT, reply_key TEXT,
    peer_next INTEGER NOT NULL, our_seq INTEGER NOT NULL, opened INTEGER NOT NULL, started INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL, marks TEXT NOT NULL, refs TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lz_message (
    no INTEGER PRIMARY KEY, sender TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, request_no TEXT,
    verb TEXT NOT NULL, seqno INTEGER, state TEXT NOT NULL, lane TEXT NOT NULL, text TEXT NOT NULL,
    arrived_at TEXT NOT NULL,
    UNIQUE (id, sender), UNIQUE (request_no, sender, seqno)
);
CREATE INDEX IF NOT EXISTS lz_message_pending ON lz_message (no) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS lz_message_held ON lz_message (no) WHERE state = 'held';
CREATE TABLE IF NOT EXISTS lz_outbox (
    no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, request_no TEXT, seqno INTEGER, verb TEXT NOT NULL,
    cause TEXT, routing_key TEXT NOT NULL, text TEXT NOT NULL, made_at TEXT NOT NULL, state TEXT NOT NULL,
    error TEXT
);
CREATE INDEX IF NOT EXISTS lz_outbox_ready ON lz_outbox (no) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS lz_outbox_cause ON lz_outbox (cause);
CREATE INDEX IF NOT EXISTS lz_outbox_request ON lz_outbox (request_no, seqno);
CREATE TABLE IF NOT EXISTS lz_set_aside (
    sha256 TEXT PRIMARY KEY, body BLOB NOT NULL, queue TEXT NOT NULL, lane TEXT NOT NULL, reason TEXT NOT NULL,
    pointer TEXT, sender TEXT, message_id TEXT, request_no TEXT, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
    count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lz_notice (
    no INTEGER PRIMARY KEY, sender TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
    title_zh TEXT NOT NULL, title_en TEXT NOT NULL, message_id TEXT, pointer TEXT, request_no TEXT,
    next_seqno INTEGER, UNIQUE (id, sender)
);
CREATE TABLE IF NOT EXISTS lz_again (
    no INTEGER PRIMARY KEY, request_no TEXT NOT NULL, at TEXT NOT NULL, messages INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS lz_again_at ON lz_again (at);
CREATE TABLE IF NOT EXISTS lz_asked (
    request_no TEXT PRIMARY KEY, next_seqno INTEGER NOT NULL, at TEXT NOT NULL, times INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lz_gateway (
    code TEXT PRIMARY KEY, incarnation TEXT NOT NULL, since TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lz_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

ADDED = {
    "lz_notice": {
        "body_sha256": "TEXT",
        "rule": "TEXT",
        "detail_zh": "TEXT",
        "detail_en": "TEXT",
        "clock_offset_ms": "INTEGER",
        "arrived_at": "TEXT NOT NULL DEFAULT ''",
        "sent_again": "INTEGER NOT NULL DEFAULT 0",
    },
}

CONVERSATION = (
    "request_no", "type", "version", "role", "peer", "dialect", "lane", "case_no", "reply_key", "peer_next",
    "our_seq", "opened", "started", "withdrawn", "marks", "refs",
)  # fmt: skip
MESSAGE = ("sender", "id", "digest", "request_no", "verb", "seqno", "state", "lane", "text", "arrived_at")
OUTBOX = ("id", "request_no", "seqno", "verb", "cause", "routing_key", "text", "made_at", "state")
NOTICE = (
    "sender", "id", "at", "reason", "title_zh", "title_en", "message_id", "pointer", "request_no", "next_seqno",
    "body_sha256", "rule", "detail_zh", "detail_en", "clock_offset_ms",
)  # fmt: skip


def insert(verb: str, table: str, columns: tuple[str, ...], rows: int) -> str:
    """One statement for `rows` rows, so that a batch costs one call into SQLite."""
    row = "(" + ",".join("?" * len(columns)) + ")"
    return f"{verb} INTO {table} ({','.join(columns)}) VALUES {','.join([row] * rows)}"
