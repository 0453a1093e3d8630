"""What operators' acts leave in the store, as plain data: codes, users, reasons; never a payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["all", "partner", "type"]
PlanState = Literal["open", "running", "done", "void", "cancelled"]
Outcome = Literal["sent", "changed"]


@dataclass(frozen=True, slots=True)
class ActRow:
    """One act: who (system user, name, role at that time), what, about what (`quarantine:12`), why, and what came of
    it."""

    at: datetime
    user: str
    name: str
    role: str
    act: str
    about: str
    why: str | None
    result: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Dispatch that an operator has stopped: of everything (name: ""), of a partner, of a matter type. No row: open."""

    scope: Scope
    name: str
    since: datetime
    user: str
    person: str
    why: str


@dataclass(frozen=True, slots=True)
class QuarantineEnd:
    """A quarantine row that somebody dealt with. how: closed, retried. count: how often its bytes had come then; a row
    whose bytes came once more since is open again."""

    row_id: int
    at: datetime
    user: str
    person: str
    how: str
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message of ours that no queue has: dead-lettered (dead) or never to go by itself (parked). request_state: of
    its request, None outside of any. reason: why it is dead."""

    sender: str
    message_id: str
    receiver: str
    request_no: str | None
    verb: str
    seqno: int | None
    state: str
    reason: str | None
    stored_at: datetime
    digest: str
    request_state: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Messages to be sent again, as one person planned it. items: `core.operating.plans.item_of` of each. digest: of
    all of them. begun_*: whoever approved it and began to carry it out. outcomes: what became of the first items, in
    their order; the rest is still to go. ended_*: whoever sent the last one or stopped it, or found it void."""

    plan_no: int
    at: datetime
    user: str
    person: str
    items: list[dict[str, str | int | None]]
    digest: str
    state: PlanState
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_person: str | None = None
    begun_at: datetime | None = None
    begun_by: str | None = None
    begun_person: str | None = None
    outcomes: list[Outcome] | None = None

    @property
    def sent(self) -> int:
        return (self.outcomes or []).count("sent")

    @property
    def left(self) -> int:
        """Items that nobody has come to yet."""
        return len(self.items) - len(self.outcomes or [])


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One of our messages in a request, and what its row in the outbox says. kept: its content still exists."""

    message_id: str
    seqno: int
    verb: str
    state: str
    kept: bool


@dataclass(frozen=True, slots=True)
class PartnerStanding:
    """What the store knows of one partner, of its most recent requests. undelivered: requests that it has not been
    shown to have, counted up to a bound."""

    participant: str
    last_sent: datetime | None
    last_delivered: datetime | None
    last_answered: datetime | None
    undelivered: int
    dead: int


@dataclass(frozen=True, slots=True)
class OpenFigures:
    """Of the court's requests that are not done. ours, approval: wait for the court, for an approval."""

    overdue: int
    ours: int
    partner: int
    approval: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class Digest:
    """One day's mail to one recipient. recipient: digest of the address; until: nobody else sends it before;
    ended_at: it was sent, or given up."""

    day: str
    recipient: str
    until: datetime
    attempts: int = 1
    ended_at: datetime | None = None
