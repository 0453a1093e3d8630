"""What the use cases need from the outside, as Protocols. `bootstrap` gives the concrete objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from gateway.core.doubts import Doubt, State
from gateway.core.forgotten import Forgotten, ForgottenRequest
from gateway.core.marks import Mark, Standing
from gateway.core.measure_moves import OPEN_STATES
from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    CaseDebt,
    Changes,
    CourtFigure,
    DocumentRow,
    DutyShift,
    EarlyMessage,
    Event,
    FailedMessage,
    Held,
    IdempotencyRow,
    LeasedMessage,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    OutboxRow,
    Page,
    PartnerClock,
    PausedRoute,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    SubjectUse,
    Submission,
    Timer,
)
from gateway.core.retry import Backoff, LongestWaits

LONGEST_WAITS = LongestWaits()
NOTICE_WINDOW = timedelta(minutes=1)
"""`notices_per_minute` counts those of so long."""

NoticeRoom = Literal["free", "told", "full"]
"""Whether a notice may go; told: one about the same went before; full: too many went within `NOTICE_WINDOW`."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC, microseconds."""
        ...


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What a dedup look-up answers. answer: the stored answer to publish again, if any. receiver: whom it is to."""

    digest: str
    disposition: str
    answer_id: str | None
    request_no: str | None
    receiver: str


@dataclass(frozen=True, slots=True)
class RequestFilter:
    participant: str | None = None  # asker or asked
    case_no: str | None = None
    type: str | None = None
    state: str | None = None
    receiver: str | None = None
    group_no: str | None = None
    after: str | None = None  # request_no
    limit: int = 50


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Items with a line from `first` to `last` (YYYY-MM-DD, both inside; None: any). after: item number."""

    ledger: str
    first: str | None = None
    last: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class MeasureFilter:
    """ends_by: a last day (YYYY-MM-DD) at the latest; what is past its end and still in one of `states` is among
    them."""

    participant: str | None = None  # opened it, or keeps it
    states: Sequence[str] = OPEN_STATES
    case_no: str | None = None
    ends_by: str | None = None
    after: str | None = None  # measure_no
    limit: int = 50


