"""What must be true of the rows of one conversation, whatever happened to it (`lianzhi db check`).

Pure: `examine` is given every row that stands under one request number, and says what contradicts what. A rule is
here when the services keep it in each unit of work, so a row that breaks it was lost, doubled or changed from outside:
by a backup that was not taken at one moment, a damaged disk, a hand in the database. What a partner may do lawfully
(numbers that a withdrawal overtook, messages of a request that was refused) breaks none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from gateway.core.control.expiry import ENDS_BY_ITSELF, LAPSE, MEASURE, timer_kind
from gateway.core.control.moves import LIVE
from gateway.core.records import Request, Side
from gateway.core.requests.lifecycle import STATES
from gateway.core.settings import Terms
from gateway.core.time.calendar import Calendar
from gateway.core.time.clocks import (
    BLOCKED,
    CONFIRM,
    DUE,
    OBJECTION,
    RECEIPT,
    RULES,
    SUPPLEMENT,
    UNSENT,
    WITHDRAWAL,
    Basis,
    has_said_all,
    running,
)
from gateway.core.time.deadlines import Duty

UNSENT_STATES = ("ready", "waiting", "parked")
OUTBOX_STATES = (*UNSENT_STATES, "sent", "dead", "cancelled")
CLOCKS = frozenset(rule.kind for rule in RULES)
# The event that a clock leaves behind when it has said its last word.
_LAST_WORD = {
    RECEIPT: ("overdue", RECEIPT),
    SUPPLEMENT: ("reminder", SUPPLEMENT),
    OBJECTION: ("reminder", OBJECTION),
    CONFIRM: ("reminder", CONFIRM),
    UNSENT: ("incident", "unconfirmed"),
    BLOCKED: ("incident", "blocked"),
    WITHDRAWAL: ("incident", "withdrawal-unanswered"),
}
WATCH, MENDING, GAP, ROSTER = "redeliver:", "mend", "gap:", "roster"


@dataclass(frozen=True, slots=True)
class Finding:
    """rule: a key of `soundness_words.RULES`. key: of the row, as an operator finds it again. found, wanted: codes,
    numbers and counts, never a payload."""

    rule: str
    table: str
    key: str
    found: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message without its bytes."""

    sender: str
    id: str
    seqno: int | None
    digest: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """An outbox row."""

    sender: str
    message_id: str
    seqno: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of `held`."""

    sender: str
    seqno: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Controlled:
    """A measure."""

    measure_no: str
    state: str
    action: str
    end_on: str | None


@dataclass(slots=True)
class Rows:
    """Everything under one number. request: None where there is no such row. timers: their kinds. told: (kind, detail)
    of its events; loose: whether one of them speaks of a request that we do have."""

    number: str
    request: Request | None = None
    messages: list[Said] = field(default_factory=list)
    outbox: list[Leaving] = field(default_factory=list)
    held: list[Waiting] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    measures: list[Controlled] = field(default_factory=list)
    told: set[tuple[str, str | None]] = field(default_factory=set)
    loose: bool = False

    @property
    def opener(self) -> str:
        return self.number.rsplit("-", 2)[0]


def examine(rows: Rows, local: Collection[str], block: int | None) -> Iterator[Finding]:
    """local: codes of the participants that we sign for. block: the next number of the opener's block of that day;
    None where there is none."""
    yield from _held(rows)
    yield from _outbox(rows)
    request = rows.request
    if request is None:
        yield from _without_request(rows)
        return
    if request.asker in local:
        yield from _number(rows.number, block)
    if request.state not in STATES.get(request.shape, ()):
        yield _of_request(request, "state", request.state, "/".join(sorted(STATES.get(request.shape, ()))))
        return
    for side in _SIDES:
        yield from _sequence(rows, request, side)
    parties = (request.asker, request.asked)
    for message in rows.messages:
        if message.sender not in parties:
            yield Finding(
                "message-party", "messages", f"{message.sender}/{message.id}", message.sender, "/".join(parties)
            )
    yield from _marks(rows, request)
    if request.held != len(rows.held):
        yield _of_request(request, "held-count", str(request.held), str(len(rows.held)))
    yield from _timers(rows, request, local)
    yield from _measures(rows)


_SIDES: tuple[Side, ...] = ("asker", "asked")


def _without_request(rows: Rows) -> Iterator[Finding]:
    """A partner's `open` that was refused used up its number and left no request; what came before its `open` waits."""
    for message in rows.messages:
        if message.sender != rows.opener or message.disposition not in ("held", "quarantined", "overtaken"):
            yield Finding("message-request", "messages", f"{message.sender}/{message.id}", rows.number, rows.number)
    for row in rows.outbox:
        yield Finding("outbox-request", "outbox", f"{row.sender}/{row.message_id}", rows.number, rows.number)
    gap = f"{GAP}asker"
    for kind in rows.timers:
        if kind != ROSTER and not (kind == gap and rows.held):
            yield Finding("timer-request", "timers", f"{rows.number} {kind}", rows.number, rows.number)
    if rows.held and gap not in rows.timers and not _told(rows, "gap"):
        yield Finding("gap-timer", "timers", f"{rows.number} {gap}", "0", "1")
    if rows.loose:
        yield Finding("event-request", "events", rows.number, rows.number, rows.number)


