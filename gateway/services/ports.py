"""What the use cases need from the outside, as Protocols. `bootstrap` gives the concrete objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway.core.records import (
    CalendarYear,
    Changes,
    DocumentRow,
    Event,
    IdempotencyRow,
    LeasedMessage,
    Measure,
    Message,
    OutboxRow,
    QuarantineRow,
    Request,
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
        """Requested or active measures with (object_key, action, case_no)."""
        ...

    async def live_measures(self, object_keys: Sequence[str], action: str) -> list[Measure]:
        """Active measures of that action on these objects."""
        ...

    async def measures_of(self, request_no: str) -> list[Measure]: ...

    async def measure_by_control(self, control_no: str, asked: str) -> Measure | None:
        """The live measure that `asked` answered with this control number."""
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

    async def take_number_block(self, opener: str, day: str, size: int) -> int:
        """First number of a fresh block of `size` (1, 101, 201, …)."""
        ...

    async def apply(self, changes: Changes) -> None: ...


class Store(Protocol):
    """The database. Reads that need no lock stand here; writes go through `begin`."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]: ...

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

    async def quarantine(self, *, owner: str | None = None, limit: int = 100) -> list[QuarantineRow]: ...

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None: ...

    async def document(self, sha256: str) -> DocumentRow | None: ...

    async def document_readers(self, sha256: str) -> set[str]:
        """Participants of requests whose messages name the document."""
        ...

    async def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For /metrics: `requests` by `type|state`, `outbox` by state, `quarantine` by reason, `timers` by kind."""
        ...

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


class Documents(Protocol):
    """Content-addressed bytes."""

    async def put(self, sha256: str, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Stream in, write once; the size. Raises RejectedError document-mismatch, too-large."""
        ...

    async def exists(self, sha256: str) -> bool: ...

    def get(self, sha256: str) -> AsyncIterator[bytes]: ...
