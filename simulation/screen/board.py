"""What the court system sees of every request, from its own feed alone; the live table is drawn from it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from lianzhi.client import Event
from simulation.parties import HOME

FINAL = frozenset(
    {"refused", "returned", "rejected", "withdrawn", "closed", "read", "handed-over", "false-hit", "lapsed"}
)
COLUMNS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    ("待发", "ready", "ready", frozenset({"approved", "awaiting-approval", "undeliverable"})),
    ("受阻", "blocked", "held", frozenset({"blocked"})),
    ("已发", "sent", "sent", frozenset({"dispatched", "raised", "sent"})),
    ("送达", "arrived", "there", frozenset({"delivered"})),
    ("签收", "signed", "signed", frozenset({"received", "acknowledged"})),
    (
        "办理",
        "working",
        "doing",
        frozenset({"accepted", "in-progress", "team-sent", "identity-checked", "withdrawing"}),
    ),
    ("补正", "lacking", "lacks", frozenset({"supplement-wanted"})),
    ("已答", "answered", "said", frozenset({"completed", "partial", "impossible"})),
    ("拒/退", "refused", "no", frozenset({"refused", "returned", "rejected", "false-hit", "withdrawn", "lapsed"})),
    ("办结", "closed", "done", frozenset({"closed", "read", "handed-over"})),
)
"""Chinese, English, English for a narrow terminal, the states that are counted there."""


def opened_by_us(request_no: str) -> bool:
    return request_no.startswith(f"{HOME}-")


@dataclass(slots=True)
class Line:
    """One request. partner: the other side."""

    partner: str
    type: str
    state: str = "approved"


@dataclass(slots=True)
class Board:
    """asked: how many requests will be handed in. events: of the feed so far. started, ended: seconds, monotonic."""

    asked: int
    lines: dict[str, Line] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)  # state of what the feed shows before our own 202 is read
    handed_in: int = 0
    taken: int = 0
    events: int = 0
    quarantined: int = 0
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def accepted(self, request_no: str, partner: str, matter: str, state: str | None) -> None:
        """Ours, with its 202."""
        self.taken += 1
        self.lines[request_no] = Line(partner, matter, self.early.pop(request_no, state or "approved"))

    def adopted(self, request_no: str, partner: str, matter: str, state: str) -> None:
        """Ours, but handed in by somebody else."""
        self.lines[request_no] = Line(partner, matter, self.early.pop(request_no, state))

    def note(self, event: Event) -> None:
        """One line of the feed."""
        self.events += 1
        if event.kind == "quarantined":
            self.quarantined += 1
        if event.request_no is None or event.state is None:
            return
        line = self.lines.get(event.request_no)
        if line is not None:
            line.state = event.state
        elif opened_by_us(event.request_no):
            self.early[event.request_no] = event.state
        else:
            partner = event.request_no.rsplit("-", 2)[0]
            self.lines[event.request_no] = Line(partner, event.type or "", event.state)

    def counts(self, partner: str, *, ours: bool) -> list[int]:
        """By column, of what we asked (`ours`) or were asked."""
        states = Counter(
            line.state for no, line in self.lines.items() if line.partner == partner and opened_by_us(no) == ours
        )
        return [sum(states[s] for s in column) for *_, column in COLUMNS]

    @property
    def done(self) -> int:
        return sum(1 for no, line in self.lines.items() if opened_by_us(no) and line.state in FINAL)

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.started
