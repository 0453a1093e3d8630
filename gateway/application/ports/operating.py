"""What operators' acts need of the store, as Protocols: inside a unit of work, and as reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from gateway.core.operating.records import (
    ActRow,
    DeadMessage,
    Hold,
    OpenFigures,
    OwnMessage,
    PartnerStanding,
    Plan,
    QuarantineEnd,
    Scope,
)
from gateway.core.records import Event, QuarantineRow
from gateway.core.silence import Exchange, Silence


class OperatingUnit(Protocol):
    """Part of one unit of work."""

    async def put_silence(self, silence: Silence) -> bool:
        """False where its partner is known as silent for the same cause."""
        ...

    async def end_silence(self, participant: str) -> bool:
        """False where somebody else has ended it."""
        ...

    async def claim_digest(self, day: str, recipient: str, now: datetime, term: timedelta) -> int:
        """Which attempt this is to send that day's digest: 1 and more. 0: it is sent, or another's until its term ends.
        recipient: a digest of the address."""
        ...

    async def end_digest(self, day: str, recipient: str, now: datetime) -> None:
        """It is sent, or given up."""
        ...

    async def record(self, act: ActRow) -> None:
        """Kept for good."""
        ...

    async def begin_hold(self, hold: Hold) -> bool:
        """False where it is stopped already: then nothing changes."""
        ...

    async def end_hold(self, scope: Scope, name: str) -> Hold | None:
        """What ended; None: it was not stopped."""
        ...

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None:
        """Locked."""
        ...

    async def quarantine_end(self, row_id: int) -> QuarantineEnd | None: ...

    async def end_quarantine(self, end: QuarantineEnd) -> bool:
        """False where somebody has dealt with it since its bytes came last."""
        ...

    async def judge_quarantined(self, row: QuarantineRow) -> None:
        """Its reason, pointer, rule and words, as of now."""
        ...

    async def dead(self, keys: Sequence[tuple[str, str]]) -> list[DeadMessage]:
        """Those of (sender, message id) that are dead now, locked with their requests."""
        ...

    async def add_plan(self, plan: Plan) -> int:
        """Its number."""
        ...

    async def plan(self, plan_no: int) -> Plan | None:
        """Locked."""
        ...

    async def put_plan(self, plan: Plan) -> None:
        """What has become of it: `state`, `begun_*`, `outcomes`, `ended_*`."""
        ...

    async def acts_about(self, about: str) -> list[ActRow]:
        """Oldest first; whoever else asks for the same waits until this unit is over."""
        ...

    async def own_messages(self, request_no: str, sender: str, limit: int) -> list[OwnMessage]:
        """What `sender` said in that request, in order."""
        ...


class OperatingReads(Protocol):
    """Lists and states; no lock."""

    async def silences(self) -> list[Silence]:
        """By participant."""
        ...

    async def exchanges(self, participant: str, home: str, since: datetime) -> list[Exchange]:
        """What `home` has asked that partner: its most recent requests, and those that it does not show to have."""
        ...

    async def open_figures(self, home: str, now: datetime) -> OpenFigures:
        """Each counted up to a bound."""
        ...

    async def holds(self) -> list[Hold]: ...

    async def acts(self, *, about: str | None = None, before: int | None = None, limit: int = 100) -> list[ActRow]:
        """Newest first, below the id `before`."""
        ...

    async def acts_about(self, abouts: Sequence[str]) -> Mapping[str, list[ActRow]]:
        """By what they are about, oldest first."""
        ...

    async def quarantine(
        self, *, owner: str | None, whole: bool, limit: int
    ) -> list[tuple[QuarantineRow, QuarantineEnd | None]]:
        """Newest first, without bytes (`body` is empty). whole: also those that somebody has dealt with."""
        ...

    async def quarantine_end(self, row_id: int) -> QuarantineEnd | None: ...

    async def dead(self, receiver: str | None, limit: int) -> list[DeadMessage]:
        """Messages of ours that no queue has, oldest first."""
        ...

    async def plan(self, plan_no: int) -> Plan | None: ...

    async def plans(self, limit: int) -> list[Plan]:
        """Newest first."""
        ...

    async def incidents(self, audience: str, before: int | None, limit: int) -> list[Event]:
        """Newest first, below the id `before`."""
        ...

    async def incident(self, audience: str, event_id: int) -> Event | None: ...

    async def partner_standing(self, participant: str, home: str) -> PartnerStanding: ...
