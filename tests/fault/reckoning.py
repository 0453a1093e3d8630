"""The final count of every fault test: accepted = done once at the agency and answered once here, or parked and said.

The rules (docs/architecture.md 4 rules 1, 2 and 4), in the order in which `reckon` looks at them:
1. What was answered 202 is exactly what the store holds: nothing accepted is missing, nothing else is there.
2. Every request has come to its end, or is parked with a reason that stands in the row and in the court's feed.
3. What came to its end had one effect at the agency that was asked; what is parked at most one; nobody else any.
4. Each verb of an agency was applied once, told once, and moved the measure that it makes real once.
5. Nothing waits: the outbox is empty, no early message is held, no numbered message was refused without a reason.
6. What still lies in a queue is a copy of what its reader knows already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.application.ports.lists import RequestFilter
from gateway.application.ports.store import Store
from gateway.core.records import Event, Request
from simulation.parties import HOME
from tests.fault.agencies import effects

ENDED = {"ask": "completed", "notice": "read"}
LAST_WORD = {"ask": "result", "notice": "read"}
PARKED = ("undeliverable", "blocked")
MANY = 10_000


@dataclass(frozen=True, slots=True)
class Reckoning:
    """ended: request numbers. parked: request_no → reason. quarantined: reasons of refused bytes, counted."""

    ended: frozenset[str]
    parked: Mapping[str, str] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)


async def reckon(store: Store, ledgers: Mapping[str, Path], accepted: Collection[str]) -> Reckoning:
    """store: at rest. ledgers: agency → its file. accepted: request numbers of the 202s. Raises AssertionError."""
    requests = {r.request_no: r for r in await store.requests(RequestFilter(participant=HOME, limit=MANY))}
    assert len(set(accepted)) == len(accepted), "one number was given to two submissions"
    assert requests.keys() == set(accepted), _apart("store", requests.keys(), "accepted", set(accepted))  # 1
    events = await all_events(store)
    parked = {no: r.reason for no, r in requests.items() if r.state in PARKED}
    ended = frozenset(no for no, r in requests.items() if r.state == ENDED[r.shape])
    lost = {no: r.state for no, r in requests.items() if no not in ended and no not in parked}
    assert not lost, f"neither ended nor parked: {lost}"  # 2
    told = {e.request_no for e in events if e.state in PARKED}
    silent = [no for no, reason in parked.items() if not reason or no not in told]
    assert not silent, f"parked without a word: {silent}"
    _check_effects(requests, ended, effects(ledgers))  # 3
    for number in ended:
        await _check_messages(store, requests[number], events)  # 4
    assert await store.backlog() == 0  # 5
    refused = await store.quarantine(limit=MANY)
    assert all(row.reason for row in refused)
    return Reckoning(ended, {no: r or "" for no, r in parked.items()}, Counter(row.reason for row in refused))


async def all_events(store: Store) -> list[Event]:
    """The court's feed."""
    return await store.events(HOME, 0, MANY)


def _check_effects(requests: Mapping[str, Request], ended: Collection[str], done: Counter[tuple[str, str]]) -> None:
    asked = {(r.asked, no) for no, r in requests.items()}
    assert done.keys() <= asked, f"effects of nothing that was asked: {done.keys() - asked}"
    twice = {key: count for key, count in done.items() if count > 1}
    assert not twice, f"done more than once: {twice}"
    undone = [no for no in ended if done[requests[no].asked, no] != 1]
    assert not undone, f"answered, but never done: {undone}"


async def _check_messages(store: Store, request: Request, events: Sequence[Event]) -> None:
    messages = await store.messages(request.request_no)
    last = LAST_WORD[request.shape]
    said = Counter((m.sender, m.verb, m.disposition) for m in messages)
    wanted = {
        (HOME, "open", "sent"): 1,
        (request.asked, "delivered", "applied"): 1,
        (request.asked, last, "applied"): 1,
    }
    assert said == wanted, f"{request.request_no}: {said}"
    assert request.held == 0
    heard = Counter(e.verb for e in events if e.request_no == request.request_no and e.kind == "message" and e.verb)
    assert heard == {"open": 1, "delivered": 1, last: 1}, f"{request.request_no} in the feed: {heard}"


def _apart(name: str, have: Collection[str], other: str, wanted: Collection[str]) -> str:
    return f"only in {name}: {sorted(set(have) - set(wanted))}; only in {other}: {sorted(set(wanted) - set(have))}"
