"""What is seen at one look, and which conditions it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.core.alarms.conditions import CONDITIONS, FAMILIES, RANK, Condition
from gateway.core.alarms.terms import AlarmTerms
from gateway.core.checkup import DISK_SHARE, MIB
from gateway.core.signals.load import Load, PartnerLoad
from gateway.core.silence import Silence
from gateway.core.time.calendar import SHANGHAI

Facts = Mapping[str, int | str]
HERE = frozenset({"clock", "certificate", "log", "disk", "backup", "broker"})
"""Families that are of one machine; the others are the same wherever one looks."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes."""

    free: int
    size: int


@dataclass(frozen=True, slots=True)
class Figures:
    """host: of the machine that looked. held: partners to whom an operator has stopped everything. hits: that nobody
    has acknowledged. signatures: refused in the last hour, by partner. clocks: of `database` and `broker` minus ours;
    partner_clocks: of those heard of late. keys: when the last key of (participant, use) ends. None: not seen this
    time. wire: connected, blocked."""

    host: str
    home: str
    load: Load
    silences: Sequence[Silence] = ()
    held: frozenset[str] = frozenset()
    hits: int = 0
    oldest_hit: datetime | None = None
    signatures: Mapping[str, int] = field(default_factory=dict)
    clocks: Mapping[str, timedelta] = field(default_factory=dict)
    doubt: timedelta = ZERO
    partner_clocks: Mapping[str, timedelta] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    backlog: int = 0
    backlog_limit: int = 1
    disks: Mapping[str, Disk] | None = None
    certificates: Mapping[str, datetime] | None = None
    backup: tuple[datetime | None] | None = None
    log_age: timedelta | None = None
    wire: tuple[bool, bool] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """subject: a code, a place or a use; "" where there is but one. facts: what the cause names."""

    condition: Condition
    subject: str = ""
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """readings: one of each family and subject at most. families: those that were looked at. host: by whom."""

    readings: Sequence[Reading]
    families: frozenset[str]
    host: str

    def scope(self, family: str) -> str:
        return self.host if family in HERE else ""


def look(figures: Figures, terms: AlarmTerms, now: datetime) -> Look:
    """Of several conditions of one trouble the first of the table."""
    unseen = set[str]()
    if figures.disks is None or figures.certificates is None or figures.backup is None:
        unseen |= {"disk", "certificate", "backup"}
    if figures.log_age is None:
        unseen.add("log")
    if figures.wire is None:
        unseen.add("broker")
    readings: dict[tuple[str, str], Reading] = {}
    for reading in sorted(_all(figures, terms, now), key=lambda one: RANK[one.condition.name]):
        readings.setdefault((reading.condition.family, reading.subject), reading)
    return Look(list(readings.values()), FAMILIES - unseen, figures.host)


def _all(figures: Figures, terms: AlarmTerms, now: datetime) -> Iterator[Reading]:
    yield from _partners(figures, terms, now)
    yield from _deadlines(figures, terms)
    if figures.oldest_hit is not None and now - figures.oldest_hit >= terms.hit:
        minutes = (now - figures.oldest_hit) // MINUTE
        yield _reading("hit-unacknowledged", count=figures.hits, minutes=minutes)
    for partner, count in figures.signatures.items():
        if count >= terms.signatures:
            yield _reading("signature-failures", partner, count=count)
    yield from _clocks(figures, terms)
    keys = {f"{code} {use}": end for (code, use), end in figures.keys.items()}
    yield from _ends("key", keys, terms, now)
    yield from _ends("certificate", figures.certificates or {}, terms, now)
    yield from _machine(figures, terms, now)


def _partners(figures: Figures, terms: AlarmTerms, now: datetime) -> Iterator[Reading]:
    """Whom an operator has paused is paused: what waits for it is no news."""
    loads = figures.load.partners
    for silence in figures.silences:
        undelivered = loads.get(silence.participant, PartnerLoad()).undelivered
        since = f"{silence.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        yield _reading(f"partner-{silence.cause}", silence.participant, since=since, undelivered=undelivered)
    for code, load in loads.items():
        oldest = load.oldest_undelivered
        if oldest is not None and code not in figures.held and now - oldest >= terms.message:
            minutes = (now - oldest) // MINUTE
            yield _reading("message-old", code, minutes=minutes, undelivered=load.undelivered)


def _deadlines(figures: Figures, terms: AlarmTerms) -> Iterator[Reading]:
    counts = {code: load.due_soon for code, load in figures.load.partners.items()}
    counts[figures.home] = figures.load.due_soon.get("us", 0) + figures.load.due_soon.get("approval", 0)
    for code, count in counts.items():
        if count:
            yield _reading("deadline-near", code, count=count, minutes=terms.deadline // MINUTE)


def _clocks(figures: Figures, terms: AlarmTerms) -> Iterator[Reading]:
    if figures.doubt > ZERO:
        yield _reading("clock-doubted", "", seconds=_seconds(figures.doubt))
    for name, clocks in (("clock-apart", figures.clocks), ("partner-clock", figures.partner_clocks)):
        for subject, offset in clocks.items():
            if abs(offset) > terms.clock:
                yield _reading(name, subject, seconds=_seconds(offset))


def _ends(family: str, ends: Mapping[str, datetime], terms: AlarmTerms, now: datetime) -> Iterator[Reading]:
    for subject, end in ends.items():
        left = end - now
        if left < terms.soon:
            name = f"{family}-ended" if left < terms.last else f"{family}-ends"
            yield _reading(name, subject, days=max(0, left // DAY))


def _machine(figures: Figures, terms: AlarmTerms, now: datetime) -> Iterator[Reading]:
    for place, disk in (figures.disks or {}).items():
        share = disk.free / disk.size if disk.size else 0.0
        facts = {"mib": disk.free // MIB, "percent": round(share * 100)}
        if disk.free < terms.disk_full:
            yield _reading("disk-full", place, **facts)
        elif disk.free < terms.disk_low or share < DISK_SHARE:
            yield _reading("disk-low", place, **facts)
    if figures.backup is not None:
        yield from _backup(figures.backup[0], terms, now)
    if figures.log_age is not None and figures.log_age > terms.log:
        yield _reading("log-stopped", minutes=figures.log_age // MINUTE)
    full = figures.backlog / figures.backlog_limit
    if full >= terms.backlog_high:
        name = "backlog-full" if full >= terms.backlog_full else "backlog-high"
        yield _reading(name, count=figures.backlog, limit=figures.backlog_limit)
    if figures.wire is not None:
        connected, blocked = figures.wire
        if not connected or blocked:
            yield _reading("broker-blocked" if connected else "broker-away")


def _backup(last: datetime | None, terms: AlarmTerms, now: datetime) -> Iterator[Reading]:
    if last is None:
        yield _reading("backup-old", last="这里没有做过备份", last_en="No backup was made here")
        return
    days = (now - last) // DAY
    if now - last >= terms.backup_stopped:
        yield _reading("backup-stopped", days=days)
    elif now - last >= terms.backup_old:
        yield _reading("backup-old", last=f"最近一次在 {days} 天前", last_en=f"The last one was made {days} days ago")


def _reading(condition: str, subject: str = "", **facts: int | str) -> Reading:
    return Reading(CONDITIONS[condition], subject, facts)


def _seconds(offset: timedelta) -> int:
    return round(offset.total_seconds())
