"""One row over which our own code fails is set aside, told and tried again; what is no row's doing still ends the
process (docs/adr/0028). On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.context import Context
from gateway.application.deadlines import redelivery, scheduler
from gateway.application.deadlines.calendars import count_again
from gateway.application.deadlines.reminders import Reminder
from gateway.application.deadlines.scheduler import ClockWork
from gateway.application.outbound.dispatch import Dispatcher
from gateway.core.records import Changes
from gateway.core.routing import Directory
from gateway.store import SqlStore
from lianzhi.errors import ConflictError
from tests.api.test_clocks import asked, timeline
from tests.api.world import GRID, POLICE, Keys, World, grid_request, seal_request, serving
from tests.eventually import eventually


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", Keys.fresh()) as world:
        yield world


def without(context: Context, code: str) -> Context:
    """As after the file of that participant was taken away and the gateway started again."""
    return replace(context, directory=Directory(p for p in context.directory if p.code != code))


def clockwork(context: Context) -> ClockWork:
    return ClockWork(context, lambda: None)


async def both(world: World) -> tuple[str, str]:
    """A request that the grid has, and one that the police have."""
    await world.put_pdf()
    grid = await asked(world)
    police = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    return grid, police


async def incidents(world: World, number: str) -> list[str | None]:
    return [e.detail for e in await timeline(world, number) if e.kind == "incident"]


async def kinds(world: World, number: str) -> list[str]:
    return [e.kind for e in await timeline(world, number)]


async def run(work: ClockWork) -> None:
    while await work.once():
        pass


async def test_a_timer_of_a_partner_that_is_gone_holds_up_no_other(world: World) -> None:
    grid, police = await both(world)
    context = without(world.context, GRID)
    world.clock.advance(minutes=16)  # `delivered` is overdue from both
    await run(clockwork(context))
    assert await incidents(world, grid) == ["timer:redeliver:open:MisuseError"]
    assert "sent-again" in await kinds(world, police)
    assert context.faults.counts() == {("timer", "MisuseError"): 1}
    async with world.store.begin() as tx:
        timer = await tx.timer(grid, "redeliver:open")
    assert timer is not None and timer.due_at <= world.clock.now(), "when it fell due stays as it was"


async def test_it_is_tried_again_with_a_back_off_and_said_when_it_can_be(world: World) -> None:
    grid, _ = await both(world)
    context = without(world.context, GRID)
    world.clock.advance(minutes=16)
    await run(clockwork(context))
    for minutes in (1, 2, 4):
        world.clock.advance(minutes=minutes, seconds=-1)
        await run(clockwork(context))
        before = len(await incidents(world, grid))
        world.clock.advance(seconds=1)
        await run(clockwork(context))
        assert len(await incidents(world, grid)) == before + 1
    world.clock.advance(minutes=8)
    await run(clockwork(world.context))  # the file is back
    assert "sent-again" in await kinds(world, grid)
    assert len(await incidents(world, grid)) == 4
    async with world.store.begin() as tx:
        timer = await tx.timer(grid, "redeliver:open")
        assert timer is not None and timer.count == 1
        assert await tx.set_timer_aside(timer, world.clock.now(), world.context.settings.fault_backoff) == 1


async def test_a_timer_that_was_cleared_meanwhile_is_not_brought_back(world: World) -> None:
    grid, _ = await both(world)
    async with world.store.begin() as tx:
        timer = await tx.timer(grid, "redeliver:open")
        assert timer is not None
        changes = Changes()
        changes.clear_timer(timer.request_no, timer.kind)
        await tx.apply(changes)
        assert await tx.set_timer_aside(timer, world.clock.now(), world.context.settings.fault_backoff) == 0
        assert await tx.timer(grid, "redeliver:open") is None


@pytest.mark.parametrize("fault", [KeyError("王演示"), AssertionError(), RecursionError(), UnicodeError()], ids=repr)
async def test_whatever_our_code_fails_with(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Exception
) -> None:
    grid, _ = await both(world)

    async def broken(*_: object) -> bool:
        raise fault

    monkeypatch.setattr(Reminder, "fell_due", broken)
    world.clock.advance(days=5)
    await run(world.clockwork)
    assert f"timer:due:{type(fault).__name__}" in await incidents(world, grid)
    assert "王演示" not in capsys.readouterr().out


@pytest.mark.parametrize("fault", [MemoryError(), KeyboardInterrupt()], ids=repr)
async def test_what_is_no_rows_doing_ends_the_process(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    await both(world)

    async def broken(*_: object) -> bool:
        raise fault

    monkeypatch.setattr(Reminder, "fell_due", broken)
    world.clock.advance(days=5)
    with pytest.raises(type(fault)):
        await run(world.clockwork)


async def test_a_fault_before_any_row_was_loaded_ends_the_process(world: World) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        @asynccontextmanager
        async def begin(self) -> AsyncIterator[Any]:
            raise ZeroDivisionError
            yield

    with pytest.raises(ZeroDivisionError):
        await clockwork(replace(world.context, store=Broken())).once()


async def test_a_request_that_always_conflicts_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grid, police = await both(world)
    again = redelivery.send_again

    def conflicting(context: Any, request: Any, *rest: Any) -> bool:
        if request.request_no == grid:
            raise ConflictError("message")
        return again(context, request, *rest)

    monkeypatch.setattr(scheduler, "send_again", conflicting)
    world.clock.advance(minutes=16)
    soon = replace(world.context.settings, clock_poll=0.01)
    work, stop = clockwork(replace(world.context, settings=soon)), asyncio.Event()
    with pytest.raises(ConflictError):
        await work.once()
    running = asyncio.create_task(work.run(stop))

    async def set_aside() -> list[str | None]:
        return await incidents(world, grid)

    await eventually(set_aside)
    stop.set()
    await running
    assert "sent-again" in await kinds(world, police)
    assert await incidents(world, grid) == ["timer:redeliver:open:ConflictError"]


async def test_a_deadline_that_cannot_be_counted_again_keeps_the_others_moving(world: World) -> None:
    grid, police = await both(world)
    context = without(world.context, GRID)
    for _ in range(2):
        await count_again(context, [2026])
    assert await incidents(world, grid) == ["deadline-not-counted:MisuseError"], "told once an hour"
    assert await incidents(world, police) == []
    world.clock.advance(hours=1)
    await count_again(context, [2026])
    assert len(await incidents(world, grid)) == 2


class Publisher:
    """Confirms everything but what goes to `broken`, over which it fails."""

    connected = True

    def __init__(self, broken: str = "") -> None:
        self.broken, self.sent = broken, list[str]()

    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        if self.broken and routing_key.startswith(self.broken):
            raise ValueError("Max length exceeded for routing_key")
        self.sent.append(routing_key.split(".", maxsplit=1)[0])


async def unsent(world: World) -> tuple[str, str]:
    await world.put_pdf()
    grid = await world.accepted(await world.submit(grid_request()))
    police = await world.accepted(await world.submit_signed(seal_request()))
    return grid, police


async def test_a_message_that_cannot_be_published_holds_up_no_other(world: World) -> None:
    grid, police = await unsent(world)
    publisher = Publisher(GRID)
    work = Dispatcher(world.context, publisher, "w1")
    assert await work.once() == 2
    assert publisher.sent == [POLICE]
    assert await incidents(world, grid) == ["dispatch:ValueError"]
    found = {number: await world.store.request(number) for number in (grid, police)}
    assert {number: row.state for number, row in found.items() if row} == {grid: "approved", police: "dispatched"}
    assert await work.once() == 0, "not before its back-off"
    world.clock.advance(minutes=2)
    publisher.broken = ""
    assert await work.once() == 1
    assert publisher.sent == [POLICE, GRID]
    assert (await world.store.request(grid)).state == "dispatched"  # type: ignore[union-attr]


async def test_what_was_published_is_marked_whatever_its_request_has_become(world: World) -> None:
    """Else it would be published again each time that the process starts."""
    grid, police = await unsent(world)
    publisher = Publisher()
    context = without(world.context, GRID)
    work = Dispatcher(context, publisher, "w1")
    assert await work.once() == 2
    world.clock.advance(minutes=1)
    assert await work.once() == 0
    assert sorted(publisher.sent) == [GRID, POLICE]
    assert await incidents(world, grid) == ["dispatch:MisuseError"]
    assert (await world.store.request(police)).state == "dispatched"  # type: ignore[union-attr]
    assert (await world.store.request(grid)).state == "approved"  # type: ignore[union-attr]