class Transaction(Protocol):
    """One unit of work. Loads first, one `apply` at the end; leaving without an error commits.

    Raises ConflictError (name of the constraint) and StoreUnavailableError.
    """

    async def lock_requests(self, numbers: Sequence[str]) -> dict[str, Request]:
        """The rows, locked for this unit in request_no order; absent ones are absent."""
        ...

    async def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KnownMessage]:
        """(sender, id) → what we hold."""
        ...

    async def held_at(self, request_no: str, sender: str, seqno: int) -> Held | None:
        """The early message of that sender with exactly this number."""
        ...

    async def held_after(self, request_no: str, sender: str, seqno: int) -> list[Held]:
        """Early messages of that sender behind this number, by number, without their bytes."""
        ...

    async def held_count(self, request_no: str, sender: str) -> int: ...

    async def held_totals(self, sender: str) -> tuple[int, int]:
        """(how many early messages, how many bytes) of that sender in all requests."""
        ...

    async def is_early(self, owner: str, body_sha256: str) -> bool:
        """Whether these bytes wait for their time."""
        ...

    async def early_count(self, owner: str, request_no: str) -> int:
        """How many messages that name this request wait for their time."""
        ...

    async def early_totals(self, owner: str) -> tuple[int, int]:
        """(how many messages, how many bytes) of that owner wait for their time."""
        ...

    async def take_early(self, ids: Sequence[int]) -> set[int]:
        """They wait no more. Those that this unit may go on with; the others are another's."""
        ...

    async def message(self, sender: str, message_id: str) -> Message | None: ...

    async def message_start(self, sender: str, message_id: str, size: int) -> bytes:
        """The first `size` bytes of a stored message as it came."""
        ...

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        """The id of the message that used up this number."""
        ...

    async def sent_from(self, request_no: str, sender: str, seqno: int, limit: int) -> list[tuple[str, int]]:
        """(id, seqno) of what `sender`, whom we speak for, said in that request from that number on and whose content
        still exists; in order."""
        ...

    async def attempted(self, request_no: str) -> bool:
        """Whether any outbox row of the request is leased, sent or was ever tried."""
        ...

    async def submissions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Submission]: ...

    async def submission_of(self, request_no: str) -> Submission | None:
        """What opened the request."""
        ...

    async def idempotency(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], IdempotencyRow]: ...

    async def open_measures(self, keys: Sequence[tuple[str, str, str]]) -> list[Measure]:
        """Measures with (object_key, action, case_no) that are requested or live."""
        ...

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        """Live measures of that action on these objects."""
        ...

    async def measures_on(self, object_keys: Sequence[str]) -> list[Measure]:
        """Every measure on these objects, whatever became of it."""
        ...

    async def requests_in_case(self, case_no: str, court: str) -> list[Request]:
        """What `court` opened in its case."""
        ...

    async def measures_of(self, request_no: str) -> list[Measure]:
        """Locked: requests of several parties change one measure."""
        ...

    async def measure_by_control(self, control_no: str, asked: str, opener: str) -> Measure | None:
        """The live measure of `opener` that `asked` answered with this control number, locked."""
        ...

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        """Which of them it has put, or a message to or from it legitimately names."""
        ...

    async def quarantined(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of (owner, body_sha256) that are in quarantine already."""
        ...

    async def quarantined_since(self, owner: str, since: datetime, now: datetime, limit: int) -> int:
        """How many rows of that owner are younger; counted up to `limit`."""
        ...

    async def look_at(self, request_no: str) -> Request | None:
        """The row as it is, not locked: to tell, not to decide."""
        ...

    async def notice_version(self, participant: str) -> int | None:
        """Which version of notices that partner has said that it reads."""
        ...

    async def admit_notice(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> NoticeRoom:
        """Record that a notice about these bytes goes to `owner`, unless one went before or too many did."""
        ...

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        """Sent and confirmed: the rows that were still this owner's, as they stood."""
        ...

    async def mark_failed(self, failed: Sequence[FailedMessage], owner: str) -> None:
        """Of rows that are still this owner's."""
        ...

    async def paused(self, routes: Sequence[str]) -> dict[str, PausedRoute]:
        """Those of these routes that are paused, locked in order of the route."""
        ...

    async def begin_pause(self, pause: PausedRoute) -> bool:
        """False where another unit has paused it meanwhile: then nothing changes."""
        ...

    async def go_on_pausing(self, pause: PausedRoute) -> None:
        """Its reason, until when, and how many may then be tried."""
        ...

    async def end_pause(self, route: str) -> None: ...

    async def anything_ready(self, route: str, now: datetime) -> bool:
        """Whether a message waits that may be sent now."""
        ...

    async def set_timer_aside(self, timer: Timer, now: datetime, backoff: Backoff) -> int:
        """It is not due again before its back-off; what it says and when it fell due stay. How often it has failed in
        turn; 0 when it is gone. Setting it anew forgets that."""
        ...

    async def due_timers(self, now: datetime, limit: int, sure: datetime | None = None) -> list[Timer]:
        """Due ones, locked so that two clocks never take the same. sure: the time by which something final falls due
        (an alert's end, a measure's, the destruction of a place); None: `now`."""
        ...

    async def forgotten_totals(self, owner: str) -> tuple[int, int]:
        """(messages, bytes) that are kept of that owner about requests that are not there."""
        ...

    async def is_forgotten_kept(self, owner: str, body_sha256: str) -> bool:
        """Whether these bytes are among them."""
        ...

    async def forgotten_of(self, request_no: str) -> list[Forgotten]:
        """What is kept about that number and not taken up, in the order in which it came."""
        ...

    async def end_forgotten(self, messages: Sequence[Forgotten], now: datetime | None) -> int:
        """They wait no more: of ours it stays that they were taken up `now`, without their bytes; None: nothing of
        them stays. How many there were."""
        ...

    async def done_before(self, submissionhash: str, request_no: str) -> int:
        """Doubts that wait about what was signed so are settled: it was done, under that number. How many."""
        ...

    async def skip_numbers(self, opener: str, day: str, following: int) -> None:
        """No number of that opener and day (YYYYMMDD) below `following` is given any more."""
        ...

    async def end_waits(self, now: datetime, longest: Mapping[str, timedelta]) -> int:
        """After a step back: timers of these kinds (`redeliver:` for all that begin so) and pages (`pages`) that lie
        further ahead than they ever do are due now. How many."""
        ...

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        """Every timer of these (locked) requests."""
        ...

    async def timer(self, request_no: str, kind: str) -> Timer | None: ...

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        """Shifts that touch [since, until), by their beginning."""
        ...

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None: ...

    async def remove_calendar(self, year: int) -> bool:
        """Whether that year had been imported."""
        ...

    async def mark_page(self, page: Page) -> None:
        """Its state, `sent_at` and `due_at`; one that was answered meanwhile keeps its state."""
        ...

    async def note_doubt(self, doubt: Doubt, most: int) -> bool:
        """Kept for a person, once; False when so many are kept already."""
        ...

    async def settle_doubt(self, client: str, key: str, state: State) -> bool:
        """What a person said of it; False: there is none."""
        ...

    async def end_doubts(self, incarnation: str, now: datetime) -> None:
        """Nothing of before that incarnation comes any more."""
        ...

    async def raise_sequence(self, token: str) -> None:
        """One more step of the store, known by `token`; before anything else that the unit takes (docs/adr/0030)."""
        ...

    async def begin_age(self, mark: Mark, shared_event: int, at: datetime) -> None:
        """The store goes on as the incarnation, with the sequence and past the numbers of `mark`. shared_event: the
        last event that it has in common with what it was."""
        ...

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        """First number of a fresh block of `size` (1, 101, 201, …)."""
        ...

    async def ledger_item(self, ledger: str, item_no: str) -> list[LedgerLine]:
        """Its lines; whoever else asks for the same item waits until this unit is over."""
        ...

    async def take_use(self, participant: str, who: str, day: str, what: str, most: int) -> bool:
        """Count one use of `what` by `who` on that day (YYYYMMDD, Shanghai); False, uncounted, when `most` are used."""
        ...

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        """Of these requests, in the order in which they were recorded."""
        ...

    async def wait_for_name(self, row: DocumentRow) -> None:
        """Count a new document against whoever put it, until a request names it."""
        ...

    async def use_token(self, participant: str, jti: str, now: datetime, until: datetime, most: int) -> bool | None:
        """Remember a partner's token until then. True: its first use. False: it was used. None: `most` are remembered,
        so this one is not."""
        ...

    async def subject_uses(self, keys: Sequence[str], since: datetime) -> list[SubjectUse]:
        """Who asked about the same since then, oldest first."""
        ...

    async def lock_group(self, group_no: str, opener: str) -> list[Request]:
        """The members of a group of `opener`'s, locked, in request_no order."""
        ...

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        """The requests that `court` opened in that case, locked, in request_no order."""
        ...

    async def case_measures(self, case_no: str, court: str) -> list[Measure]:
        """Every measure that `court` asked for in that case, whatever its state."""
        ...

    async def case_debts(self, case_no: str, court: str) -> list[CaseDebt]:
        """What `court` has said of its case's debt, the last figure last."""
        ...

    async def lock_open_alerts(self, case_no: str, court: str) -> list[Request]:
        """Alerts to `court` about measures of its case that are not over, locked, in request_no order."""
        ...

    async def lock_objects(self, object_keys: Sequence[str]) -> None:
        """Until the commit nobody else decides by what is in force on these objects."""
        ...

    async def apply(self, changes: Changes) -> None:
        """Writes them, at the latest with the unit's commit. Raises ConflictError and MisuseError, then or there: the
        unit ends with it."""
        ...


class Store(Protocol):
    """The database. Reads that need no lock stand here; writes go through `begin`."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def watch(self, stop: asyncio.Event) -> None:
        """What a serving process does for all of them, until `stop`: end sessions that hang and hold locks, keep the
        write-ahead log of SQLite small."""
        ...

    def wal_bytes(self) -> int | None:
        """The size of SQLite's write-ahead log; None on PostgreSQL, which looks after its own."""
        ...

    async def lease_outbox(
        self, owner: str, now: datetime, term: timedelta, limit: int, longest: LongestWaits = LONGEST_WAITS
    ) -> list[LeasedMessage]:
        """Up to `limit` ready rows: urgent ones first, then of each receiver as many as of any other; of one receiver
        the oldest. None before an unsent earlier seqno of its request, none of a paused route but its trials."""
        ...

    async def request(self, request_no: str) -> Request | None: ...

    async def requests(self, where: RequestFilter) -> list[Request]: ...

    async def messages(self, request_no: str) -> list[Message]: ...

    async def message_page(self, request_no: str, after: tuple[datetime, str], limit: int) -> list[Message]:
        """Those that are not in quarantine, in the order of (stored_at, id), above that pair."""
        ...

    async def submission_of(self, request_no: str) -> Submission | None: ...

    async def remembered(
        self, keys: Sequence[tuple[str, str]], signed: Sequence[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], IdempotencyRow], dict[tuple[str, str], Submission]]:
        """What was answered under these (client, key), and what was handed in as these (sender, id)."""
        ...

    async def events(self, audience: str, after: int, limit: int) -> list[Event]: ...

    async def first_event(self) -> int | None:
        """The id of the oldest event that is kept, of anybody's."""
        ...

    async def last_event(self) -> int: ...

    async def newest_event_at(self) -> datetime | None:
        """When the last event was written."""
        ...

    async def doubt(self, client: str, key: str) -> Doubt | None: ...

    async def doubts(self, limit: int) -> list[Doubt]:
        """Oldest first."""
        ...

    async def doubts_ended(self, incarnation: str) -> bool:
        """Whether an operator has said so."""
        ...

    async def standing(self, since: str) -> Standing:
        """How far the store has come. since: the first day (YYYYMMDD, Shanghai) whose numbers are told."""
        ...

    async def audiences(self, after: int, until: int) -> set[str]:
        """In whose feeds the events with these ids stand: above `after`, up to `until`."""
        ...

    async def timeline(self, request_no: str) -> list[Event]: ...

    async def timeline_page(self, request_no: str, audience: str, after: int, limit: int) -> list[Event]:
        """What `audience` sees of it, above that id."""
        ...

    async def requests_of_case(self, opener: str, case_no: str) -> list[Request]:
        """Every request that `opener` opened in its case, by number: no page, for decisions."""
        ...

    async def requests_of_group(self, opener: str, group_no: str) -> list[Request]:
        """Every member of a group of `opener`'s, by number: no page, for decisions."""
        ...

    async def find_measures(self, *, states: Sequence[str]) -> list[Measure]: ...

    async def measures_of_case(self, opener: str, case_no: str, states: Sequence[str]) -> list[Measure]:
        """Every measure in one of `states` that `opener` asked for in its case, by number."""
        ...

    async def debts_of_case(self, court: str, case_no: str) -> list[CaseDebt]:
        """What `court` has said of its case's debt, the last figure last."""
        ...

    async def measures(self, where: MeasureFilter) -> list[Measure]:
        """One page, in order of the number."""
        ...

    async def measure(self, measure_no: str) -> Measure | None: ...

    async def measure_steps(self, measure_no: str) -> list[MeasureStep]: ...

    async def lease_pages(self, now: datetime, term: timedelta, limit: int) -> list[Page]:
        """Due pages in the order in which they were written, each nobody else's until `now + term`."""
        ...

    async def page(self, page_id: str) -> Page | None: ...

    async def pages_of(self, alert: str) -> list[Page]: ...

    async def approvals(self, numbers: Sequence[str]) -> list[ApprovalRow]:
        """Of these requests, in the order in which they were recorded."""
        ...

    async def release(self, release_no: str) -> Release | None: ...

    async def releases(self, case_no: str) -> list[Release]: ...

    async def release_items(self, release_no: str) -> list[ReleaseItem]: ...

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]: ...

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None: ...

    async def document(self, sha256: str) -> DocumentRow | None: ...

    async def documents_unnamed(self, participant: str) -> tuple[int, int]:
        """Of the documents that it put, those that no request names: how many, and their bytes."""
        ...

    async def document_put(self, sha256: str, participant: str) -> DocumentRow | None:
        """As this participant has put it, whoever did before."""
        ...

    async def document_readers(self, sha256: str) -> set[str]:
        """Whoever has put it, and the parties of requests in whose messages a reader named it."""
        ...

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        """Which of them `participant` may read."""
        ...

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For /metrics: `requests` by `type|state`, `outbox` by state, `paused` by `route|reason`, `quarantine` by
        reason, `timers` by kind. Each is counted up to a bound and no further."""
        ...

    async def ledger_page(self, where: LedgerFilter) -> list[LedgerLine]:
        """Every line of the items of one page, by item."""
        ...

    async def standing_lines(self, first: str, last: str) -> list[LedgerLine]:
        """Lines up to `last` of the items that are not settled, or that something happened to since `first`."""
        ...

    async def living_requests(self, since: datetime) -> list[Request]:
        """What changed since then, and what is still open."""
        ...

    async def requests_named(self, numbers: Sequence[str]) -> list[Request]: ...

    async def events_of(self, audience: str, numbers: Sequence[str]) -> list[Event]:
        """Of these requests, in that party's feed; in order."""
        ...

    async def measures_ending(self, states: Sequence[str], first: str, last: str) -> list[Measure]:
        """With their last day from `first` to `last` (YYYY-MM-DD)."""
        ...

    async def court_figures(self, period: str) -> list[CourtFigure]: ...

    async def calendars(self) -> list[CalendarYear]:
        """Imported years, each once."""
        ...

    async def provisional(self, until: datetime) -> list[str]:
        """Requests with a timer due by `until` whose term had to guess a day."""
        ...

    async def due_from(self, since: datetime) -> list[str]:
        """Requests with a timer due at `since` or later."""
        ...

    async def now(self) -> datetime:
        """The database's clock."""
        ...

    async def early_due(self, until: datetime, limit: int) -> list[EarlyMessage]:
        """Messages whose own time lies no later, in the order in which they arrived."""
        ...

    async def forgotten(self, limit: int) -> list[ForgottenRequest]:
        """Numbers of ours that partners speak of and that are not there, oldest first."""
        ...

    async def forgotten_of(self, request_no: str) -> list[Forgotten]: ...

    async def submitted_as(self, submissionhash: str) -> list[str]:
        """The numbers under which our own messages, which partners gave back, name a submission with this digest."""
        ...

    async def partner_clocks(self) -> list[PartnerClock]: ...

    async def backlog(self) -> int:
        """Messages that wait to be sent."""
        ...

    async def oldest_unsent(self) -> datetime | None:
        """When the oldest message that waits to be sent was stored."""
        ...

    async def ping(self) -> None: ...

    async def try_writing(self, now: datetime) -> None:
        """Commit a row that means nothing. Raises StoreUnavailableError where nothing could be committed."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message taken off a `from` queue (or the dead queue), not yet acknowledged.

    owner: the participant whose message it is, as far as the broker vouches for it: its publisher, else the owner of
    the queue. dead_from: the queue that it died in. tag: given back to `ack`. size, body_sha256: of the whole body,
    when `body` is only its beginning: too long to be held in memory. refused: the reason for which it is not read, and
    `pointer` to what is wrong with it. traced: whether the broker vouches that `owner` published it; otherwise nobody
    is told of a refusal. early: the row where it waited for its time; then it is not at the broker.
    """

    owner: str
    queue: str
    body: bytes
    user_id: str | None
    content_type: str | None
    routing_key: str
    redelivered: bool
    dead_from: str | None
    tag: Any
    size: int | None = None
    body_sha256: str | None = None
    refused: str | None = None
    pointer: str | None = None
    traced: bool = True
    early: int | None = None


