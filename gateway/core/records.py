"""What is stored, as plain data. Use cases build `Changes`; the store writes one `Changes` in one transaction.

Personal data stands only in `disclosure` and `submission.body`, never in any other column (docs/architecture.md 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from gateway.core.recovery.forgotten import Forgotten
from gateway.core.requests.facts import Facts

Side = Literal["asker", "asked"]
Disposition = Literal["applied", "held", "overtaken", "quarantined", "sent"]


@dataclass(slots=True)
class Request:
    """One conversation. `rev` guards every update; `*_seq` is the last seqno used or applied of that side.

    marks: verb → [message id, digest] of the last message with that verb (what replies must name).
    held: how many early messages wait for their turn.
    case_no: the asker's case; to the one asked it is the asker's word and decides nothing. asked_case_no: the case of
    the one asked that this belongs to, by its own act alone (docs/adr/0025).
    """

    request_no: str
    type: str
    version: int
    shape: str
    state: str
    asker: str
    asked: str
    created_at: datetime
    updated_at: datetime
    rev: int = 0
    case_no: str | None = None
    lane: str = "normal"
    group_no: str | None = None
    related: str | None = None
    handler: str | None = None
    client: str | None = None
    submission_id: str | None = None
    reply_key: str | None = None
    reason: str | None = None
    asker_seq: int = 0
    asked_seq: int = 0
    held: int = 0
    refs: list[str] = field(default_factory=list)
    marks: dict[str, list[str]] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    asked_case_no: str | None = None

    def side(self, participant: str) -> Side:
        return "asker" if participant == self.asker else "asked"

    def other(self, participant: str) -> str:
        return self.asked if participant == self.asker else self.asker

    def case_of(self, participant: str) -> str | None:
        """The case of `participant`, a side of this request, that it belongs to."""
        return self.case_no if participant == self.asker else self.asked_case_no


@dataclass(slots=True)
class Message:
    """One signed message, ours or theirs. Unique (sender, id): the dedup key; unique (request, sender, seqno)
    among those that used up their number. digest: base64url(SHA-256(jws)). stored answer: see `answer_id`."""

    sender: str
    id: str
    request_no: str | None
    receiver: str
    verb: str
    seqno: int | None
    digest: str
    jws: str
    disclosure: str | None
    disposition: Disposition
    time: datetime
    stored_at: datetime
    answer_id: str | None = None


@dataclass(slots=True)
class OutboxRow:
    """A message of ours waiting for the broker's confirm. id: `<sender>/<message id>`.

    overtakes: `withdraw`, which does not wait for earlier numbers. state: ready; waiting (an earlier number of its
    request is unsent); sent; parked (it can never go: `reason` says why); dead (sent, and given up by the
    broker); cancelled.
    """

    sender: str
    message_id: str
    receiver: str
    request_no: str | None
    seqno: int | None
    verb: str
    routing_key: str
    overtakes: bool = False
    state: str = "ready"
    attempts: int = 0
    reason: str | None = None


@dataclass(slots=True)
class LeasedMessage:
    """What the dispatcher publishes: the stored bytes and where they go. trial: its route is paused, and this message
    finds out whether it still has to be."""

    row_id: int
    sender: str
    message_id: str
    request_no: str | None
    verb: str
    routing_key: str
    route: str
    body: bytes
    attempts: int
    trial: bool = False


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """What becomes of a leased row that did not go: ready again from `next_at` (None: at once), or parked for good."""

    row_id: int
    next_at: datetime | None
    reason: str
    park: bool = False


PauseReason = Literal["queue-full", "queue-missing", "queue-silent"]


@dataclass(slots=True)
class PausedRoute:
    """A participant's lane whose queue takes nothing (docs/adr/0023); no row means that it is open.

    until: when the next messages may be tried, and `allowed`: how many at once. failures: trials that were refused one
    after the other. told: whether its beginning stands in the feed, so that its end will.
    """

    route: str
    participant: str
    reason: PauseReason
    since: datetime
    until: datetime
    failures: int
    allowed: int
    told: bool


@dataclass(slots=True)
class Event:
    """One line of the feed; codes and digests only. audience: the participant whose feed it stands in."""

    at: datetime
    audience: str
    kind: str
    request_no: str | None = None
    group_no: str | None = None
    case_no: str | None = None
    type: str | None = None
    verb: str | None = None
    state: str | None = None
    message_id: str | None = None
    digest: str | None = None
    head: dict[str, Any] | None = None
    detail: str | None = None
    id: int | None = None


@dataclass(slots=True)
class Timer:
    """A deadline held in the store; one per (request, kind). kind: `redeliver:…`, `gap:…`, `mend`, `break-glass`,
    `review`, `destroy:…`, those of measures and pages, and those of `core.time.clocks`. count: how often it fell due,
    or its step. start_at: when its term began; provisional: the term had to guess a day (`core.time.deadlines`): from
    these two it is computed again when the calendar arrives."""

    request_no: str
    kind: str
    due_at: datetime
    count: int = 0
    start_at: datetime | None = None
    provisional: bool = False


@dataclass(slots=True)
class CalendarYear:
    """A year's calendar as imported (`core.time.calendar.Year`); days are written YYYY-MM-DD."""

    year: int
    notice: str
    issued_on: str
    rest: list[str]
    work: list[str]
    at: datetime


