"""Every figure that an operator may change, in one class, with the reason for its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gateway.core.ledgers import TERMS, LedgerTerms
from gateway.core.retry import Backoff
from gateway.core.worktime import OfficeHours


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are what docs/design.md 3.2 and docs/domain.md 3 give; counts suit one county court.

    redeliver_after: `delivered` overdue → the stored bytes again, `redeliver_times` times, each wait
    `redeliver_factor` longer, then an incident. gap_after: a missing seqno becomes an event and a notice.
    lease_term: longer than any publish takes, short enough that a dead dispatcher is replaced soon.
    backlog_limit: unsent messages above which submissions get 503. ledgers: the terms of the ledgers, most of them law.
    office_hours: what "working hours" of the weekly report are.
    """

    redeliver_after: timedelta = timedelta(minutes=15)
    redeliver_times: int = 3
    redeliver_factor: float = 2.0
    gap_after: timedelta = timedelta(hours=1)
    mend_every: timedelta = timedelta(seconds=15)
    lease_term: timedelta = timedelta(seconds=30)
    publish_timeout: float = 10.0
    publish_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=5)))
    batch: int = 128
    dispatch_batch: int = 256
    poll: float = 0.25
    clock_poll: float = 0.5
    notices_per_minute: int = 10
    backlog_limit: int = 100_000
    number_block: int = 100
    feed_days: int = 90
    feed_poll: float = 0.1
    store_pause: float = 2.0
    ledgers: LedgerTerms = TERMS
    office_hours: OfficeHours = field(default_factory=OfficeHours)
