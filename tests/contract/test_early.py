"""Messages whose time has not come, on both databases: they wait, within bounds, and are judged by all the rules when
it has; and the timers that a wrong clock put off or brought forward."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.deadlines.clock_guard import ClockGuard, OtherClock, longest_waits
from gateway.bounds import Bounds
from gateway.core.records import Changes, Event
from gateway.store import SqlStore
from lianzhi.crypto.keys import PublicKey
from tests.api.test_read import RECEIPT
from tests.api.world import COURT, GRID, Keys, World, grid_request, serving
from tests.contract import samples
from tests.contract.samples import MINUTE, NOW, number, page, sendable, timer, write

DELIVERED = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}
WORDS = {"delivered": DELIVERED, "receipt": RECEIPT, "progress": {"stage": "checking"}}
HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path) -> AsyncIterator[World]:
    bounds = Bounds(held_per_request=3, held_per_partner=4)
    async with serving(store, tmp_path / "papers", Keys.fresh(), bounds=bounds) as world:
        yield world


async def made(world: World, request_no: str, verb: str, seqno: int, ahead: timedelta) -> bytes:
    """Signed by a clock that is so much ahead."""
    kept: list[bytes] = []

    async def keep(_: World, owner: str, body: bytes, routing_key: str = "") -> None:
        kept.append(body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "deliver", keep)
        world.clock.moment += ahead
        await world.reply(request_no, verb, WORDS[verb], seqno=seqno)
        world.clock.moment -= ahead
    return kept[0]


async def says(world: World, request_no: str, verb: str, seqno: int, ahead: timedelta = timedelta(0)) -> bytes:
    raw = await made(world, request_no, verb, seqno, ahead)
    await world.deliver(GRID, raw)
    return raw


async def asked(world: World) -> str:
    number_ = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    return number_


async def state(world: World, request_no: str) -> str:
    request = await world.store.request(request_no)
    assert request is not None
    return request.state


async def reasons(world: World) -> list[tuple[str, str | None]]:
    return [(row.reason, row.rule) for row in await world.store.quarantine(limit=100)]


async def details(world: World, kind: str) -> list[str | None]:
    return [e.detail for e in await world.store.events(COURT, 0, 1000) if e.kind == kind]


async def waiting(world: World) -> int:
    return (await world.store.counts())["early"].get(GRID, 0)


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(hours=24)], ids=str)
async def test_it_waits_until_its_time_and_is_then_as_if_it_had_just_arrived(world: World, ahead: timedelta) -> None:
    number_ = await asked(world)
    await says(world, number_, "delivered", 1, ahead)
    await says(world, number_, "receipt", 2)
    assert await waiting(world) == 1
    assert await state(world, number_) == "dispatched"
    world.clock.moment += ahead - 5 * MINUTE - timedelta(seconds=1)
    assert await world.intake.release_once() == 0
    world.clock.advance(seconds=1)
    assert await world.intake.release_once() == 1
    assert (await waiting(world), await state(world, number_)) == (0, "received")
    assert await reasons(world) == []
    assert await details(world, "incident") == [f"clock-ahead:{GRID}:{ahead // timedelta(milliseconds=1)}"]


async def test_the_same_bytes_wait_once_and_the_incident_is_told_once_an_hour(world: World) -> None:
    number_ = await asked(world)
    raw = await says(world, number_, "delivered", 1, HOUR)
    await world.deliver(GRID, raw)
    assert await waiting(world) == 1
    assert len(await details(world, "incident")) == 1
    world.clock.moment += HOUR
    await world.deliver(GRID, raw)
    assert await world.intake.release_once() == 1
    assert (await state(world, number_), await reasons(world)) == ("delivered", [])


async def test_how_much_waits_is_bounded_with_what_waits_for_an_earlier_number(world: World) -> None:
    first, second = await asked(world), await asked(world)
    await says(world, first, "progress", 3)
    for seqno in (4, 5, 6):
        await says(world, first, "progress", seqno, HOUR)
    assert await reasons(world) == [("clock-ahead", "held-per-request")]
    for seqno in (1, 2):
        await says(world, second, "progress", seqno, HOUR)
    assert await reasons(world) == [("clock-ahead", "held-per-partner"), ("clock-ahead", "held-per-request")]
    assert world.context.reached.counts() == {("held_per_request", GRID): 1, ("held_per_partner", GRID): 1}


@pytest.mark.parametrize("ahead", [timedelta(hours=24, seconds=1), timedelta(hours=30), timedelta(days=400)], ids=str)
async def test_what_is_too_far_ahead_is_refused(world: World, ahead: timedelta) -> None:
    number_ = await asked(world)
    await says(world, number_, "delivered", 1, ahead)
    assert await waiting(world) == 0
    assert await reasons(world) == [("clock-ahead", "clock-ahead")]
    assert len(await details(world, "incident")) == 1
    await says(world, number_, "delivered", 1)
    assert await state(world, number_) == "delivered", "its number was not used up"


async def test_a_key_that_is_revoked_while_it_waits_refuses_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number_ = await asked(world)
    await says(world, number_, "delivered", 1, HOUR)
    monkeypatch.setattr(PublicKey, "revoked_by", lambda key, _: key.participant == GRID)
    world.clock.moment += HOUR
    assert await world.intake.release_once() == 1
    assert await reasons(world) == [("key-revoked", "key-revoked")]
    assert (await waiting(world), await state(world, number_)) == (0, "dispatched")


async def test_what_came_late_is_not_early(world: World) -> None:
    """Judged again it is stale by now: waiting weakens no rule."""
    number_ = await asked(world)
    await says(world, number_, "delivered", 1, HOUR)
    world.clock.advance(days=31)
    await world.intake.release_once()
    assert await reasons(world) == [("stale", "stale")]


async def test_two_processes_take_what_waits_once(world: World) -> None:
    await write(world.store, Changes(early=[samples.early(1), samples.early(2)]))
    [one, two] = await world.store.early_due(NOW + HOUR, 10)
    assert one.id is not None and two.id is not None
    async with world.store.begin() as unit:
        assert await unit.take_early([one.id]) == {one.id}
    async with world.store.begin() as unit:
        assert await unit.take_early([one.id, two.id]) == {two.id}


async def test_the_partners_clock_is_written(world: World) -> None:
    number_ = await asked(world)
    await says(world, number_, "delivered", 1, timedelta(seconds=90))
    [clock] = await world.store.partner_clocks()
    assert (clock.participant, clock.offset_ms) == (GRID, 90_000)


# timers


async def test_final_timers_wait_for_the_time_that_is_sure(store: SqlStore) -> None:
    kinds = ("hold", "destroy:police-610114/x", "measure:1:0", "measure:1:7", "receipt", "redeliver:open")
    changes = sendable(*range(1, len(kinds) + 1))
    changes.timers = [timer(n, kind=kind, due_at=NOW) for n, kind in enumerate(kinds, 1)]
    await write(store, changes)
    async with store.begin() as unit:
        due = await unit.due_timers(NOW, 10, NOW - HOUR)
    assert {t.kind for t in due} == {"measure:1:7", "receipt", "redeliver:open"}
    async with store.begin() as unit:
        assert {t.kind for t in await unit.due_timers(NOW, 10)} == set(kinds)


async def test_after_a_step_back_what_is_no_deadline_is_due(world: World) -> None:
    store, settings = world.store, world.context.settings
    changes = sendable(1, 2, 3)
    changes.timers = [
        timer(1, kind="redeliver:open", due_at=NOW + 3 * HOUR),
        timer(2, kind="redeliver:open", due_at=NOW + HOUR),
        timer(1, kind="due", due_at=NOW + 100 * HOUR),
        timer(3, kind="gap:asker", due_at=NOW + 4 * HOUR),
    ]
    changes.new_pages = [page(1, due_at=NOW + HOUR), page(2, due_at=NOW + MINUTE)]
    await write(store, changes)
    async with store.begin() as unit:
        assert await unit.end_waits(NOW, longest_waits(settings)) == 3
    async with store.begin() as unit:
        due = await unit.due_timers(NOW, 10)
    assert {(t.request_no, t.kind) for t in due} == {(number(1), "redeliver:open"), (number(3), "gap:asker")}


class Machine:
    """Both clocks of one."""

    def __init__(self, world: World) -> None:
        self.world, self.seconds = world, 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def passes(self, step: timedelta = timedelta(0)) -> None:
        self.seconds += 1
        self.world.clock.moment += step + timedelta(seconds=1)


async def test_a_step_is_told_once_and_the_doubt_about_it_until_it_is_over(world: World) -> None:
    machine = Machine(world)
    guard = ClockGuard(world.context, machine.monotonic, {}, tells=True)
    await guard.begin()
    for step in (timedelta(0), HOUR, timedelta(0), timedelta(0)):
        machine.passes(step)
        await guard.once()
    assert await details(world, "incident") == ["clock-step:+3600000", "clock-in-doubt"]
    assert world.context.clocks.sure(world.clock.now()) == world.clock.now() - HOUR
    machine.passes(-HOUR)
    await guard.once()
    assert await details(world, "incident") == ["clock-step:+3600000", "clock-in-doubt", "clock-step:-3600000"]
    assert await details(world, "recovered") == ["clock-in-doubt"]


async def test_another_process_on_the_machine_tells_it_in_its_log_alone(world: World) -> None:
    machine = Machine(world)
    guard = ClockGuard(world.context, machine.monotonic, {}, tells=False)
    await guard.begin()
    machine.passes(HOUR)
    await guard.once()
    assert await details(world, "incident") == []
    assert world.context.clocks.own.steps() == {"forward": 1, "back": 0}


async def test_a_start_behind_what_stands_in_the_store_is_told(world: World) -> None:
    await write(world.store, Changes(events=[Event(world.clock.now() + HOUR, COURT, "notice")]))
    guard = ClockGuard(world.context, Machine(world).monotonic, {}, tells=True)
    await guard.begin()
    await guard.once()
    assert await details(world, "incident") == ["clock-step:-3600000"]


async def test_a_start_that_goes_on_is_no_step(world: World) -> None:
    await write(world.store, Changes(events=[Event(world.clock.now() - HOUR, COURT, "notice")]))
    guard = ClockGuard(world.context, Machine(world).monotonic, {}, tells=True)
    await guard.begin()
    await guard.once()
    assert await details(world, "incident") == []


def other(of: Any, proves: bool) -> Any:
    async def ask() -> Any:
        return of()

    return OtherClock(ask, proves=proves)


@pytest.mark.parametrize(
    ("off", "proves", "doubted"),
    [(timedelta(0), True, False), (timedelta(0), False, True), (-HOUR, True, True), (None, True, True)],
    ids=["confirms", "may be our own", "denies", "does not answer"],
)
async def test_the_others_are_asked_at_once_after_a_step(
    world: World, off: timedelta | None, proves: bool, doubted: bool
) -> None:
    def time() -> Any:
        return None if off is None else world.clock.now() + off

    machine = Machine(world)
    guard = ClockGuard(world.context, machine.monotonic, {"broker": other(time, proves)}, tells=True)
    machine.passes(HOUR)
    await guard.once()
    machine.passes(HOUR)
    await guard.once()
    assert bool(world.context.clocks.own.doubt) is doubted
