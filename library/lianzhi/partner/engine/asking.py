"""Asks the gateway for messages that the ledger lacks: sends a `lianzhi.gateway.notice` with the number that we take
next.

The gateway answers with its stored bytes from that number on (docs/adr/0031). Where the `open` is missing
it asks at once, where a number in between is missing after `asked_after_seconds`, because the messages before it may
still be on their way. It asks once until something has come, then again after an hour, two,
four, and so on up to a day; at most `notices_told_per_minute` a minute, the others in a later one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.engine.replies import Writer
from lianzhi.partner.ledger.records import OutboxRow
from lianzhi.partner.ledger.unit import Unit
from lianzhi.problem import REASONS
from lianzhi.protocol.envelope import GATEWAY_NOTICE

REASON = "sequence-gap"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(days=1)
_MINUTE = timedelta(minutes=1)

# Every request in which something waits for an earlier message; never more than `held_messages`.
_WAITING = """
SELECT c.request_no, c.peer_next, c.opened, min(m.arrived_at), a.next_seqno, a.at, a.times
FROM lz_message AS m JOIN lz_conversation AS c ON c.request_no = m.request_no
LEFT JOIN lz_asked AS a ON a.request_no = m.request_no
WHERE m.state = 'held' GROUP BY c.request_no ORDER BY min(m.no)
"""
_NOTHING_WAITS = """
DELETE FROM lz_asked WHERE request_no NOT IN (SELECT request_no FROM lz_message WHERE state = 'held') AND at < ?
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """gateway: whom we ask. now: aware."""

    unit: Unit
    writer: Writer
    gateway: str
    bounds: PartnerBounds
    now: datetime

    def at_once(self, request_no: str, next_seqno: int) -> list[OutboxRow]:
        """Rows to publish: nothing where that was asked already, or where so many others were within a minute."""
        asked = self.unit.execute("SELECT next_seqno FROM lz_asked WHERE request_no = ?", (request_no,)).fetchone()
        if (asked is not None and asked[0] == next_seqno) or self._room() < 1:
            return []
        return [self._ask(request_no, next_seqno, 1)]

    def what_waits(self) -> list[OutboxRow]:
        """What is due by now, the oldest first, as far as there is room in this minute."""
        self.unit.execute(_NOTHING_WAITS, (_utc(self.now - LONGEST_PAUSE),))
        room, rows = self._room(), list[OutboxRow]()
        for request_no, next_seqno, opened, since, asked, at, times in self.unit.execute(_WAITING).fetchall():
            if len(rows) >= room:
                break
            new = asked is None or asked != next_seqno
            due = self._first(opened, since) if new else _after(at, times)
            if due <= self.now:
                rows.append(self._ask(request_no, next_seqno, 1 if new else times + 1))
        return rows

    def _first(self, opened: int, since: str) -> datetime:
        waited = datetime.fromisoformat(since)
        return waited + timedelta(seconds=self.bounds.asked_after_seconds) if opened else waited

    def _room(self) -> int:
        (recent,) = self.unit.execute(
            "SELECT count(*) FROM lz_asked WHERE at > ?", (_utc(self.now - _MINUTE),)
        ).fetchone()
        return max(0, self.bounds.notices_told_per_minute - int(recent))

    def _ask(self, request_no: str, next_seqno: int, times: int) -> OutboxRow:
        reason = REASONS[REASON]
        body: dict[str, Any] = {
            "body_sha256": "",
            "reason": reason.code,
            "title_zh": reason.zh,
            "title_en": reason.en,
            "request_no": request_no,
            "next_seqno": next_seqno,
        }
        row = self.writer.outside(GATEWAY_NOTICE, self.gateway, body, self.now)
        self.unit.send(row)
        self.unit.execute(
            "INSERT OR REPLACE INTO lz_asked VALUES (?, ?, ?, ?)", (request_no, next_seqno, _utc(self.now), times)
        )
        return row


@dataclass(frozen=True, slots=True)
class AskForMissing:
    """Job: say what has been missing for too long. The rows, for the publisher."""

    writer: Writer
    gateway: str
    bounds: PartnerBounds
    now: datetime
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> list[OutboxRow]:
        return Asking(unit, self.writer, self.gateway, self.bounds, self.now).what_waits()


def _after(at: str, times: int) -> datetime:
    """When that is said again which was said for the `times`-th time then."""
    pause: timedelta = FIRST_PAUSE * float(2 ** min(times - 1, 10))
    return datetime.fromisoformat(at) + min(pause, LONGEST_PAUSE)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
