"""Acts on a `lianzhi.gateway.notice`: corrects our numbering, sends again what the gateway lacks, and nothing beyond
that.

A ledger that was lost or restored from an old copy counts too low, and the gateway answers `sequence-reused`: the
counter goes on from the number it waits for, and the refused message is said again under it. A gap the other way
(the gateway never got a number that we used) is filled with the stored bytes. Where we said that we lack a request, the
gateway says which number is ours before it sends that again, and nothing is refused at all (docs/adr/0031).

A notice is the word of the other side, so it is held against what we know:
1. It comes from the gateway, or from the other end of the request that it names.
2. A message that it names is ours, of that request, addressed to its sender, and its digest is that of exactly our
   bytes. Otherwise it names nothing.
3. Our counter never goes back, goes forward only for a message of ours that was refused as `sequence-reused`, or by the
   gateway's own word in a request in which our ledger has said nothing yet, and no further than `renumber_ahead`. An
   `open` keeps its number, which is always 1.
4. Of a message of ours that the gateway keeps although it has lost the request, it gets the whole request back
   (`giving_back`).
5. So many messages in an hour go out again, in one request and in all: whoever asks for more is written down and not
   obeyed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from lianzhi.crypto.sdjwt import digest_of, parse
from lianzhi.partner.bounds import PartnerBounds
from lianzhi.partner.engine.giving_back import GivingBack
from lianzhi.partner.engine.replies import Writer
from lianzhi.partner.ledger.outgoing import by_id, from_seqno_again, refuse
from lianzhi.partner.ledger.quotas import room_again, went_again
from lianzhi.partner.ledger.records import Conversation, Notice, OutboxRow
from lianzhi.partner.ledger.unit import Unit
from lianzhi.protocol.envelope import FORGOTTEN_KEPT
from lianzhi.protocol.origins import marked

WAITS = "held-until-its-time"
"""The rule of a notice about a message that is not refused: the gateway keeps it until its time has come."""
NOT_REFUSED = frozenset({WAITS, FORGOTTEN_KEPT})


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
