"""A second count of the report's figures, from the three ledgers and nothing else: what the court's feed said, what the
gateway's table of events holds, and what each partner's own ledger says it received and answered.

It shares no code with the gateway's report: days of work, office hours, bytes of messages and SQL are its own. A
request's deadline is the one that the court reads of it; when a measure ends and who handles what, the court knows from
what it handed in (`Asked`).
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))
HOLIDAYS = {date(2026, 4, 6)}
OFFICE = ((time(8, 30), time(12, 0)), (time(13, 30), time(18, 0)))
HUMAN = ("receipt", "accept", "supplement-request", "refuse", "return", "objection", "progress", "result")
DECISIONS = {
    "accept": "accepted",
    "progress": "accepted",
    "result": "accepted",
    "refuse": "refused",
    "return": "returned",
}


@dataclass
class Asked:
    """What the court wrote down when it handed something in. end_on: of the measure that it asks for. frees: it asks
    that a measure be ended. withdrawn: it took it back."""

    partner: str
    type: str
    handler: str
    case_no: str
    team: str | None = None
    campaign: str | None = None
    lead: str | None = None
    end_on: date | None = None
    frees: bool = False


@dataclass
class Line:
    """One line of a partner's ledger. head: codes in clear."""

    at: datetime
    verb: str
    head: Mapping[str, Any]


