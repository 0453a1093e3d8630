"""An operator says that the store was set back: it goes on as another incarnation (docs/adr/0030)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import ask_for_the_rest
from gateway.application.marks import new_token, standing_of
from gateway.application.ports.recovery import MarkPlace
from gateway.core.records import Changes, Event, Request
from gateway.core.recovery.marks import Mark, Standing, Verdict, go_on, judge
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import MarkUnreadableError

RESTORED = "restored"
"""Detail of the incident in the home court's feed."""


@dataclass(slots=True)
class Findings:
    """What was found: of each place its mark, or why it could not be read."""

    standing: Standing
    marks: dict[str, Mark] = field(default_factory=dict)
    faults: dict[str, MarkUnreadableError] = field(default_factory=dict)

    def verdicts(self) -> dict[str, Verdict]:
        return {name: judge(self.standing, mark) for name, mark in self.marks.items()}

    @property
    def set_back(self) -> bool:
        return any(verdict is not Verdict.SOUND for verdict in self.verdicts().values())

    @property
    def certain(self) -> bool:
        """Whether the marks tell every number that was given. Every process writes to the broker; the file may be one
        of several, each on its own machine."""
        return "broker" in self.marks and not self.faults


async def look(context: Context, places: Sequence[MarkPlace]) -> Findings:
    """Changes nothing. Raises StoreUnavailableError."""
    now = context.clock.now()
    findings = Findings(await standing_of(context.store, now))
    known = [age.incarnation for age in findings.standing.ages]
    for place in places:
        try:
            mark = await place.read(known, patient=not findings.standing.new)
        except MarkUnreadableError as fault:
            findings.faults[place.name] = fault
            continue
        if mark is not None:
            findings.marks[place.name] = mark
    findings.standing = await standing_of(context.store, now)
    return findings


async def restored(context: Context, places: Sequence[MarkPlace], findings: Findings) -> Mark:
    """The store as another incarnation, past every number that was ever given; the marks that could be written tell of
    it, the others are in `findings.faults`. Raises StoreUnavailableError."""
    now = context.clock.now()
    own, marks = findings.standing.mark, list(findings.marks.values())
    day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
    openers = [party.code for party in context.directory if party.local]
    numbers = go_on(own.numbers, marks, certain=findings.certain, openers=openers, day=day)
    mark = Mark(
        incarnation=str(uuid4()),
        sequence=max(m.sequence for m in (own, *marks)) + 1,
        token=new_token(),
        event_id=own.event_id,
        numbers=numbers,
    )
    incident = Event(at=now, audience=context.home.code, kind="incident", head={"reason": RESTORED}, detail=RESTORED)
    changes = Changes(events=[incident])
    async for page in context.store.living_requests(now):
        for request in page:
            _ask_for_what_was_lost(request, _elsewhere(context, request), changes, now)
    async with context.store.begin() as tx:
        await tx.begin_age(mark, own.event_id, now)
        await tx.apply(changes)
    known = [age.incarnation for age in findings.standing.ages]
    left_behind = [*known, *(m.incarnation for m in marks if m.incarnation not in known)]
    for place in places:
        try:
            await place.write(mark)
            # The place keeps the highest: a mark of a life that this store, being older than it, never heard of would
            # go before ours for ever.
            await place.read([*left_behind, mark.incarnation])
        except MarkUnreadableError as fault:
            findings.faults[place.name] = fault
    return mark


async def queues_lost(context: Context, partners: Collection[str]) -> int:
    """The queues with these partners' answers were gone and have been made again, empty: each is asked for what may
    have lain in them, in every request that lives. How many requests. Raises StoreUnavailableError."""
    now, changes, asked = context.clock.now(), Changes(), 0
    async for page in context.store.living_requests(now):
        for request in page:
            lost = _elsewhere(context, request) & set(partners)
            _ask_for_what_was_lost(request, lost, changes, now)
            asked += bool(lost)
    async with context.store.begin() as tx:
        await tx.apply(changes)
    return asked


def _elsewhere(context: Context, request: Request) -> set[str]:
    """Its parties that have queues."""
    return {code for code in (request.asker, request.asked) if not context.participant(code).local}


def _ask_for_what_was_lost(request: Request, partners: Collection[str], changes: Changes, now: datetime) -> None:
    """What a partner said meanwhile was acknowledged, or was in a queue that is gone: it hears which number we take
    next, and sends everything of its own from there on again (docs/adr/0031), few a minute."""
    for side, code in (("asker", request.asker), ("asked", request.asked)):
        if code in partners:
            ask_for_the_rest(request, side, changes, now)
