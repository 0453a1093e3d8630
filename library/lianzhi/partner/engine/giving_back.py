"""Gives a request back to a gateway that has lost it: every message of it that the ledger holds (docs/adr/0041).

The gateway's database was restored to an earlier point. It shows in two ways: a notice states that the gateway keeps a
message of ours although it has lost the request; or its notices and pongs name another incarnation than before. Then it
gets its own messages of that request again, the very bytes that we received, which prove the request to it, and
everything that we said in it. It decides about neither: what it knows already changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.ledger.outgoing import ready_again, said_again
from lianzhi.partner.ledger.quotas import room_again, went_again
from lianzhi.partner.ledger.records import OutboxRow
from lianzhi.partner.ledger.unit import Unit
from lianzhi.printable import printable

ID = "back:"
"""What the outbox calls a message of the gateway's that goes back: this and its id. It has no number of ours, and goes
in the order of its request, before what we say in it."""
_LONGEST = 64
_ONCE_IN = timedelta(hours=1)

# Of a request that we opened our own `open` is what proves it, and goes again with the rest.
_THEIRS = """
SELECT m.id, m.verb, m.text, c.type FROM lz_message AS m JOIN lz_conversation AS c ON c.request_no = m.request_no
WHERE m.request_no = ? AND c.role = 'asked' AND m.sender = c.peer AND m.text != ''
AND m.state != 'set-aside' ORDER BY m.seqno LIMIT ?
"""
# The newest are the likeliest to be lost; of them the oldest goes first.
_OF_LATE = """
SELECT request_no FROM (SELECT request_no, max(no) AS latest FROM lz_outbox
WHERE request_no IS NOT NULL AND seqno IS NOT NULL AND state = 'sent' AND made_at > ?
GROUP BY request_no ORDER BY latest DESC LIMIT ?) ORDER BY latest
"""


def incarnation_in(body: Mapping[str, Any]) -> str | None:
    """Of a notice or a pong: which life of its store the gateway is in."""
    value = body.get("incarnation")
    return printable(value, _LONGEST) if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class GivingBack:
    """code: ours. now: aware."""

    unit: Unit
    code: str
    bounds: PartnerBounds
    now: datetime

    def of_request(self, request_no: str) -> list[OutboxRow]:
        """The gateway's messages and ours, as far as there is room in this hour; nothing where they went within it."""
        left = room_again(self.unit, self.bounds, request_no, self.now)
        theirs = self._theirs(request_no, left)
        return self._with_ours(request_no, theirs, left) if theirs else []

    def of_late(self) -> list[OutboxRow]:
        """Of every request in which we said something of late."""
        since = _utc(self.now - timedelta(hours=self.bounds.said_again_of_hours))
        found = self.unit.execute(_OF_LATE, (since, self.bounds.sent_again_per_hour)).fetchall()
        rows = []
        for (request_no,) in found:
            left = room_again(self.unit, self.bounds, request_no, self.now)
            rows += self._with_ours(request_no, self._theirs(request_no, left), left)
        return rows

    def is_new(self, gateway: str, incarnation: str) -> bool:
        """Whether the gateway is in another life than when it last said so; from now on this is the known one."""
        known = self.unit.execute("SELECT incarnation FROM lz_gateway WHERE code = ?", (gateway,)).fetchone()
        if known is None or known[0] != incarnation:
            values = (gateway, incarnation, _utc(self.now))
            self.unit.execute("INSERT OR REPLACE INTO lz_gateway VALUES (?, ?, ?)", values)
        return known is not None and known[0] != incarnation

    def _with_ours(self, request_no: str, theirs: list[OutboxRow], left: int) -> list[OutboxRow]:
        rows = [*theirs, *said_again(self.unit, request_no, 1, left - len(theirs))]
        went_again(self.unit, request_no, len(rows), self.now)
        return rows

    def _theirs(self, request_no: str, limit: int) -> list[OutboxRow]:
        rows = []
        for message_id, verb, text, type in self.unit.execute(_THEIRS, (request_no, limit)).fetchall():
            key = f"{self.code}.normal.{type}.{verb}"
            row = OutboxRow(f"{ID}{message_id}", request_no, None, verb, key, text, _utc(self.now))
            if again := ready_again(self.unit, row, _utc(self.now - _ONCE_IN)):
                rows.append(again)
        return rows


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
