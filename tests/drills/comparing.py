"""What three lists that share no code say against each other: pure, told by name.

number-given-twice   one request number stands for two matters
two-numbers          one matter, handed in under one key, was given two numbers
effect-twice         a matter was done more than once, wherever and under whatever numbers
effect-of-nothing    an agency did something that no 202 stands for, or that another was asked
lost                 a 202 that is neither done nor listed with its reason
never-done           the gateway has it as ended, and nobody did it
not-answered         handed in, and neither accepted nor refused
refused              refused, and not listed
nobodys              a request of the court's in the database that no 202 stands for
event-missed         the follower was not told an event that the table has
event-twice          it was told one twice
event-of-nothing     it was told one that the table does not have
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.drills.lists import Court, Effect, Gateway, Told

ENDED = frozenset({"completed", "closed", "read"})
PARKED = frozenset({"undeliverable", "blocked"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """kind: of the list above. of: the number, mark or event. why: what the lists say."""

    kind: str
    of: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.of} {self.why}".rstrip()


def compare(
    court: Court, effects: tuple[Effect, ...], gateway: Gateway, *, forgetful: bool = False
) -> tuple[Finding, ...]:
    """Everything that is wrong, in order; empty: all is well.

    forgetful: the gateway's database was put back to an earlier point. It then need not have the events of the lost
    time which the follower had heard; and a number which it does not know is listed where it says so when the court
    asks. A matter whose first number is such a one, and under which nobody did anything, may have another, but only
    where a person was asked and said that it is to be done. Everything else is held against it as ever.
    """
    done = tuple({effect.id: effect for effect in effects}.values())
    found = [
        *_numbers(court, done, gateway, forgetful),
        *_effects(court, done, gateway),
        *_accepted(court, done, gateway, forgetful),
    ]
    found += _unanswered(court, gateway)
    found += _feed(court, gateway.events, forgetful)
    return tuple(sorted(found))


def _numbers(court: Court, effects: tuple[Effect, ...], gateway: Gateway, forgetful: bool) -> Iterator[Finding]:
    """A number is one matter's and a matter has one number, whoever says so."""
    said = [(a.request_no, a.mark) for a in court.answers] + [(e.request_no, e.mark) for e in effects]
    marks, numbers = _both_ways(said)
    for number, names in marks.items():
        if len(names) > 1:
            yield Finding("number-given-twice", number, f"for {sorted(names)}")
    void = _void(court, effects, gateway) if forgetful else set()
    for mark, names in numbers.items():
        if len(names - void if mark in gateway.accepted else names) > 1:
            yield Finding("two-numbers", mark, f"are {sorted(names)}")


def _void(court: Court, effects: tuple[Effect, ...], gateway: Gateway) -> set[str]:
    """Numbers that nobody knows any more: told so to the court when it asked, and nothing was done under them."""
    return set(court.unknown) - set(gateway.requests) - {effect.request_no for effect in effects}


def _both_ways(pairs: list[tuple[str, str]]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    forth: dict[str, set[str]] = defaultdict(set)
    back: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        forth[one].add(other)
        back[other].add(one)
    return forth, back


def _effects(court: Court, effects: tuple[Effect, ...], gateway: Gateway) -> Iterator[Finding]:
    for mark, times in Counter(e.mark for e in effects).items():
        if times > 1:
            numbers = sorted(e.request_no for e in effects if e.mark == mark)
            yield Finding("effect-twice", mark, f"{times} times: {numbers}")
    answered = {a.mark for a in court.answers}
    for effect in effects:
        if effect.mark not in answered and not gateway.listed.get(effect.mark):
            yield Finding("effect-of-nothing", effect.mark, f"done by {effect.agency} as {effect.request_no}")
        row = gateway.requests.get(effect.request_no)
        if row is not None and row.asked != effect.agency:
            yield Finding("effect-of-nothing", effect.mark, f"done by {effect.agency}, asked was {row.asked}")


def _accepted(court: Court, effects: tuple[Effect, ...], gateway: Gateway, forgetful: bool) -> Iterator[Finding]:
    """Every 202 is done, or a person can read why not."""
    done = {(e.request_no, e.mark) for e in effects}
    for number, mark in sorted({(a.request_no, a.mark) for a in court.answers}):
        if gateway.listed.get(number) or gateway.listed.get(mark):
            continue
        row = gateway.requests.get(number)
        if row is None:
            if forgetful and court.unknown.get(number):
                continue
            yield Finding("lost", number, "unknown to the database and listed nowhere")
        elif row.state in PARKED:
            if not row.reason:
                yield Finding("lost", number, f"{row.state} without a reason")
        elif row.state not in ENDED:
            yield Finding("lost", number, f"stands at {row.state}{', done' if (number, mark) in done else ''}")
        elif (number, mark) not in done:
            yield Finding("never-done", number, f"{row.state} at the gateway")


def _unanswered(court: Court, gateway: Gateway) -> Iterator[Finding]:
    answered = {a.mark for a in court.answers}
    for mark in court.handed - answered - court.refused.keys():
        if not gateway.listed.get(mark):
            yield Finding("not-answered", mark)
    for mark in court.refused.keys() - answered:
        if not gateway.listed.get(mark):
            yield Finding("refused", mark, court.refused[mark])
    for number in gateway.requests.keys() - {a.request_no for a in court.answers}:
        if not gateway.listed.get(number):
            yield Finding("nobodys", number, gateway.requests[number].state)


def _feed(court: Court, events: tuple[Told, ...], forgetful: bool) -> Iterator[Finding]:
    """Two events may look alike, and are then told as often as the table has them; a cursor is one event's."""
    heard, there = Counter(court.told), Counter(events)
    for event, times in (there - heard).items():
        yield Finding("event-missed", _name(event), f"{times} of {there[event]} not told")
    for event, times in (heard - there).items():
        if there[event]:
            yield Finding("event-twice", _name(event), f"told {heard[event]} times, happened {there[event]}")
        elif not forgetful:
            yield Finding("event-of-nothing", _name(event), f"told {times} times")
    for cursor, times in Counter(court.cursors).items():
        if times > 1:
            yield Finding("event-twice", cursor, f"told {times} times")


def _name(event: Told) -> str:
    return " ".join(str(part) for part in (event.request_no, event.kind, event.verb, event.state, event.at) if part)


def kinds(findings: tuple[Finding, ...]) -> frozenset[str]:
    return frozenset(finding.kind for finding in findings)


def told_apart(findings: tuple[Finding, ...], most: int = 12) -> str:
    """For whoever reads a failed drill: how many of each kind, and the first of them."""
    count = Counter(finding.kind for finding in findings)
    return "\n".join([str(dict(count)), *map(str, findings[:most])])
