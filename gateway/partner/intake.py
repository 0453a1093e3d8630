"""Storing what arrived: one job for each batch, decided by `conversation.decide`, acknowledged after its commit.

In the same transaction an `open` or `supplement` is answered by `delivered`, a withdrawal of what was not started
by `withdraw-ack`, a ping by a pong; a duplicate sends its stored answer again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from gateway.partner.conversation import Arrival, Decision, decide
from gateway.partner.delivered import delivered_body
from gateway.partner.outgoing import answers_again
from gateway.partner.reception import Outside, Received, set_aside
from gateway.partner.records import MessageState, Notice, OutboxRow, SetAside, StoredMessage
from gateway.partner.recovery import recover
from gateway.partner.replies import Saying, Writer
from gateway.partner.unit import Unit
from schemas.envelope import GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG
from schemas.problem import REASONS
from schemas.replies import NoticeBody

NOTICES_PER_MINUTE = 10


@dataclass(frozen=True, slots=True)
class Offer:
    """A message for the application. received: when it is at hand; else it is read from the ledger."""

    sender: str
    id: str
    request_no: str
    verb: str
    received: Received | None = None


@dataclass(slots=True)
class Ingested:
    """What a batch led to. send: rows for the publisher; dropped: ids never to be acted on; pongs: ids of our pings
    that were answered."""

    offers: list[Offer] = field(default_factory=list)
    send: list[OutboxRow] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    pongs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Ingest:
    """The job. now: when the batch arrived, aware."""

    items: Sequence[Received | Outside | SetAside]
    writer: Writer
    code: str
    gateway: str
    system: str
    delivered: Mapping[str, str]
    now: datetime

    @property
    def requests(self) -> Collection[str]:
        own = {item.arrival.request_no for item in self.items if isinstance(item, Received)}
        noticed = {str(item.body.get("request_no")) for item in self.items if isinstance(item, Outside)}
        return own | noticed

    @property
    def ids(self) -> Collection[str]:
        return [item.envelope.id for item in self.items if not isinstance(item, SetAside)]

    def run(self, unit: Unit) -> Ingested:
        done = Ingested()
        for item in self.items:
            if isinstance(item, SetAside):
                self._set_aside(unit, item, done)
            elif isinstance(item, Outside):
                self._outside(unit, item, done)
            else:
                self._message(unit, item, done)
        return done

    def _message(self, unit: Unit, item: Received, done: Ingested) -> None:
        arrival = item.arrival
        known = unit.known((arrival.sender, arrival.id))
        conversation = unit.conversation(arrival.request_no)
        slots = unit.slots(arrival.request_no, arrival.sender)
        decision = decide(conversation, arrival, known, slots, own_code=self.code)
        if decision.verdict == "duplicate":
            unit.count("duplicates")
            done.send += answers_again(unit, arrival.id)
            return
        if decision.verdict in ("refused", "set-aside"):
            reason = decision.reason or "bad-envelope"
            self._set_aside(unit, set_aside(item.raw, self.now, reason, decision.pointer, arrival), done)
        if decision.verdict == "refused":
            return
        self._store(unit, item, decision, is_new=known is None)
        self._apply(unit, item, decision, done)

    def _store(self, unit: Unit, item: Received, decision: Decision, *, is_new: bool) -> None:
        states: Mapping[str, MessageState] = {
            "apply": "done" if decision.not_started else "pending",
            "held": "held",
            "overtaken": "overtaken",
            "set-aside": "set-aside",
        }
        state, arrival = states[decision.verdict], item.arrival
        if is_new:
            unit.add(_stored(item, arrival.request_no, arrival.verb, arrival.seqno, state, self.now))
        else:
            unit.set_state((arrival.sender, arrival.id), state)
        if decision.conversation is not None:
            unit.put(decision.conversation)

    def _apply(self, unit: Unit, item: Received, decision: Decision, done: Ingested) -> None:
        """What becomes of this message, of held ones that follow, and of what a withdrawal overtakes."""
        arrival = item.arrival
        for message_id in decision.overtaken:
            unit.set_state((arrival.sender, message_id), "overtaken")
            done.dropped.append(message_id)
        for message_id in decision.applied:
            slot = unit.known((arrival.sender, message_id))
            assert slot is not None
            if slot.state == "held":
                unit.set_state((arrival.sender, message_id), "pending")
            if slot.verb in ("open", "supplement"):
                self._answer(unit, arrival, Saying("delivered", {}, {}, message_id), done)
            if message_id == arrival.id and decision.not_started:
                self._answer(unit, arrival, Saying("withdraw-ack", {}, {"effect": "not-started"}, message_id), done)
            else:
                received = item if message_id == arrival.id else None
                done.offers.append(Offer(arrival.sender, message_id, arrival.request_no, slot.verb, received))

    def _answer(self, unit: Unit, arrival: Arrival, saying: Saying, done: Ingested) -> None:
        held = unit.conversation(arrival.request_no)
        assert held is not None
        conversation = replace(held)
        if saying.verb == "delivered":
            c = conversation
            body = delivered_body(c.dialect, c.type, self.system, self.now, self.delivered)
            saying = replace(saying, body=body)
        row = self.writer.say(conversation, saying, self.now)
        unit.put(conversation)
        unit.send(row)
        done.send.append(row)

    def _set_aside(self, unit: Unit, item: SetAside, done: Ingested) -> None:
        """Keep the bytes and tell whoever sent them: once for the same bytes, so many a minute."""
        worth_telling = _first_time(unit, item.sha256, self.now)
        unit.set_aside.append(item)
        if not worth_telling:
            return
        reason = REASONS[item.reason]
        about = {"message_id": item.message_id, "request_no": item.request_no, "pointer": item.pointer}
        body = {"body_sha256": item.sha256, "reason": reason.code, "title_zh": reason.zh, "title_en": reason.en}
        body |= {name: value for name, value in about.items() if value is not None}
        row = self.writer.outside(GATEWAY_NOTICE, item.sender or self.gateway, body, self.now)
        unit.send(row)
        done.send.append(row)

    def _outside(self, unit: Unit, item: Outside, done: Ingested) -> None:
        envelope = item.envelope
        known = unit.known((envelope.sender, envelope.id))
        if known is not None and known.digest != item.digest:
            self._set_aside(unit, set_aside(item.raw, self.now, "id-reused", "/id"), done)
            return
        if known is not None:
            unit.count("duplicates")
            done.send += answers_again(unit, envelope.id)
            return
        if envelope.type == GATEWAY_NOTICE and not self._notice(unit, item, done):
            return
        unit.add(_stored(item, None, envelope.verb, None, "done", self.now))
        if envelope.type == GATEWAY_PING:
            row = self.writer.outside(GATEWAY_PONG, envelope.sender, {}, self.now, envelope.id)
            unit.send(row)
            done.send.append(row)
        elif envelope.type == GATEWAY_PONG and envelope.causationid is not None:
            done.pongs.append(envelope.causationid)

    def _notice(self, unit: Unit, item: Outside, done: Ingested) -> bool:
        try:
            body = NoticeBody.model_validate(item.body)
        except ValidationError:
            unit.set_aside.append(set_aside(item.raw, self.now, "bad-envelope", "/data"))
            return False
        notice = Notice(
            sender=item.envelope.sender,
            id=item.envelope.id,
            at=item.envelope.time,
            reason=body.reason,
            title_zh=body.title_zh,
            title_en=body.title_en,
            message_id=body.message_id,
            pointer=body.pointer,
            request_no=body.request_no,
            next_seqno=body.next_seqno,
        )
        unit.notice(notice)
        done.notices.append(notice)
        done.send += recover(unit, notice, self.writer, self.now)
        return True


def _first_time(unit: Unit, sha256: str, now: datetime) -> bool:
    """Whether these bytes are set aside for the first time and not too many others were within a minute."""
    if any(item.sha256 == sha256 for item in unit.set_aside):
        return False
    if unit.execute("SELECT 1 FROM lz_set_aside WHERE sha256 = ?", (sha256,)).fetchone():
        return False
    since = (now - timedelta(minutes=1)).isoformat(timespec="milliseconds")
    (recent,) = unit.execute("SELECT count(*) FROM lz_set_aside WHERE first_at > ?", (since,)).fetchone()
    return bool(recent + len(unit.set_aside) < NOTICES_PER_MINUTE)


def _stored(
    item: Received | Outside, request_no: str | None, verb: str, seqno: int | None, state: MessageState, now: datetime
) -> StoredMessage:
    digest = item.arrival.digest if isinstance(item, Received) else item.digest
    return StoredMessage(
        item.envelope.sender,
        item.envelope.id,
        digest,
        request_no,
        verb,
        seqno,
        state,
        item.raw.lane,
        item.text,
        now.astimezone(UTC).isoformat(timespec="milliseconds"),
    )
