"""What follows when one side has lost messages: our numbering is corrected, what the other side lacks goes out again.

A notice (`lianzhi.gateway.notice`) leads to it. A ledger that was lost or restored from an old copy counts too low,
and the gateway answers `sequence-reused`: the counter goes on from the number it waits for, and the refused message is
said again under it. A gap the other way (the gateway never got a number that we used) is filled with the stored bytes.
Where we said that we lack a request, the gateway says which number is ours before it sends that again, and nothing is
refused at all (docs/adr/0031).

A notice is the word of the other side, so it is held against what we know:
1. It comes from the gateway, or from the other end of the request that it names.
2. A message that it names is ours, of that request, addressed to its sender, and its digest is that of exactly our
   bytes. Otherwise it names nothing.
3. Our counter never goes back, goes forward only for a message of ours that was refused as `sequence-reused`, or by the
   gateway's own word in a request in which our ledger has said nothing yet, and no further than `renumber_ahead`. An
   `open` keeps its number, which is always 1.
4. Of a message of ours that the gateway keeps although it has lost the request, it gets the whole request back.
5. So many messages in an hour go out again, in one request and in all: whoever asks for more is written down and not
   obeyed.

A gateway whose database was restored to an earlier point shows it in two ways (docs/adr/0041): by rule 4, or by naming
another incarnation than before in its notices and pongs. Then it gets its own messages of that request again, the very
bytes that we received, which prove the request to it, and everything that we said in it (`GivingBack`). It decides
about neither: what it knows already changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lianzhi.crypto.sdjwt import digest_of, parse
from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.engine.replies import Writer
from lianzhi.partner.ledger.outgoing import by_id, from_seqno_again, ready_again, refuse, said_again
from lianzhi.partner.ledger.quotas import room_again, went_again
from lianzhi.partner.ledger.records import Conversation, Notice, OutboxRow
from lianzhi.partner.ledger.unit import Unit
from lianzhi.printable import printable
from lianzhi.protocol.envelope import FORGOTTEN_KEPT
from lianzhi.protocol.ordering import marked

WAITS = "held-until-its-time"
"""The rule of a notice about a message that is not refused: the gateway keeps it until its time has come."""
NOT_REFUSED = frozenset({WAITS, FORGOTTEN_KEPT})
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


@dataclass(frozen=True, slots=True)
class Recovery:
    """gateway: the participant that sends notices. now: when the batch arrived, aware."""

    unit: Unit
    writer: Writer
    gateway: str
    bounds: PartnerBounds
    now: datetime

    def heed(self, notice: Notice) -> list[OutboxRow]:
        """Rows to publish. A refused message whose content is sealed cannot be said again without the application:
        it stays `refused` and `doctor` shows it."""
        unit = self.unit
        row = by_id(unit, notice.message_id) if notice.message_id else None
        refused = row if row is not None and self._is_about(notice, row) else None
        if refused is not None and notice.rule not in NOT_REFUSED:
            refuse(unit, refused.id, notice.reason)
        if refused is not None and notice.rule == FORGOTTEN_KEPT and refused.request_no is not None:
            return GivingBack(unit, self.writer.code, self.bounds, self.now).of_request(refused.request_no)
        held = unit.conversation(notice.request_no) if notice.request_no else None
        if held is None or notice.next_seqno is None or notice.sender not in (self.gateway, held.peer):
            return []
        if notice.sender == self.gateway and notice.message_id is None and held.our_seq == 0:
            self._counted_on(held, notice.next_seqno)
            return []
        rows = self._again(held, notice, row, refused)
        went_again(unit, held.request_no, len(rows), self.now)
        return rows

    def _again(
        self, held: Conversation, notice: Notice, row: OutboxRow | None, refused: OutboxRow | None
    ) -> list[OutboxRow]:
        unit, next_seqno = self.unit, notice.next_seqno
        assert next_seqno is not None
        left = room_again(unit, self.bounds, held.request_no, self.now)
        if refused is not None and notice.reason == "sequence-reused" and refused.state != "refused":
            return self._renumbered(held, refused, next_seqno) if left else []
        if row is None and next_seqno <= held.our_seq:
            return from_seqno_again(unit, held.request_no, next_seqno, left)
        return []

    def _counted_on(self, held: Conversation, next_seqno: int) -> None:
        """3. An earlier ledger of ours has used the numbers before it."""
        if 1 < next_seqno <= self.bounds.renumber_ahead:
            self.unit.put(replace(held, our_seq=next_seqno - 1))

    def _is_about(self, notice: Notice, row: OutboxRow) -> bool:
        """2. Bytes that were forgotten cannot be compared any more: whatever is said of them is only written down."""
        if not row.text or hashlib.sha256(row.text.encode("ascii")).hexdigest() != notice.body_sha256:
            return False
        if notice.request_no is not None and notice.request_no != row.request_no:
            return False
        receiver = parse(row.text.encode("ascii")).event.get("receiver")
        return notice.sender in (self.gateway, receiver)

    def _renumbered(self, held: Conversation, refused: OutboxRow, next_seqno: int) -> list[OutboxRow]:
        """3"""
        conversation = replace(held, our_seq=max(held.our_seq, next_seqno - 1))
        if refused.verb == "open" or conversation.our_seq - held.our_seq > self.bounds.renumber_ahead:
            return []
        again = self.writer.renumbered(refused, conversation.our_seq + 1, self.now)
        if again is not None:
            conversation.our_seq += 1
            if held.marks.get(refused.verb, ("", ""))[0] == refused.id:
                mark = again.id, digest_of(again.text.partition("~")[0])
                conversation.marks = marked(conversation.marks, refused.verb, mark)
            self.unit.send(again)
        self.unit.put(conversation)
        return [] if again is None else [again]


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
