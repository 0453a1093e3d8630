"""The gateway is away for three days: what fell due meanwhile is said once, in order, dated when it was due."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.core.records import Event, Request
from gateway.core.time.deadlines import Due, after
from gateway.registry.calendars import shipped
from lianzhi.protocol.envelope import parse_timestamp, timestamp
from simulation.parties import GRID, HOME
from tests.agency import Agency
from tests.faults import GRID as VERIFY
from tests.world import World

CALENDAR = shipped()


def expected(request: Request, now: datetime) -> list[tuple[str, str]]:
    """What an urgent request that nobody answers says until `now`: event detail and when it was due."""
    due = request.facts["due"]
    end = Due(datetime.fromisoformat(due["on"]).date(), datetime.fromisoformat(due["at"]).astimezone(UTC))
    steps = [("urge", end.at)]
    steps += [(detail, after(end, days, CALENDAR).at) for detail, days in (("urge-again", 1), ("supervise", 3))]
    return [(detail, timestamp(at)) for detail, at in steps if at <= now]


async def taken_over(world: World, grid: Agency) -> str:
    request_no = await world.court.ask(VERIFY, urgency="urgent")
    for verb in ("delivered", "receipt", "accept"):
        await grid.answer(request_no, verb)
    await world.reaches(request_no, "accepted")
    return request_no


def due_at(event: Event) -> str:
    assert event.head is not None
    return str(event.head["due_at"])


async def test_after_three_days_away_each_reminder_is_said_once_in_order(world: World) -> None:
    grid = await world.agency(GRID)
    numbers = [await taken_over(world, grid)]
    world.clock.pass_by(hours=5)
    numbers.append(await taken_over(world, grid))
    await world.stop()
    world.clock.pass_by(days=3)
    await world.start()
    await world.caught_up()
    now = world.clock.now()
    events = [e for e in await world.events() if e.head and "due_at" in e.head]
    assert [due_at(e) for e in events] == sorted(due_at(e) for e in events)
    assert all(parse_timestamp(due_at(e)) < e.at for e in events)
    urged = 0
    for number in numbers:
        promised = expected(await world.request(number), now)
        assert promised
        assert [(e.detail, due_at(e)) for e in events if e.request_no == number] == promised
        levels = [e.head["level"] for e in await world.events(request_no=number, verb="urge") if e.head]
        assert levels == [1, 2][: len(promised)]
        urged += len(levels)
    await world.sent_all()
    await grid.next(numbers[-1], "urge", count=1)
    await grid.fence()
    assert len([t for t in grid.taken if t.verb == "urge"]) == urged
    assert {t.envelope.source for t in grid.taken if t.verb == "urge"} == {f"//{HOME}"}
    await world.restart()
    await world.caught_up()
    assert [e for e in await world.events() if e.head and "due_at" in e.head] == events