@dataclass(slots=True)
class Measure:
    """A control measure. state: one of `measure_moves.STATES`. object_key: keyed hash, never the plate itself.
    amount: the value that the court stated, CNY, `1234.50`. control_no, receipt_no, seized, appraised, published_at: as
    answered: the register's number and the receipt's, the sum in fact, the appraised value, CNY, and when the freeze of
    a share was published."""

    measure_no: str
    request_no: str
    type: str
    action: str
    case_no: str
    object_key: str
    ref: str
    state: str
    asked: str
    control_no: str | None = None
    rank: int | None = None
    start_on: str | None = None
    end_on: str | None = None
    ended_by: str | None = None
    amount: str | None = None
    opener: str = ""  # whose measure it is, whatever case another party names
    receipt_no: str | None = None
    seized: str | None = None
    appraised: str | None = None
    published_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.opener:
            self.opener = self.request_no.rsplit("-", 2)[0]


@dataclass(slots=True)
class MeasureStep:
    """One line of a measure's history: what it became, when, by which request; cause: of a lapse, by its name."""

    measure_no: str
    at: datetime
    state: str
    end_on: str | None
    by: str
    cause: str | None = None
    id: int | None = None


@dataclass(slots=True)
class CaseDebt:
    """What `court` says that the debt of its case is, CNY: one figure, and those before it by `seq` from 1.

    reason: why it is another than the one before (`schemas.parts.debts.DebtReason`); by: the handler's staff number;
    request_no: of the request that stated it."""

    court: str
    case_no: str
    seq: int
    amount: str
    at: datetime
    by: str
    request_no: str
    reason: str | None = None


@dataclass(slots=True)
class Page:
    """One person to be told of one alert through one channel; unique (alert, level, person, channel).

    alert: its request_no. level: A, B, desk, chief. person: a staff number of `participant`. state: waiting, sent,
    failed (given up), cancelled (answered before it went out), acknowledged (by the link in it).
    """

    page_id: str
    alert: str
    participant: str
    level: str
    person: str
    channel: str
    raised_at: datetime
    at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    attempts: int = 0
    state: str = "waiting"
    id: int | None = None


@dataclass(slots=True)
class DutyShift:
    """Who sits at the duty desk of `participant` from `begins` until `ends`, by staff number."""

    participant: str
    begins: datetime
    ends: datetime
    person: str


@dataclass(slots=True)
class QuarantineRow:
    """Bytes that were refused, kept as they came, of many only the first. Unique (owner, body_sha256): the same bytes
    count up. body_sha256, size: of the whole message. rule, detail_zh, detail_en: what exactly, and what to do."""

    owner: str
    queue: str
    body: bytes
    body_sha256: str
    reason: str
    at: datetime
    pointer: str | None = None
    user_id: str | None = None
    message_id: str | None = None
    request_no: str | None = None
    count: int = 1
    size: int = 0
    rule: str | None = None
    detail_zh: str | None = None
    detail_en: str | None = None
    id: int | None = None


