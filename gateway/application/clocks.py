"""What this process knows of clocks: its own, and those of the database, the broker and the partners."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.core.records import PartnerClock
from gateway.core.time.clock_watch import ClockWatch, PartnerOffsets

DOUBT_AFTER = timedelta(minutes=5)
"""A step forward of more than this is in doubt until another clock confirms it."""
WRITTEN_AGAIN_AFTER, WORTH_WRITING = timedelta(minutes=5), timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class Clocks:
    """others: `database`, `broker` → its clock minus ours, as last measured."""

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
