"""What a request remembers of its conversation: small codes and dates, stored with its row as one JSON object.

Each fact is absent until something happens that it records. Times are RFC 3339, days ISO 8601, staff by number; no
personal data (docs/architecture.md 6).
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class MainClock(TypedDict):
    """The deadline (`core.time.clocks`). kind, amount, start: what it is counted from; at, on: its moment and day;
    provisional: on a calendar that is not published yet; step: what is said next around it. paused: since when it
    stands still, with `left` of `left_kind` to go."""

    kind: str
    amount: int
    start: str
    at: str
    on: str
    provisional: bool
    step: int
    paused: NotRequired[str]
    left: NotRequired[int]
    left_kind: NotRequired[str]


class Term(TypedDict):
    """A rule of the court's own that counts here: its term, source and last day, as of the beginning."""

    kind: str
    amount: int
    source: str
    on: str


class ToldInTime(TypedDict):
    """on: the day of what was told; due_on: the last day for telling it."""

    on: str
    due_on: str


class BreakGlass(TypedDict):
    """Sent before it was approved (docs/adr/0014). by: who ordered it; state: of the approval; reviewed: the decision
    of the review."""

    by: str
    state: str
    reviewed: NotRequired[str]


class Pair(TypedDict, total=False):
    """Who handles the control that was hit, and who stands in."""

    A: str
    B: str


class Paging(Pair):
    """While an alert waits for an answer. at: when it was raised; done: levels that have been paged."""

    at: str
    done: list[str]


class Lookout(TypedDict):
    """decision: that the control which was hit carries out; handler: of that request."""

    decision: str
    handler: str | None


class Questioning(TypedDict):
    """since: the handover; until, longest: both ends (`core.requests.questioning`)."""

    since: str
    until: str
    longest: str


class SentAgain(TypedDict):
    """since: when this hour began; messages: that went again in it."""

    since: str
    messages: int


class Platform(TypedDict, total=False):
    """The number on the national platform and the day of filing; or that it is exempt; or that it is missing."""

    no: str
    filed_on: str
    exempt: bool
    missing: bool


class Facts(TypedDict, total=False):
    # who and what, from the opening
    backup: str
    """Who stands in for the handler."""
    team: str
    campaign: str
    lead: str
    """Staff number of the court leader in charge."""
    decision: str
    """The court's decision that is carried out, where the type knows one."""
    opened_case_no: str
    """The case number it was opened with, where it has another one now: the one on the wire."""
    caseno: bool
    """Whether the one asked is told the case number."""
    break_glass: BreakGlass
    platform: Platform
    asked_on: str
    """The day that the request states as its own; no answer is dated before it."""
    done_states: list[str]
    """The states that an item of the answer may have when it is done."""
    trace: str
    """Where its trace begins: `traceparent` of the POST or the message that opened it. Absent: nothing is traced."""

    # the state machine
    resume: str
    """While a withdrawal waits for its answer: the state to go back to."""
    too_late: bool
    """The withdrawal came too late."""
    said: dict[str, str]
    """verb:origin → the time in its `delivered` or `receipt`, which is said once."""

    # clocks
    due: MainClock
    term: Term
    told: ToldInTime
    objection: bool
    """While an objection waits for its answer: whether the deadline stands still meanwhile."""
    hold_until: str
    """Until when whoever was hit is held."""

    # the wire
    watching: list[str]
    """Verbs whose `delivered` or acknowledgement is awaited."""
    unanswered: list[str]
    """Verbs whose bytes went again because nothing came, and that have not been answered since."""
    withdraw_seq: int
    """Number of a withdrawal that overtook what came before it."""
    beyond: dict[str, int]
    """side → the highest number that was refused for want of room, and is asked for when there is some."""
    again: SentAgain
    """The other side has said that it lost our messages and got them again (docs/adr/0031). It stores and receipts them
    anew, at another time."""
    kept: bool
    """The request was taken up after a restore, and the rest of what is kept of it waits for what its partner says or
    gives back (docs/adr/0041)."""

    # measures, ledgers, alerts
    measure: str
    """What its answer does to a measure: `MeasureRule.effect`."""
    targets: list[str]
    """The measures that it renews, changes or ends."""
    ledger: list[Any]
    """[ledger, item number, whether it begins the item]"""
    control: str
    """The measure that was hit."""
    paging: Paging
    lookout: Lookout
    questioning: Questioning
    let_go: str
    """Number of the release of the case, while this alert was open."""
