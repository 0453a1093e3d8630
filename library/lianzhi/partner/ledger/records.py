"""What the ledger holds: its tables, and their rows as plain data.

Names of tables begin with `lz_`; an application may keep its own tables in the same file. `ADDED` are columns that came
later. A ledger written before gets them, and tables that it lacks, when it is opened; an older library passes over
both, so its version stays and one can go back. `lz_again`: how many messages of ours went once more, and when;
`lz_asked`: what we said that we lack; `lz_gateway`: which life of its store the gateway is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["asker", "asked"]
MessageState = Literal["held", "pending", "done", "overtaken", "set-aside"]
OutboxState = Literal["ready", "sent", "refused"]
Mark = tuple[str, str]  # (message id, base64url(SHA-256(JWS part)))


@dataclass(slots=True)
class Conversation:
    """One request as the partner sees it.

    role: ours. peer: the participant at the other end. peer_next: the seqno of the peer that is applied next.
    our_seq: the last seqno that we used. opened: the `open` has been applied. started: the application has
    finished handling the `open`, so a later `withdraw` is for it to answer. withdrawn: seqno of the peer's last
    `withdraw`, 0 when there is none; what comes later with a lower seqno is kept and never acted on.
    marks: the latest message of each verb, of either side, latest last: what replies name (docs/contracts.md 3.1).
    """

    request_no: str
    type: str
    version: int
    role: Role
    peer: str
    dialect: str
    lane: str = "normal"
    case_no: str | None = None
    reply_key: str | None = None
    peer_next: int = 1
    our_seq: int = 0
    opened: bool = False
    started: bool = False
    withdrawn: int = 0
    marks: dict[str, Mark] = field(default_factory=dict)
    refs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class StoredMessage:
    """A verified message as it came. text: the SD-JWT, ASCII. state: `held` until its turn, `pending` until the
    application has handled it, `overtaken` by a withdrawal, `set-aside` when its content could not be used."""

    sender: str
    id: str
    digest: str
    request_no: str | None
    verb: str
    seqno: int | None
    state: MessageState
    lane: str
    text: str
    arrived_at: str
    answer_id: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.sender, self.id


@dataclass(frozen=True, slots=True)
class Slot:
    """A seqno of the peer that is taken, and by what."""

    id: str
    digest: str
    verb: str
    state: MessageState


@dataclass(slots=True)
class OutboxRow:
    """A signed message of ours. cause: the id of the message it answers. Sent again until the broker confirms."""

    id: str
    request_no: str | None
    seqno: int | None
    verb: str
    routing_key: str
    text: str
    made_at: str
    cause: str | None = None
    state: OutboxState = "ready"


@dataclass(slots=True)
class SetAside:
    """Bytes that could not be used, as they came; the same bytes again only count up."""

    sha256: str
    body: bytes
    queue: str
    reason: str
    at: str
    pointer: str | None = None
    sender: str | None = None
    message_id: str | None = None
    request_no: str | None = None
    lane: str = "normal"


@dataclass(frozen=True, slots=True)
class Notice:
    """`lianzhi.gateway.notice`: the gateway tells us why it refused bytes of ours, or which number it waits for.

    reason, rule: codes (`unknown` where it was none). clock_offset_ms: how far our `time` was ahead of its clock. What
    only version 2 says is None in version 1.
    """

    sender: str
    id: str
    at: str
    reason: str
    title_zh: str
    title_en: str
    message_id: str | None = None
    pointer: str | None = None
    request_no: str | None = None
    next_seqno: int | None = None
    body_sha256: str | None = None
    rule: str | None = None
    detail_zh: str | None = None
    detail_en: str | None = None
    clock_offset_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice as it stands in the ledger. arrived_at: by our clock. sent_again: messages that went out for it."""

    notice: Notice
    arrived_at: str
    sent_again: int = 0


# the tables

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
