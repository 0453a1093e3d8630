"""Every bound of a partner's side by name: the table `[limits]` of `partner.toml`.

Nothing that the other side sends makes the ledger, the memory or the log grow past a figure that stands here. What
lies beyond stays in the broker's queues, or is counted instead of kept (docs/adr/0027).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartnerBounds:
    """Counts and bytes; `per_…` is the time or the thing that is counted.

    consumer_bytes: bodies delivered and not acknowledged. waiting_…: messages that the application has not finished;
    at either the queues are left alone until a quarter is free again. held_…: messages that came before an earlier one
    of their sender; held_distance: how far before. set_aside_messages, set_aside_bytes: what could not be used, all of
    it; set_aside_body_bytes: of one message that no update or key can mend. notices_told_per_minute: notices that we
    send, and those of the gateway that become a log line. notices_kept, outside_kept: the newest notices, pings and
    pongs in the ledger. sent_again_…: messages that go out again because a notice, a repeated message or an urge asks
    for it. renumber_ahead: how far a notice may move our next number. asked_after_seconds: until a number that is
    missing in between is asked for. said_again_of_hours: how far back what we said is said again to a gateway whose
    database was restored.
    """

    consumer_bytes: int = 64 << 20
    waiting_messages: int = 4_096
    waiting_bytes: int = 64 << 20
    held_per_request: int = 64
    held_messages: int = 2_000
    held_bytes: int = 64 << 20
    held_distance: int = 1_000
    set_aside_messages: int = 10_000
    set_aside_bytes: int = 256 << 20
    set_aside_body_bytes: int = 64 << 10
    notices_told_per_minute: int = 10
    notices_kept: int = 10_000
    outside_kept: int = 10_000
    sent_again_per_request_and_hour: int = 64
    sent_again_per_hour: int = 2_000
    renumber_ahead: int = 1_000
    asked_after_seconds: int = 600
    said_again_of_hours: int = 48


DEFAULT_BOUNDS = PartnerBounds()