class MarkPlace(Protocol):
    """One of the places outside of the store that remember how far it had come (docs/adr/0030)."""

    @property
    def name(self) -> str:
        """`file` or `broker`."""
        ...

    async def read(self, incarnations: Sequence[str], *, patient: bool = False) -> Mark | None:
        """The highest mark there; None: there is none. incarnations: those of the store, oldest first. patient: what
        looks empty is asked again, for another process may have it in hand. Raises MarkUnreadableError."""
        ...

    async def write(self, mark: Mark) -> None:
        """Lasting when it returns. Raises MarkUnreadableError."""
        ...


class Publisher(Protocol):
    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        """To `lianzhi.out`: persistent, mandatory, confirmed. Raises UnroutableError, OversizeError and
        UnconfirmedError; of these RefusedError (the queue's answer) and UnansweredError (no answer in time)."""
        ...

    @property
    def connected(self) -> bool: ...


class Consumer(Protocol):
    """Deliveries from every `from` queue and the dead queue, in batches of what has arrived."""

    def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        """Up to so many deliveries and bytes at a time (one that is larger alone), the queues in turn."""
        ...

    async def ack(self, deliveries: Sequence[Delivery]) -> None: ...

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        """Dead-letter: the message breaks our own code, and the queue must move on."""
        ...

    async def pause(self, seconds: float) -> None:
        """Cancel the consumers; after `seconds` what is not acknowledged comes again and consuming goes on.

        It is not handed back to the broker meanwhile, which would count it as delivered once more."""
        ...


@dataclass(frozen=True, slots=True)
class Notification:
    """What one page says: no name, no plate, no place. to: a staff number; mail: its address, where there is one.

    link: path and token by which its reader acknowledges the alert, below the gateway's public address.
    """

    page_id: str
    alert: str
    level: str
    to: str
    mail: str | None
    matter: str
    urgency: str
    raised_at: datetime
    subject: str
    text: str
    link: str


class Notifier(Protocol):
    """One way out to people: the court's SMS and voice platform, or mail."""

    @property
    def channel(self) -> str: ...

    async def send(self, notification: Notification, now: datetime) -> None:
        """Handed over to the other side. Raises UndeliveredError; may be called again with the same page."""
        ...

    async def close(self) -> None: ...


class Documents(Protocol):
    """Content-addressed bytes."""

    async def put(self, sha256: str, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Stream in, write once; the size. Raises RejectedError document-mismatch, too-large."""
        ...

    async def exists(self, sha256: str) -> bool: ...

    def get(self, sha256: str) -> AsyncIterator[bytes]: ...
