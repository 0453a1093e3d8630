"""Every figure that an operator may change, in one class, with the reason for its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gateway.core.alarms.terms import AlarmTerms
from gateway.core.approvals import ApprovalTerms
from gateway.core.figures.ledgers import TERMS, LedgerTerms
from gateway.core.retry import CLOCKS_APART, Backoff, LongestWaits
from gateway.core.time.calendar import OfficeHours
from schemas.catalogue import Deadline, DeadlineKind


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each clock of a request runs (docs/domain.md sections 2.2, 2.6, 3; `core.time.clocks` says when).

    urgent: what `urgent` and `immediate` ask for, unless the matter itself is due sooner. receipt_days: on the asked
    party's duty hours; receipt_always: for the types that it takes at any hour. supplement: 3 days [H]. objection: the
    court answers in 15 days [S]. withdrawal_fast: for `fast`, where a person or a car is being stopped meanwhile.
    unsent, blocked: our own side, so minutes. remind_before: the deadline. urge_again, supervise, escalate: working
    days after it.
    """

    urgent: Deadline = Deadline(DeadlineKind.CLOCK_HOURS, 24)
    receipt_days: int = 1
    receipt_always: timedelta = timedelta(minutes=10)
    supplement: Deadline = Deadline(DeadlineKind.LEGAL_DAYS, 3)
    objection: Deadline = Deadline(DeadlineKind.LEGAL_DAYS, 15)
    confirm: Deadline = Deadline(DeadlineKind.WORKING_DAYS, 3)
    withdrawal: Deadline = Deadline(DeadlineKind.WORKING_DAYS, 1)
    withdrawal_fast: Deadline = Deadline(DeadlineKind.CLOCK_HOURS, 1)
    fast: tuple[str, ...] = ("police.person-control.*", "police.vehicle-control.*")
    approval: Deadline = Deadline(DeadlineKind.WORKING_DAYS, 1)
    approval_urgent: Deadline = Deadline(DeadlineKind.CLOCK_HOURS, 4)
    unsent: timedelta = timedelta(minutes=15)
    blocked: timedelta = timedelta(hours=1)
    remind_before: timedelta = timedelta(days=1)
    urge_again: int = 1
    supervise: int = 3
    escalate: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are what docs/contracts.md 3.2 and docs/domain.md 3 give; counts suit one county court.

    redeliver_after: `delivered` overdue → the stored bytes again, `redeliver_times` times, each wait
    `redeliver_factor` longer, then an incident. gap_after: a missing seqno becomes an event and a notice.
    lease_term: longer than any publish takes, short enough that a dead dispatcher is replaced soon.
    pause_backoff: how long a participant's queue that takes nothing is left alone before one message is tried.
    backlog_limit: unsent messages above which submissions get 503. ledgers: the terms of the ledgers, most of them law.
    office_hours: what "working hours" of the weekly report are. calendar_poll: seconds after which every process
    has noticed an imported calendar; what was computed meanwhile is computed again.
    measure_reminders: days before a measure's last day on which its end is announced, at `measure_remind_hour` o'clock
    in Shanghai, when the office opens. page_*_after: how long after an alert was raised B, the duty desk and the chief
    are paged (docs/domain.md 3). page_channels: what is configured of `webhook`, `mail`. page_timeout: seconds for one
    sending; page_lead: seconds after which the next page of the same alert goes out, whatever became of the one
    before. page_attempts: with this back-off an hour of trying; by then the last level has long been paged.
    fault_backoff: between two tries of a row that our own code fails over; it may be mended by a file or a version.
    digest_to: mail addresses that get the operators' digest, from `digest_hour` o'clock in Shanghai on.
    digest_people: whether handlers and leaders with an address in the roster get theirs at that hour.
    watch_poll: seconds between two looks at silent partners, at alarms, and at whether these mails are due.
    alarms: from when on a duty officer is told of what. alarm_poll: seconds between two looks at whether something is
    to be told; alarm_lease: longer than one round of telling; alarm_backoff: between two tries.
    roster_hour: o'clock in Shanghai when the duty roster of the coming day is looked at.
    break_glass_approval, break_glass_review: what was sent first is approved, and reviewed, within so long.
    break_glass_per_day: of one court; it is for emergencies. sensitive_per_day: queries of one family about people's
    lives and movements that one handler may ask in a day; a busy one of a county court asks about ten. same_subject:
    how far back an earlier query about the same person or car is told.
    """

    redeliver_after: timedelta = timedelta(minutes=15)
    redeliver_times: int = 3
    redeliver_factor: float = 2.0
    gap_after: timedelta = timedelta(hours=1)
    mend_every: timedelta = timedelta(seconds=15)
    lease_term: timedelta = timedelta(seconds=30)
    publish_timeout: float = 10.0
    publish_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=5)))
    pause_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=1)))
    batch: int = 128
    dispatch_batch: int = 256
    poll: float = 0.25
    clock_poll: float = 0.5
    backlog_limit: int = 100_000
    number_block: int = 100
    feed_poll: float = 0.1
    store_pause: float = 2.0
    ledgers: LedgerTerms = TERMS
    office_hours: OfficeHours = field(default_factory=OfficeHours)
    calendar_poll: float = 30.0
    terms: Terms = field(default_factory=Terms)
    measure_reminders: tuple[int, ...] = (30, 15, 7, 3, 1)
    measure_remind_hour: int = 8
    page_backup_after: timedelta = timedelta(minutes=5)
    page_desk_after: timedelta = timedelta(minutes=10)
    page_chief_after: timedelta = timedelta(minutes=15)
    page_channels: tuple[str, ...] = ()
    page_timeout: float = 10.0
    page_lead: float = 2.0
    page_attempts: int = 20
    page_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(seconds=5), 2.0, timedelta(minutes=5)))
    page_poll: float = 0.25
    fault_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(minutes=1), 2.0, timedelta(hours=1)))
    roster_hour: int = 8
    digest_to: tuple[str, ...] = ()
    digest_hour: int = 8
    digest_people: bool = True
    watch_poll: float = 60.0
    alarms: AlarmTerms = field(default_factory=AlarmTerms)
    alarm_poll: float = 1.0
    alarm_lease: timedelta = timedelta(minutes=2)
    alarm_backoff: Backoff = field(default_factory=lambda: Backoff(timedelta(seconds=10), 2.0, timedelta(minutes=5)))
    break_glass_approval: timedelta = timedelta(hours=4)
    break_glass_review: Deadline = Deadline(DeadlineKind.WORKING_DAYS, 1)
    break_glass_per_day: int = 5
    sensitive_per_day: int = 20
    same_subject: timedelta = timedelta(days=30)
    approvals: ApprovalTerms = field(default_factory=ApprovalTerms)

    @property
    def longest_waits(self) -> LongestWaits:
        """Of the outbox, as configured here."""
        return LongestWaits(
            max(self.lease_term, self.publish_backoff.ceiling) + CLOCKS_APART,
            self.fault_backoff.ceiling + CLOCKS_APART,
            max(self.lease_term, self.pause_backoff.ceiling) + CLOCKS_APART,
        )