@dataclass(slots=True)
class Held:
    """A message that waits for an earlier number of its sender, without its bytes. size: of its bytes."""

    sender: str
    request_no: str
    seqno: int
    message_id: str
    verb: str
    digest: str
    body_sha256: str
    size: int


@dataclass(slots=True)
class PartnerVersion:
    """The version of notices and pongs that a partner has said that it reads."""

    participant: str
    notice_version: int
    at: datetime


@dataclass(slots=True)
class Submission:
    """What the court system handed in, byte for byte; unique (sender, id). body: SD-JWT or JSON text."""

    sender: str
    id: str
    digest: str
    content_type: str
    body: bytes
    client: str
    request_no: str
    at: datetime


@dataclass(slots=True)
class IdempotencyRow:
    """(client, key) → the answer that was given. fingerprint: SHA-256(method, path, raw body), hex."""

    client: str
    key: str
    fingerprint: str
    status: int
    response: dict[str, Any]
    location: str | None
    at: datetime
    request_no: str | None = None


@dataclass(slots=True)
class ApprovalRow:
    """One decision of a named person about a request. kind: approval, review (of a break-glass). at: as the court
    says; submission_id: the stored bytes that say it, with the reason."""

    request_no: str
    kind: str
    approver: str
    role: str
    decision: str
    at: datetime
    recorded_at: datetime
    client: str
    submission_id: str


@dataclass(slots=True)
class SubjectUse:
    """Whom or what a sensitive query was about: a keyed hash, found again when somebody asks about the same."""

    subject_key: str
    request_no: str
    handler: str
    at: datetime


@dataclass(slots=True)
class Release:
    """A case that is let go: the debtor has paid, settled, … reason: paid, settled, ended, revoked."""

    release_no: str
    court: str
    case_no: str
    reason: str
    ordered_by: str
    at: datetime
    submission_id: str


@dataclass(slots=True)
class ReleaseItem:
    """One thing that a release did, or did not do and why.

    kind: withdraw, ending, already (its ending is under way), alert (closed), exception, needs-hand. request_no:
    withdrawn or closed, or the one that ends `measure_no`. reason: a code.
    """

    release_no: str
    seq: int
    kind: str
    request_no: str | None = None
    measure_no: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class DocumentRow:
    sha256: str
    size: int
    media_type: str
    put_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Naming:
    """A message of `named_by` in the request names a document. other: the other party, which may read it from then on
    if `named_by` could (docs/adr/0025)."""

    request_no: str
    sha256: str
    named_by: str
    other: str


@dataclass(slots=True)
class LedgerLine:
    """One line of a ledger item (`schemas.ledgers.LedgerEntry`). Unique (ledger, item_no, source): the same source
    again replaces its line. source: where it comes from, the request's number alone for what it opened with, else
    `<request_no>:<answer or state>`.

    day, due_on: YYYY-MM-DD, Shanghai. amount: CNY, `1234.50`. partner: the other party. team: 办案团队.
    """

    ledger: str
    item_no: str
    source: str
    kind: str
    day: str
    at: datetime
    settles: bool = False
    due_on: str | None = None
    amount: str | None = None
    case_no: str | None = None
    request_no: str | None = None
    partner: str | None = None
    team: str | None = None


@dataclass(slots=True)
class CourtFigure:
    """A rate that the court itself computes and hands in. period: `2026-W13` or `2026-03`. value: percent, `87.50`."""

    period: str
    name: str
    value: str
    at: datetime


@dataclass(slots=True)
class EarlyMessage:
    """A delivery whose signature verifies and whose `time` has not come, as it came: nothing else of it is decided, and
    it uses up neither id nor number. owner, queue, user_id, content_type: of the delivery. request_no: that it names.
    time: its own. at: when it arrived. size: of the body, bytes."""

    owner: str
    body_sha256: str
    queue: str
    body: bytes
    user_id: str | None
    content_type: str | None
    request_no: str
    time: datetime
    at: datetime
    size: int
    id: int | None = None


