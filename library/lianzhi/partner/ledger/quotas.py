"""Quotas of the ledger: how much it keeps that is no work of the application, how often messages are sent again, and
what is deleted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.ledger.unit import Unit


def held_in_all(unit: Unit) -> tuple[int, int]:
    """(messages, bytes) that wait for an earlier one."""
    count, size = unit.once("SELECT count(*), coalesce(sum(length(text)), 0) FROM lz_message WHERE state = 'held'")
    fresh = unit.added("held")
    return count + len(fresh), size + sum(len(message.text) for message in fresh)


def set_aside_in_all(unit: Unit) -> tuple[int, int]:
    """(messages, bytes) that could not be used, as far as they were kept."""
    count, size = unit.once("SELECT count(*), coalesce(sum(length(body)), 0) FROM lz_set_aside")
    return count + len(unit.set_aside), size + sum(len(item.body) for item in unit.set_aside)


def room_again(unit: Unit, bounds: PartnerBounds, request_no: str, now: datetime) -> int:
    """How many messages of ours in that request may still go out again in this hour, whatever they go for. What is
    dated later came by a clock that was ahead, and does not count."""
    here, everywhere = unit.sent_again(request_no, _utc(now - timedelta(hours=1)), _utc(now))
    return max(0, min(bounds.sent_again_per_request_and_hour - here, bounds.sent_again_per_hour - everywhere))


def went_again(unit: Unit, request_no: str, messages: int, now: datetime) -> None:
    """They count from now on; what is older than an hour counts no more."""
    unit.execute("DELETE FROM lz_again WHERE at < ?", (_utc(now - timedelta(hours=1)),))
    unit.went_again(request_no, messages, _utc(now))


def is_room_outside(unit: Unit, bounds: PartnerBounds) -> bool:
    """Whether one more pong may wait for the broker."""
    (ready,) = unit.once("SELECT count(*) FROM lz_outbox WHERE request_no IS NULL AND state = 'ready'")
    return bool(ready < bounds.outside_kept)


def forget_outside(unit: Unit, bounds: PartnerBounds) -> None:
    """Only the newest pings, pongs and notices stay; a second one with a forgotten id is answered anew."""
    unit.execute(
        "DELETE FROM lz_message WHERE no IN (SELECT no FROM lz_message WHERE request_no IS NULL"
        " ORDER BY no DESC LIMIT -1 OFFSET ?)",
        (bounds.outside_kept,),
    )
    unit.execute(
        "DELETE FROM lz_outbox WHERE no IN (SELECT no FROM lz_outbox WHERE request_no IS NULL AND state = 'sent'"
        " ORDER BY no DESC LIMIT -1 OFFSET ?)",
        (bounds.outside_kept,),
    )
    unit.execute(
        "DELETE FROM lz_notice WHERE no IN (SELECT no FROM lz_notice ORDER BY no DESC LIMIT -1 OFFSET ?)",
        (bounds.notices_kept,),
    )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
