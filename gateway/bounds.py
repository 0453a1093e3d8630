"""Every bound of the gateway by name, and the count of how often each was reached.

`Bounds` is the table `[limits]` of `lianzhi.toml`: nothing that a partner, a client or a stranger may send, keep or
hold open grows past a figure that stands here. Reaching one is a named answer to whoever reached it, a metric
(`lianzhi_bound_reached_total`), and an incident where a person must act. The table in docs/strangers.md says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

BROKER_MESSAGE_MARGIN = 64 << 10
TOLD_AGAIN_AFTER = timedelta(hours=1)
"""The same bound, reached by the same participant, is an incident at most so often; the metric counts each time."""


class Bounds(BaseModel):
    """`[limits]`. Bytes, counts, seconds, levels; the unit stands in the name where it is not a count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # One message (see `lianzhi.crypto.limits.Limits`).
    message_bytes: int = Field(default=1 << 20, gt=0)
    document_bytes: int = Field(default=100 << 20, gt=0)
    json_depth: int = Field(default=32, gt=0)
    ahead_seconds: float = Field(default=300, ge=0)
    behind_days: float = Field(default=30, ge=0)

    # Use by people (docs/domain.md).
    sensitive_per_day: int = Field(default=20, ge=1)
    break_glass_per_day: int = Field(default=5, ge=0)

    # Messages that wait for an earlier one of their sender. A partner that answers in order never holds any; one that
    # catches up after an outage holds as many as one request has.
    held_per_request: int = Field(default=64, ge=1)
    held_per_partner: int = Field(default=2_000, ge=1)
    held_bytes_per_partner: int = Field(default=64 << 20, gt=0)
    held_distance: int = Field(default=1_000, ge=1)
    # What is ahead of our clock by more than `ahead_seconds`, and not more than this, waits within the same bounds.
    held_ahead_hours: float = Field(default=24, ge=0)

    # Quarantine: of a message that is larger, so many bytes and the digest of all of them. Rows beyond those of one
    # hour and participant are counted, not kept. notices_per_minute: to one participant about what it sent.
    quarantine_bytes: int = Field(default=64 << 10, gt=0)
    quarantine_rows_per_hour: int = Field(default=1_000, ge=1)
    notices_per_minute: int = Field(default=10, ge=1)

    # Of one request within an hour: messages of ours that go to its partner once more because it lacks them.
    sent_again_per_request: int = Field(default=64, ge=1)
    # Dead messages that a plan of two persons sends again (docs/handbook/replay.md), in all plans together.
    replayed_per_second: float = Field(default=10, ge=0.1)

    # One unit of work, and what the gateway holds unacknowledged.
    intake_batch_bytes: int = Field(default=8 << 20, gt=0)
    consumer_bytes: int = Field(default=128 << 20, gt=0)
    backlog: int = Field(default=100_000, ge=0)

    # At the broker, by policy and by limits of its users.
    queue_messages: int = Field(default=100_000, ge=1)
    queue_bytes: int = Field(default=2 << 30, gt=0)
    user_connections: int = Field(default=20, ge=1)
    user_channels: int = Field(default=200, ge=1)
    partner_messages_per_hour: int = Field(default=100_000, ge=1)
    partner_bytes_per_hour: int = Field(default=2 << 30, gt=0)

    # HTTP: connections (all, of one address), time for a request's header and body, and what one credential may have
    # in flight.
    http_connections: int = Field(default=1_000, ge=1)
    http_connections_per_address: int = Field(default=400, ge=1)
    http_header_seconds: float = Field(default=10, gt=0)
    http_body_seconds: float = Field(default=30, gt=0)
    requests_in_flight: int = Field(default=256, ge=1)
    polls_in_flight: int = Field(default=8, ge=1)
    uploads_in_flight: int = Field(default=8, ge=1)
    upload_bytes_per_second: int = Field(default=4_096, ge=1)
    tokens_remembered: int = Field(default=5_000, ge=1)
    documents_unnamed: int = Field(default=1_000, ge=1)
    documents_unnamed_bytes: int = Field(default=4 << 30, gt=0)
    page_items: int = Field(default=500, ge=1)

    # After a restore: POSTs that may be retries wait for a person, so many at most; for so many days they may come.
    doubts: int = Field(default=10_000, ge=1)
    doubt_days: float = Field(default=7, ge=0)
    # Of one partner: what it says and gives back of requests that a restore has lost waits whole for a person.
    forgotten_per_partner: int = Field(default=10_000, ge=1)
    forgotten_bytes_per_partner: int = Field(default=64 << 20, gt=0)

    @property
    def broker_message_bytes(self) -> int:
        """`max_message_size` of the broker: just above our own limit, so that what is a little too large is refused by
        us with a reason, and what is far too large by the broker before it costs anybody anything."""
        return self.message_bytes + BROKER_MESSAGE_MARGIN


class Reached:
    """How often each bound was reached in this process, by which participant (`""`: by nobody in particular)."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], datetime] = {}

    def count(self, bound: str, participant: str = "", times: int = 1) -> None:
        """bound: a field of `Bounds`. participant: a registered code, so that there are never many."""
        self._counts[bound, participant] += times

    def to_be_told(self, bound: str, participant: str, now: datetime) -> bool:
        """Whether a person is to hear of it: the first time, and again after `TOLD_AGAIN_AFTER`."""
        last = self._told.get((bound, participant))
        if last is not None and timedelta(0) <= now - last < TOLD_AGAIN_AFTER:
            return False
        self._told[bound, participant] = now
        return True

    def counts(self) -> Mapping[tuple[str, str], int]:
        """(bound, participant) → times."""
        return self._counts
