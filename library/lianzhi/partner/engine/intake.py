"""Storing what arrived: one job for each batch, decided by `conversation.decide`, acknowledged after its commit.

In the same transaction an `open` or `supplement` is answered by `delivered`, a withdrawal of what was not started
by `withdraw-ack`, a ping by a pong. A duplicate, and an urge, send again what we said from that message on: who asks
again may have lost it. A message of a request that we do not know is told at once (`asking`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lianzhi.partner.bounds import DEFAULT_BOUNDS, PartnerBounds
from lianzhi.partner.delivered import delivered_body
from lianzhi.partner.engine.asking import REASON, Asking
from lianzhi.partner.engine.conversation import Arrival, Decision, decide
from lianzhi.partner.engine.notices import clock_offset_in, read_notice, request_no_in
from lianzhi.partner.engine.reception import MENDABLE, Outside, Received, set_aside
from lianzhi.partner.engine.recovery import GivingBack, Recovery, incarnation_in
from lianzhi.partner.engine.replies import Saying, Writer
from lianzhi.partner.ledger.outgoing import answers_again, said_again
from lianzhi.partner.ledger.quotas import (
    forget_outside,
    held_in_all,
    is_room_outside,
    room_again,
    set_aside_in_all,
    went_again,
)
from lianzhi.partner.ledger.records import KeptNotice, MessageState, Notice, OutboxRow, SetAside, StoredMessage
from lianzhi.partner.ledger.unit import Unit
from lianzhi.problem import REASONS
from lianzhi.protocol.envelope import GATEWAY_NOTICE, GATEWAY_PING, GATEWAY_PONG

NOT_KEPT = "set-aside-not-kept"
"""In lz_counter: what could not be used and had no room either."""
CLOCK_OFFSET = "gateway-clock-offset-ms"
"""In lz_counter: how far the gateway last said that our clock is ahead of its own."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A message for the application. size: bytes as it came, 0 where that is not known. received: when it is at hand;
    else it is read from the ledger."""

    sender: str
    id: str
    request_no: str
    verb: str
    size: int = 0
    received: Received | None = None


@dataclass(slots=True)
class Ingested:
    """What a batch led to. send: rows for the publisher; dropped: ids never to be acted on; pongs: ids of our pings
    that were answered; set_aside: digests of what could not be used. restored: how many messages go to a gateway that
    says that its database was."""

    offers: list[Offer] = field(default_factory=list)
    send: list[OutboxRow] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    pongs: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    restored: int | None = None

    def add(self, other: Ingested) -> None:
        """What another batch led to, after this one."""
        self.offers += other.offers
        self.send += other.send
        self.dropped += other.dropped
        self.notices += other.notices
        self.pongs += other.pongs
        self.set_aside += other.set_aside
        self.restored = other.restored if self.restored is None else self.restored + (other.restored or 0)


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
    bounds: PartnerBounds = DEFAULT_BOUNDS

    @property
    def requests(self) -> Collection[str]:
        own = {item.arrival.request_no for item in self.items if isinstance(item, Received)}
        noticed = {request_no_in(item.body) for item in self.items if isinstance(item, Outside)}
        return own | {request_no for request_no in noticed if request_no is not None}

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
        if any(isinstance(item, Outside) for item in self.items):
            forget_outside(unit, self.bounds)
        return done

    def _message(self, unit: Unit, item: Received, done: Ingested) -> None:
        arrival = item.arrival
        known = unit.known((arrival.sender, arrival.id))
        conversation = unit.conversation(arrival.request_no)
        slots = unit.slots(arrival.request_no, arrival.sender)
        decision = decide(conversation, arrival, known, slots, own_code=self.code, bounds=self.bounds)
        if decision.verdict == "held" and self._is_full_of_held(unit):
            decision = Decision("refused", "sequence-gap", "/seqno")
        if decision.verdict == "duplicate":
            unit.count("duplicates")
            rows = answers_again(unit, arrival.id, room_again(unit, self.bounds, arrival.request_no, self.now))
            self._went_again(unit, arrival, rows, len(rows) - 1, done)
            return
        if decision.verdict in ("refused", "set-aside"):
            reason = decision.reason or "bad-envelope"
            self._set_aside(unit, set_aside(item.raw, self.now, reason, decision.pointer, arrival), done)
        if decision.verdict == "refused":
            return
        self._store(unit, item, decision, is_new=known is None)
        self._apply(unit, item, decision, done)
        after = decision.conversation
        if decision.verdict == "held" and after is not None and not after.opened:
            asking = Asking(unit, self.writer, self.gateway, self.bounds, self.now)
            done.send += asking.at_once(after.request_no, after.peer_next)

    def _went_again(self, unit: Unit, arrival: Arrival, rows: list[OutboxRow], counted: int, done: Ingested) -> None:
        went_again(unit, arrival.request_no, counted, self.now)
        done.send += rows

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
        arrival, trace = item.arrival, item.envelope.traceparent
        for message_id in decision.overtaken:
            unit.set_state((arrival.sender, message_id), "overtaken")
            done.dropped.append(message_id)
        for message_id in decision.applied:
            slot = unit.known((arrival.sender, message_id))
            assert slot is not None
            if slot.state == "held":
                unit.set_state((arrival.sender, message_id), "pending")
            if slot.verb in ("open", "supplement"):
                self._answer(unit, arrival, Saying("delivered", {}, {}, message_id, trace=trace), done)
            if slot.verb == "urge":
                room = room_again(unit, self.bounds, arrival.request_no, self.now)
                rows = said_again(unit, arrival.request_no, 1, room)
                self._went_again(unit, arrival, rows, len(rows), done)
            if message_id == arrival.id and decision.not_started:
                saying = Saying("withdraw-ack", {}, {"effect": "not-started"}, message_id, trace=trace)
                self._answer(unit, arrival, saying, done)
            else:
                received = item if message_id == arrival.id else None
                size = len(received.raw.body) if received else 0
                done.offers.append(Offer(arrival.sender, message_id, arrival.request_no, slot.verb, size, received))

    def _answer(self, unit: Unit, arrival: Arrival, saying: Saying, done: Ingested) -> None:
        held = unit.conversation(arrival.request_no)
        assert held is not None
        conversation = replace(held)
        if saying.verb == "delivered":
            c = conversation
            form = self.delivered or self.writer.delivered_form(c)
            body = delivered_body(c.dialect, c.type, self.system, self.now, form)
            saying = replace(saying, body=body)
        row = self.writer.say(conversation, saying, self.now, ours=True)
        unit.put(conversation)
        unit.send(row)
        done.send.append(row)

    def _is_full_of_held(self, unit: Unit) -> bool:
        count, size = held_in_all(unit)
        return count >= self.bounds.held_messages or size >= self.bounds.held_bytes

    def _set_aside(self, unit: Unit, item: SetAside, done: Ingested) -> None:
        """Keep the bytes and tell whoever sent them: once for the same bytes, so many a minute."""
        worth_telling = _first_time(unit, item.sha256, self.now, self.bounds.notices_told_per_minute)
        self._keep_aside(unit, item, done)
        if not worth_telling:
            return
        reason = REASONS[item.reason]
        about: dict[str, Any] = {
            "message_id": item.message_id,
            "request_no": item.request_no,
            "pointer": item.pointer,
            "next_seqno": self._taken_next(unit, item),
        }
        body = {"body_sha256": item.sha256, "reason": reason.code, "title_zh": reason.zh, "title_en": reason.en}
        body |= {name: value for name, value in about.items() if value is not None}
        row = self.writer.outside(GATEWAY_NOTICE, item.sender or self.gateway, body, self.now)
        unit.send(row)
        done.send.append(row)

    def _taken_next(self, unit: Unit, item: SetAside) -> int | None:
        """Of a message that came too early: the number that we take next, from which on it is sent again."""
        if item.request_no is None or item.reason != REASON:
            return None
        conversation = unit.conversation(item.request_no)
        return 1 if conversation is None else conversation.peer_next

    def _keep_aside(self, unit: Unit, item: SetAside, done: Ingested) -> None:
        """All of it where it may be tried again, else the beginning. When there is no room for more it is counted."""
        done.set_aside.append(item.sha256)
        body = item.body if item.reason in MENDABLE else item.body[: self.bounds.set_aside_body_bytes]
        count, size = set_aside_in_all(unit)
        if count >= self.bounds.set_aside_messages or size + len(body) > self.bounds.set_aside_bytes:
            unit.count(NOT_KEPT)
        else:
            unit.set_aside.append(replace(item, body=body))

    def _outside(self, unit: Unit, item: Outside, done: Ingested) -> None:
        envelope = item.envelope
        known = unit.known((envelope.sender, envelope.id))
        if known is not None and known.digest != item.digest:
            self._set_aside(unit, set_aside(item.raw, self.now, "id-reused", "/id"), done)
            return
        if known is not None:
            unit.count("duplicates")
            done.send += answers_again(unit, envelope.id, 0)
            return
        if envelope.type == GATEWAY_NOTICE and not self._notice(unit, item, done):
            return
        unit.add(_stored(item, None, envelope.verb, None, "done", self.now))
        if envelope.sender == self.gateway:
            self._which_life(unit, item, done)
        if envelope.type == GATEWAY_PING and is_room_outside(unit, self.bounds):
            row = self.writer.outside(GATEWAY_PONG, envelope.sender, {}, self.now, envelope.id)
            unit.send(row)
            done.send.append(row)
        elif envelope.type == GATEWAY_PONG and envelope.causationid is not None:
            done.pongs.append(envelope.causationid)
            if envelope.sender == self.gateway and (offset := clock_offset_in(item.body)) is not None:
                unit.note(CLOCK_OFFSET, offset)

    def _which_life(self, unit: Unit, item: Outside, done: Ingested) -> None:
        """Another than before: what it has lost it gets again."""
        incarnation = incarnation_in(item.body)
        giving = GivingBack(unit, self.code, self.bounds, self.now)
        if incarnation is not None and giving.is_new(self.gateway, incarnation):
            rows = giving.of_late()
            done.restored = len(rows)
            done.send += rows

    def _notice(self, unit: Unit, item: Outside, done: Ingested) -> bool:
        notice = read_notice(item.envelope, item.body)
        if notice is None:
            self._keep_aside(unit, set_aside(item.raw, self.now, "bad-envelope", "/data"), done)
            return False
        rows = Recovery(unit, self.writer, self.gateway, self.bounds, self.now).heed(notice)
        unit.notice(KeptNotice(notice, _utc(self.now), len(rows)))
        if notice.sender == self.gateway and notice.clock_offset_ms is not None:
            unit.note(CLOCK_OFFSET, notice.clock_offset_ms)
        done.notices.append(notice)
        done.send += rows
        return True


def _first_time(unit: Unit, sha256: str, now: datetime, per_minute: int) -> bool:
    """Whether these bytes are set aside for the first time and not too many others were within a minute."""
    if any(item.sha256 == sha256 for item in unit.set_aside):
        return False
    if unit.execute("SELECT 1 FROM lz_set_aside WHERE sha256 = ?", (sha256,)).fetchone():
        return False
    since = _utc(now - timedelta(minutes=1))
    recently = "SELECT count(*) FROM lz_set_aside WHERE first_at > ? AND first_at <= ?"  # later: by a clock ahead
    (recent,) = unit.execute(recently, (since, _utc(now))).fetchone()
    return bool(recent + len(unit.set_aside) < per_minute)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


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
        _utc(now),
    )