@dataclass
class PartnerLedger:
    """received: request → verb → when each came; said: request → what it said, in order; types: of its requests."""

    received: dict[str, dict[str, list[datetime]]] = field(default_factory=dict)
    said: dict[str, list[Line]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def partner_ledger(file: Path) -> PartnerLedger:
    found = PartnerLedger()
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as ledger:
        found.types = dict(ledger.execute("SELECT request_no, type FROM lz_conversation"))
        for number, verb, at in ledger.execute("SELECT request_no, verb, arrived_at FROM lz_message WHERE seqno > 0"):
            found.received.setdefault(number, {}).setdefault(verb, []).append(_moment(at))
        for number, verb, at, text in ledger.execute(
            "SELECT request_no, verb, made_at, text FROM lz_outbox ORDER BY no"
        ):
            if number is not None:
                found.said.setdefault(number, []).append(Line(_moment(at), verb, _head(text)))
    return found


def gateway_events(file: Path, court: str) -> list[dict[str, Any]]:
    """Of the court's feed, as they lie in the table."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        store.row_factory = sqlite3.Row
        rows = store.execute("SELECT * FROM events WHERE audience = ? ORDER BY id", (court,)).fetchall()
    return [{**dict(row), "at": datetime.fromtimestamp(row["at"] / 1e6, SHANGHAI)} for row in rows]


def _head(text: str) -> Mapping[str, Any]:
    body = json.loads(_unpadded(text.split("~", maxsplit=1)[0].split(".")[1]))
    found: Mapping[str, Any] = body.get("data", {}).get("head") or {}
    return found


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(SHANGHAI)


# --- days and hours ---


def is_workday(day: date) -> bool:
    return day.isoweekday() <= 5 and day not in HOLIDAYS


def end_of_workdays(start: datetime, count: int) -> datetime:
    """24:00 of the count-th day of work after that of `start`."""
    day = start.date()
    while count:
        day += timedelta(days=1)
        count -= is_workday(day)
    return datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)


def office_hours(start: datetime, end: datetime) -> float:
    """Minute by minute."""
    minutes, now = 0, start.replace(second=0, microsecond=0)
    while now < end:
        minutes += is_workday(now.date()) and any(a <= now.time() < b for a, b in OFFICE)
        now += timedelta(minutes=1)
    return minutes / 60


# --- the count ---


@dataclass
class Ledgers:
    """asked: what our court handed in, by number. partners: code → its ledger. deadlines: number → when an answer is
    due, as the court reads it. events: of the court's feed."""

    court: str
    asked: Mapping[str, Asked]
    partners: Mapping[str, PartnerLedger]
    deadlines: Mapping[str, datetime]
    events: Sequence[Mapping[str, Any]]
    hits: str

    def said(self, number: str, partner: str) -> list[Line]:
        return self.partners[partner].said.get(number, [])

    def court_said(self, number: str, *verbs: str) -> list[datetime]:
        return [e["at"] for e in self.events if e["request_no"] == number and e["verb"] in verbs]


def count(ledgers: Ledgers, first: date, last: date) -> dict[str, Any]:
    """Every figure of the period, over all that we asked for."""
    return (
        _ours(ledgers, dict(ledgers.asked), first, last) | _hits(ledgers, first, last) | _theirs(ledgers, first, last)
    )


def count_of(ledgers: Ledgers, first: date, last: date, member: str, value: str | None) -> dict[str, Any]:
    """Of what was handed in under that partner, type, handler, …"""
    some = {number: one for number, one in ledgers.asked.items() if getattr(one, member) == value}
    return _ours(ledgers, some, first, last)


def _ours(ledgers: Ledgers, asked: Mapping[str, Asked], first: date, last: date) -> dict[str, Any]:
    begin, end = _span(first, last)
    found: Counter[str] = Counter()
    hours: list[float] = []
    freed: list[float] = []
    refusals: Counter[str] = Counter()
    returns: Counter[str] = Counter()
    for number, one in asked.items():
        ledger = ledgers.partners[one.partner]
        said = [line for line in ledgers.said(number, one.partner) if line.verb in HUMAN]
        handed_in = min(e["at"] for e in ledgers.events if e["request_no"] == number)
        arrived = min(ledger.received.get(number, {}).get("open", []), default=None)
        withdrawn = min(
            (e["at"] for e in ledgers.events if (e["request_no"], e["state"]) == (number, "withdrawn")), default=None
        )
        gone = withdrawn is not None and withdrawn < end
        found["undelivered"] += handed_in < end and not gone and (arrived is None or arrived >= end)
        if arrived is not None and begin <= arrived < end:
            found["delivered"] += 1
            found["receipt_whole"] += 1
            found["receipt_part"] += bool(said) and said[0].at < end_of_workdays(arrived, 1)
        decided = next((line for line in said if line.verb in DECISIONS), None)
        if decided is not None and begin <= decided.at < end:
            verdict = DECISIONS[decided.verb]
            found["acceptance_whole"] += 1
            found["acceptance_part"] += verdict == "accepted"
            refusals[decided.head.get("reason_code", "")] += verdict == "refused"
            returns[decided.head.get("reason_code", "")] += verdict == "returned"
        final = next((line.at for line in said if _is_final(line)), None)
        due = ledgers.deadlines.get(number)
        if due is not None and begin <= due < end and (withdrawn is None or withdrawn >= due):
            found["on_time_whole"] += 1
            found["on_time_part"] += final is not None and final <= due
        late = due is not None and due < end and not gone and (final is None or final >= end)
        found["overdue"] += late
        result = next((line.at for line in said if line.verb == "result"), None)
        if result is not None and arrived is not None and begin <= result < end:
            found["results"] += 1
            hours.append(office_hours(arrived, result))
            if one.frees:
                freed.append((result - handed_in) / timedelta(hours=1))
        if result is not None and result < end:
            closed = [at for at in ledgers.court_said(number, "confirm", "reopen") if at < end]
            found["unconfirmed"] += not closed and end_of_workdays(result, 3) <= end
        if one.end_on is not None and result is not None:
            found["lapsed"] += first <= one.end_on + timedelta(days=1) <= last
            found["ending"] += last <= one.end_on <= last + timedelta(days=30)
    return {
        **{name: found[name] for name in COUNTS},
        "median_hours": median(hours) if hours else None,
        "release_hours": median(freed) if freed else None,
        "releases": len(freed),
        "refusals": {code: n for code, n in refusals.items() if n},
        "returns": {code: n for code, n in returns.items() if n},
    }


COUNTS = (
    *("delivered", "undelivered", "overdue", "results", "unconfirmed", "lapsed", "ending"),
    *("receipt_part", "receipt_whole", "acceptance_part", "acceptance_whole", "on_time_part", "on_time_whole"),
)


def _is_final(line: Line) -> bool:
    return line.verb in ("refuse", "return") or (line.verb == "result" and line.head.get("outcome") != "partial")


def _hits(ledgers: Ledgers, first: date, last: date) -> dict[str, Any]:
    """What partners raised, and when our court said its first word on it."""
    begin, end = _span(first, last)
    minutes: list[float] = []
    raised = in_time = 0
    for ledger in ledgers.partners.values():
        for number, lines in ledger.said.items():
            opened = next((line.at for line in lines if line.verb == "open"), None)
            if ledger.types[number] != ledgers.hits or opened is None or not begin <= opened < end:
                continue
            raised += 1
            answered = ledgers.court_said(number, "acknowledge", "send-team", "identity-check", "handover", "false-hit")
            if answered:
                minutes.append((min(answered) - opened) / timedelta(minutes=1))
                in_time += minutes[-1] <= 10
    return {
        "alerts": raised,
        "alerts_in_time_part": in_time,
        "hits_missed": raised - in_time,
        "alert_minutes": median(minutes) if minutes else None,
    }


def _theirs(ledgers: Ledgers, first: date, last: date) -> dict[str, Any]:
    """What partners asked of our court, and how it did."""
    begin, end = _span(first, last)
    found: Counter[str] = Counter()
    for ledger in ledgers.partners.values():
        for number, lines in ledger.said.items():
            opened = next((line.at for line in lines if line.verb == "open"), None)
            if opened is None or ledger.types[number] == ledgers.hits:
                continue
            words = ledgers.court_said(number, *HUMAN)
            answers = ledgers.court_said(number, "result", "refuse", "return")
            due = ledgers.deadlines.get(number)
            found["received_overdue"] += due is not None and due < end and not any(at < end for at in answers)
            if begin <= opened < end:
                found["received"] += 1
                found["received_in_time"] += bool(words) and min(words) < end_of_workdays(opened, 1)
    return {name: found[name] for name in ("received", "received_in_time", "received_overdue")}


def late_requests(ledgers: Ledgers, last: date) -> dict[str, int]:
    """Number → how many urges its partner received, of what we asked for."""
    _, end = _span(last, last)
    found = {}
    for number, one in ledgers.asked.items():
        final = next((line.at for line in ledgers.said(number, one.partner) if _is_final(line)), None)
        due = ledgers.deadlines.get(number)
        gone = any((e["request_no"], e["state"]) == (number, "withdrawn") and e["at"] < end for e in ledgers.events)
        if due is not None and due < end and not gone and (final is None or final >= end):
            found[number] = len(ledgers.partners[one.partner].received.get(number, {}).get("urge", []))
    return found


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return (
        datetime.combine(first, time(0), SHANGHAI),
        datetime.combine(last + timedelta(days=1), time(0), SHANGHAI),
    )
