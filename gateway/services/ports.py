"""What the use cases need from the outside, as Protocols. `bootstrap` gives the concrete objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway.core.measure_moves import OPEN_STATES
from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    Changes,
    CourtFigure,
    DocumentRow,
    DutyShift,
    Event,
    IdempotencyRow,
    LeasedMessage,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    OutboxRow,
    Page,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    SubjectUse,
    Submission,
    Timer,
)


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC, microseconds."""
        ...


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What a dedup look-up answers. answer: the stored answer to publish again, if any."""

    digest: str
    disposition: str
    answer_id: str | None
    request_no: str | None


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

    async def held(self, request_no: str, sender: str) -> list[Message]:
        """Early messages of that sender, by seqno."""
        ...

    async def seqno_owner(self, request_no: str, sender: str, seqno: int) -> str | None:
        """The id of the message that used up this number."""
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

    async def measures_in_case(self, case_no: str) -> list[Measure]: ...

    async def requests_in_case(self, case_no: str) -> list[Request]: ...

    async def measures_of(self, request_no: str) -> list[Measure]:
        """Locked: requests of several parties change one measure."""
        ...

    async def measure_by_control(self, control_no: str, asked: str) -> Measure | None:
        """The live measure that `asked` answered with this control number, locked."""
        ...

    async def documents_known(self, digests: Sequence[str]) -> set[str]: ...

    async def notice_allowed(self, owner: str, body_sha256: str, now: datetime, per_minute: int) -> bool:
        """Record that a notice about these bytes goes to `owner`; False if it went before, or too many did."""
        ...

    async def mark_sent(self, row_ids: Sequence[int], owner: str) -> list[OutboxRow]:
        """Sent and confirmed: the rows that were still this owner's, as they stood."""
        ...

    async def mark_failed(self, row_id: int, owner: str, *, next_at: datetime, reason: str, park: bool) -> None: ...

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Due ones, locked so that two clocks never take the same."""
        ...

    async def timers_of(self, numbers: Sequence[str]) -> list[Timer]:
        """Every timer of these (locked) requests."""
        ...

    async def timer(self, request_no: str, kind: str) -> Timer | None: ...

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        """Shifts that touch [since, until), by their beginning."""
        ...

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None: ...

    async def mark_page(self, page: Page) -> None:
        """Its state, `sent_at` and `due_at`; one that was answered meanwhile keeps its state."""
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

    async def subject_uses(self, keys: Sequence[str], since: datetime) -> list[SubjectUse]:
        """Who asked about the same since then, oldest first."""
        ...

    async def lock_group(self, group_no: str) -> list[Request]:
        """Its members, locked, in request_no order."""
        ...

    async def lock_case(self, case_no: str, court: str) -> list[Request]:
        """The requests that `court` opened in that case, locked, in request_no order."""
        ...

    async def case_measures(self, case_no: str) -> list[Measure]:
        """Every measure of the case, whatever its state."""
        ...

    async def lock_objects(self, object_keys: Sequence[str]) -> None:
        """Until the commit nobody else decides by what is in force on these objects."""
        ...

    async def apply(self, changes: Changes) -> None: ...


class Store(Protocol):
    """The database. Reads that need no lock stand here; writes go through `begin`."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def watch(self, stop: asyncio.Event) -> None:
        """What a serving process does for all of them, until `stop`: end sessions that hang and hold locks."""
        ...

    async def lease_outbox(self, owner: str, now: datetime, term: timedelta, limit: int) -> list[LeasedMessage]:
        """Up to `limit` ready rows, oldest first, none before an unsent earlier seqno of its request."""
        ...

    async def request(self, request_no: str) -> Request | None: ...

    async def requests(self, where: RequestFilter) -> list[Request]: ...

    async def messages(self, request_no: str) -> list[Message]: ...

    async def submission_of(self, request_no: str) -> Submission | None: ...

    async def events(self, audience: str, after: int, limit: int) -> list[Event]: ...

    async def oldest_event(self, audience: str) -> int | None: ...

    async def last_event(self) -> int: ...

    async def timeline(self, request_no: str) -> list[Event]: ...

    async def find_measures(self, *, states: Sequence[str], case_no: str | None = None) -> list[Measure]: ...

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

    async def document_readers(self, sha256: str) -> set[str]:
        """Participants of requests whose messages name the document."""
        ...

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For /metrics: `requests` by `type|state`, `outbox` by state, `quarantine` by reason, `timers` by kind."""
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

    async def backlog(self) -> int:
        """Messages that wait to be sent."""
        ...

    async def oldest_unsent(self) -> datetime | None:
        """When the oldest message that waits to be sent was stored."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message taken off a `from` queue (or the dead queue), not yet acknowledged.

    owner: the participant whose queue it came from. tag: given back to `ack`.
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


class Publisher(Protocol):
    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        """To `lianzhi.out`: persistent, mandatory, confirmed. Raises UnroutableError, UnconfirmedError."""
        ...

    @property
    def connected(self) -> bool: ...


class Consumer(Protocol):
    """Deliveries from every `from` queue and the dead queue, in batches of what has arrived."""

    def batches(self, max_size: int) -> AsyncIterator[list[Delivery]]: ...

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
