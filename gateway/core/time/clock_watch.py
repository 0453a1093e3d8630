"""Whether our clock can be trusted, and whose clock is off by how much (docs/adr/0032). Pure.

A step shows as the difference between what the wall clock and the monotonic clock say has passed. A step back is told;
nothing final follows from it. A step forward of more than `doubt_after` is in doubt until another clock says the same:
meanwhile `sure` is the time that it would be without the step, and nothing final is decided by a later one. Other
clocks are the database's, the broker's and the partners'. One that may be this machine's own proves nothing by saying
what ours says, but is heard when it says something else; of partners, who may say anything, only the middle one of at
least three is heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

STEP = timedelta(seconds=2)
"""What is less is an adjustment, or a process that was not scheduled between two readings."""
SAME = timedelta(minutes=1)
"""Two clocks that are no further apart say the same."""
SAMPLES = 16
"""Of one partner; the one that travelled the shortest time is the best."""
QUORUM = 3
ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment. wall: aware UTC. monotonic: seconds, of a clock that nobody sets."""

    wall: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class Step:
    """size: forward; back: negative. at: the wall clock after it."""

    size: timedelta
    at: datetime


class ClockWatch:
    """One for each process. doubt_after: how far a step forward may go unconfirmed."""

    def __init__(self, doubt_after: timedelta) -> None:
        self._doubt_after = doubt_after
        self._last: Reading | None = None
        self._ahead = ZERO
        self._steps = {"forward": 0, "back": 0}

    def look(self, reading: Reading) -> Step | None:
        """The step since the last reading, if there was one."""
        last, self._last = self._last, reading
        if last is None:
            return None
        passed = timedelta(seconds=reading.monotonic - last.monotonic)
        return self.stepped(Step(reading.wall - last.wall - passed, reading.wall))

    def stepped(self, step: Step) -> Step | None:
        """None when it is too small to be one."""
        if abs(step.size) <= STEP:
            return None
        self._steps["forward" if step.size > ZERO else "back"] += 1
        self._ahead = max(ZERO, self._ahead + step.size)
        return step

    def heard(self, offset: timedelta, *, proves: bool) -> None:
        """What another clock says. offset: it minus ours. proves: it is not this machine's own."""
        if offset < -self._doubt_after:
            self._ahead = max(self._ahead, -offset)
        elif proves and abs(offset) <= SAME:
            self._ahead = ZERO

    @property
    def doubt(self) -> timedelta:
        """How far our clock may be ahead; zero when it is believed."""
        return self._ahead if self._ahead > self._doubt_after else ZERO

    def sure(self, now: datetime) -> datetime:
        """The time that is believed: `now`, or what it would be without the step that is in doubt."""
        return now - self.doubt

    def steps(self) -> Mapping[str, int]:
        """By direction."""
        return self._steps


class PartnerOffsets:
    """How far the clocks of participants are ahead of ours, from the `time` of what they sign and its arrival."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[timedelta]] = {}

    def heard(self, participant: str, time: datetime, now: datetime) -> timedelta:
        """A message with that `time` arrived now: the offset of its sender's clock as known from now on. What travelled
        for long makes a clock look slow, so the largest of the last few holds."""
        samples = self._samples.setdefault(participant, deque(maxlen=SAMPLES))
        samples.append(time - now)
        return max(samples)

    def forget(self) -> None:
        """Our own clock was set: what was measured against it says nothing any more."""
        self._samples.clear()

    def middle(self) -> timedelta | None:
        """The middle one of all participants; None when there are fewer than `QUORUM`."""
        if len(self._samples) < QUORUM:
            return None
        return median_low(max(samples) for samples in self._samples.values())