def _number(number: str, block: int | None) -> Iterator[Finding]:
    used = number.rpartition("-")[2]
    if block is None or not used.isdigit() or int(used) >= block:
        yield Finding("number-block", "number_blocks", number, str(block), f"> {used}")


def _sequence(rows: Rows, request: Request, side: Side) -> Iterator[Finding]:
    code, last = (request.asker, request.asker_seq) if side == "asker" else (request.asked, request.asked_seq)
    used = sorted(m.seqno or 0 for m in rows.messages if m.sender == code and m.disposition != "held")
    overtaken = request.facts.get("withdraw_seq", 0) if side == "asker" else 0
    key, before = f"{rows.number} {code}", 0
    for seqno in used:
        if seqno == before:
            yield Finding("seqno-double", "messages", key, str(seqno), str(before + 1))
        elif seqno > before + 1 and seqno > overtaken:
            yield Finding("seqno-gap", "messages", key, str(seqno), str(before + 1))
        before = seqno
    if last != before:
        yield Finding("seqno-counter", "requests", f"{rows.number} {side}_seq", str(last), str(before))
    for row in rows.held:
        if row.sender == code and row.seqno <= last:
            yield Finding("held-turn", "held", f"{key} {row.seqno}", str(row.seqno), f"> {last}")


def _marks(rows: Rows, request: Request) -> Iterator[Finding]:
    """What a reply must name: the last message of each verb."""
    digests = {m.id: m.digest for m in rows.messages}
    for verb, (message_id, digest) in request.marks.items():
        found = digests.get(message_id)
        if found != digest:
            yield Finding("mark", "messages", f"{rows.number} {verb} {message_id}", str(found), digest)


def _held(rows: Rows) -> Iterator[Finding]:
    waits = {(m.sender, m.id) for m in rows.messages if m.disposition == "held"}
    noted = {(h.sender, h.message_id) for h in rows.held}
    for sender, message_id in sorted(noted - waits):
        yield Finding("held-message", "held", f"{rows.number} {sender}/{message_id}", "0", "1")
    for sender, message_id in sorted(waits - noted):
        yield Finding("held-row", "messages", f"{sender}/{message_id}", "0", "1")


def _outbox(rows: Rows) -> Iterator[Finding]:
    """Of what has not gone, the first of each sender does not wait: nothing would ever let it go."""
    first: dict[str, Leaving] = {}
    for row in sorted(rows.outbox, key=lambda r: r.seqno or 0):
        if row.state not in OUTBOX_STATES:
            yield Finding(
                "outbox-state", "outbox", f"{row.sender}/{row.message_id}", row.state, "/".join(OUTBOX_STATES)
            )
        if row.state in UNSENT_STATES:
            first.setdefault(row.sender, row)
    for row in first.values():
        if row.state == "waiting":
            yield Finding("outbox-stuck", "outbox", f"{row.sender}/{row.message_id}", "waiting", "ready")


def _timers(rows: Rows, request: Request, local: Collection[str]) -> Iterator[Finding]:
    there, facts = set(rows.timers), request.facts
    runs = running(request, Basis(Terms(), Calendar(()), Duty(), request.asked in local))
    for kind in runs.keys() - there:
        said = has_said_all(request) if kind == DUE else _LAST_WORD.get(kind) in rows.told
        if not said:
            yield _lacking("clock", rows, kind)
    for kind in sorted(there & CLOCKS - runs.keys()):
        yield Finding("clock-idle", "timers", f"{rows.number} {kind}", request.state, "0")
    for verb in facts.get("watching", ()):
        if WATCH + verb not in there and ("incident", f"delivery-overdue:{verb}") not in rows.told:
            yield _lacking("redeliver-timer", rows, WATCH + verb)
    if request.state == "blocked" and MENDING not in there and ("incident", request.reason) not in rows.told:
        yield _lacking("mend-timer", rows, MENDING)
    if request.held and not any(kind.startswith(GAP) for kind in there) and not _told(rows, "gap"):
        yield _lacking("gap-timer", rows, GAP)


def _measures(rows: Rows) -> Iterator[Finding]:
    """A live measure with a last day has the timer of its end; a timer has its measure."""
    there, numbers = set(rows.timers), {m.measure_no for m in rows.measures}
    for measure in rows.measures:
        never_over = measure.state == "hit" and measure.action in ENDS_BY_ITSELF
        if measure.state not in LIVE or measure.end_on is None or never_over:
            continue
        kind = timer_kind(measure.measure_no, LAPSE)
        if kind not in there:
            yield _lacking("measure-timer", rows, kind)
    for kind in rows.timers:
        if kind.startswith(MEASURE):
            measure_no = f"{rows.number}-{kind.split(':')[1]}"
            if measure_no not in numbers:
                yield Finding("timer-measure", "timers", f"{rows.number} {kind}", "0", measure_no)


def _told(rows: Rows, kind: str) -> bool:
    return any(event == kind for event, _ in rows.told)


def _of_request(request: Request, rule: str, found: str, wanted: str) -> Finding:
    return Finding(rule, "requests", request.request_no, found, wanted)


def _lacking(rule: str, rows: Rows, kind: str) -> Finding:
    return Finding(rule, "timers", f"{rows.number} {kind}", "0", "1")
