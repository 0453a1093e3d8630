"""What a `lianzhi.gateway.notice` with `next_seqno` puts right.

A ledger that was lost or restored from an old copy counts too low, and the gateway answers `sequence-reused`: the
counter goes on from the number it waits for, and the refused message is said again under it. A gap the other way
(the gateway never got a number that we used) is filled with the stored bytes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.partner.outgoing import by_id, from_seqno_again, refuse
from gateway.partner.records import Notice, OutboxRow
from gateway.partner.replies import Writer
from gateway.partner.unit import Unit


def recover(unit: Unit, notice: Notice, writer: Writer, now: datetime) -> list[OutboxRow]:
    """Rows to publish. A refused message whose content is sealed cannot be said again without the application:
    it stays `refused` and `doctor` shows it."""
    held = unit.conversation(notice.request_no) if notice.request_no else None
    refused = by_id(unit, notice.message_id) if notice.message_id else None
    if refused is not None:
        refuse(unit, refused.id, notice.reason)
    if held is None or notice.next_seqno is None:
        return []
    conversation = replace(held, our_seq=max(held.our_seq, notice.next_seqno - 1))
    rows: list[OutboxRow] = []
    if refused is not None and notice.reason == "sequence-reused" and refused.state != "refused":
        again = writer.renumbered(refused, conversation.our_seq + 1, now)
        if again is not None:
            conversation.our_seq += 1
            unit.send(again)
            rows.append(again)
    elif refused is None and notice.next_seqno <= held.our_seq:
        rows += from_seqno_again(unit, held.request_no, notice.next_seqno)
    unit.put(conversation)
    return rows
