"""What every use case is given: who is who, keys, catalogue, adapters, store, and how far clocks can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from uuid_utils.compat import uuid7

from adapters.contract import Adapter
from gateway.application.ports.store import Store
from gateway.application.ports.timers import Clock
from gateway.application.set_aside import Faults
from gateway.bounds import Bounds, Reached
from gateway.core.records import PartnerClock, Request
from gateway.core.recovery.marks import Age
from gateway.core.routing import Directory, Participant
from gateway.core.settings import Settings
from gateway.core.signals.tallies import Tallies
from gateway.core.time.calendar import SHANGHAI, Calendar
from gateway.core.time.clock_watch import ClockWatch, PartnerOffsets
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.limits import Limits
from lianzhi.errors import MisuseError
from lianzhi.protocol.envelope import CANONICAL
from lianzhi.protocol.tracing import Tracer
from schemas.catalogue import MatterType

DOUBT_AFTER = timedelta(minutes=5)
"""A step forward of more than this is in doubt until another clock confirms it."""
WRITTEN_AGAIN_AFTER, WORTH_WRITING = timedelta(minutes=5), timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class Clocks:
    """What this process knows of clocks: its own, and those of the database, the broker and the partners.

    others: `database`, `broker` → its clock minus ours, as last measured."""

    own: ClockWatch = field(default_factory=lambda: ClockWatch(DOUBT_AFTER))
    partners: PartnerOffsets = field(default_factory=PartnerOffsets)
    others: dict[str, timedelta] = field(default_factory=dict)
    _written: dict[str, PartnerClock] = field(default_factory=dict)

    def sure(self, now: datetime) -> datetime:
        """The time by which something final may be decided: never later than `now`."""
        return self.own.sure(now)

    def heard(self, participant: str, time: datetime, now: datetime) -> PartnerClock | None:
        """A participant's verified message with that `time` arrived now. What is to be written of its clock: when it
        moved by a second, else now and then."""
        offset = self.partners.heard(participant, time, now)
        clock = PartnerClock(participant, offset // _MILLISECOND, now)
        last = self._written.get(participant)
        written = last is not None and timedelta(0) <= now - last.at < WRITTEN_AGAIN_AFTER
        if written and last is not None and abs(offset - last.offset_ms * _MILLISECOND) < WORTH_WRITING:
            return None
        self._written[participant] = clock
        return clock

    def set_anew(self) -> None:
        """Our own clock made a step: offsets of others are measured again."""
        self.partners.forget()
        self.others.clear()
        self._written.clear()


@dataclass(slots=True)
class Calendars:
    """The calendar as this process knows it. shipped: of this version; now: with what was imported
    (`application.deadlines.calendars` keeps it up to date)."""

    shipped: Calendar
    now: Calendar = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.shipped


@dataclass(slots=True)
class Identity:
    """Which of its lives the store is in. ages: its incarnations, oldest first, the present one last; a process reads
    them when it starts (`application.marks`), and ends when they change."""

    ages: tuple[Age, ...] = (Age("00000000-0000-0000-0000-000000000000", 0),)

    @property
    def incarnation(self) -> str:
        return self.ages[-1].incarnation


@dataclass(slots=True)
class Reloads:
    """How often changed files were taken over, and refused. standing: whether the last ones are in force. restart:
    members that have changed since the start and hold only from the next one on, as `[http] port`."""

    taken: int = 0
    refused: int = 0
    standing: bool = True
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What of the files may change while the gateway runs (`gateway.reloading`)."""

    directory: Directory
    keyring: Keyring
    settings: Settings
    limits: Limits
    bounds: Bounds


@dataclass(slots=True)
class Context:
    """Ask it for what you need when you need it: what `take` changes, nobody keeps.

    hash_key: secret of the keyed hashes under which objects are found again (docs/architecture.md 6). reached: how
    often each bound was. faults: which rows were set aside. clocks: how far each can be believed. identity: which life
    of the store is served. reloads: of the files. tracer: None where nothing is traced. tallies: what this process
    counts for a monitor."""

    directory: Directory
    keyring: Keyring
    catalogue: Mapping[str, MatterType]
    adapter_for: Callable[[str], Adapter]
    store: Store
    clock: Clock
    settings: Settings
    limits: Limits
    bounds: Bounds
    hash_key: bytes
    calendars: Calendars
    reached: Reached = field(default_factory=Reached)
    faults: Faults = field(default_factory=Faults)
    clocks: Clocks = field(default_factory=Clocks)
    identity: Identity = field(default_factory=Identity)
    reloads: Reloads = field(default_factory=Reloads)
    tracer: Tracer | None = None
    tallies: Tallies = field(default_factory=Tallies)

    def take(self, loaded: Loaded) -> None:
        """From now on this holds, all of it at once."""
        self.directory, self.keyring = loaded.directory, loaded.keyring
        self.settings, self.limits, self.bounds = loaded.settings, loaded.limits, loaded.bounds

    def today(self) -> date:
        """The day in Shanghai."""
        return self.clock.now().astimezone(SHANGHAI).date()

    @property
    def home(self) -> Participant:
        return self.directory.home

    def participant(self, code: str) -> Participant:
        """A participant that must exist: requests only ever name registered ones, which are never deleted."""
        found = self.directory.get(code)
        if found is None:
            raise MisuseError(f"participant {code} is no longer registered")
        return found

    def dialect(self, request: Request) -> str:
        """The dialect spoken in `request`: the partner's, in both directions (docs/contracts.md 3.1)."""
        other = request.asked if request.asker == self.home.code else request.asker
        return self.participant(other).dialect

    def adapter(self, dialect: str) -> Adapter | None:
        """None for `canonical`: nothing to translate."""
        return None if dialect == CANONICAL else self.adapter_for(dialect)


def new_id() -> str:
    """UUIDv7, lower case (RFC 9562)."""
    return str(uuid7())