@dataclass(slots=True)
class PartnerClock:
    """How far a participant's clock is ahead of ours (behind: negative), milliseconds, as its messages of late say."""

    participant: str
    offset_ms: int
    at: datetime


@dataclass(slots=True)
class Changes:
    """Everything that one decision writes. Applied in this order; events last (docs/contracts.md 3.3 Feed)."""

    new_requests: list[Request] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    dispositions: list[tuple[str, str, Disposition]] = field(default_factory=list)  # (sender, id, new)
    answers: list[tuple[str, str, str]] = field(default_factory=list)  # (sender, id, answer_id)
    destroyed: list[tuple[str, str]] = field(default_factory=list)  # (sender, id): its content, not its proof
    outbox: list[OutboxRow] = field(default_factory=list)
    outbox_dead: list[tuple[str, str]] = field(default_factory=list)  # (sender, message id): the broker gave it up
    outbox_again: list[tuple[str, str]] = field(default_factory=list)  # (sender, message id): ready once more
    outbox_in_order: list[tuple[datetime, str, str]] = field(default_factory=list)  # (due, sender, id): sent once more
    outbox_cancel: list[str] = field(default_factory=list)  # request_no: what was never attempted
    timers: list[Timer] = field(default_factory=list)
    timers_clear: list[tuple[str, str]] = field(default_factory=list)
    new_measures: list[Measure] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    measure_steps: list[MeasureStep] = field(default_factory=list)
    case_debts: list[CaseDebt] = field(default_factory=list)
    new_pages: list[Page] = field(default_factory=list)
    pages_cancel: list[str] = field(default_factory=list)  # request_no of an alert: what has not gone out
    documents_named: list[Naming] = field(default_factory=list)
    documents: list[DocumentRow] = field(default_factory=list)  # put by `put_by`, first or again
    held: list[Held] = field(default_factory=list)
    held_over: list[tuple[str, str, int]] = field(default_factory=list)  # (sender, request_no, seqno): waits no more
    early: list[EarlyMessage] = field(default_factory=list)
    forgotten: list[Forgotten] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    partner_clocks: list[PartnerClock] = field(default_factory=list)
    partner_versions: list[PartnerVersion] = field(default_factory=list)
    idempotency: list[IdempotencyRow] = field(default_factory=list)
    ledger: list[LedgerLine] = field(default_factory=list)
    court_figures: list[CourtFigure] = field(default_factory=list)
    calendars: list[CalendarYear] = field(default_factory=list)
    approvals: list[ApprovalRow] = field(default_factory=list)
    subject_uses: list[SubjectUse] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    release_items: list[ReleaseItem] = field(default_factory=list)
    case_changes: list[tuple[str, str]] = field(default_factory=list)  # (request_no, its case from now on)
    ledger_cases: list[tuple[str, str, str, str]] = field(default_factory=list)  # (case, ledger, item_no, request_no)
    events: list[Event] = field(default_factory=list)

    def set_timer(self, timer: Timer) -> None:
        """The last word on a (request, kind) holds, in whichever order the store writes the two lists."""
        key = (timer.request_no, timer.kind)
        self.timers_clear = [other for other in self.timers_clear if other != key]
        self.timers.append(timer)

    def clear_timer(self, request_no: str, kind: str) -> None:
        """The same the other way."""
        self.timers = [t for t in self.timers if (t.request_no, t.kind) != (request_no, kind)]
        self.timers_clear.append((request_no, kind))

    def extend(self, other: Changes) -> None:
        """What `other` says, after what was said here."""
        for name in self.__slots__:
            if name not in ("timers", "timers_clear") and (more := getattr(other, name)):
                getattr(self, name).extend(more)
        for timer in other.timers:
            self.set_timer(timer)
        for key in other.timers_clear:
            self.clear_timer(*key)
