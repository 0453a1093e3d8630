"""What waits for an earlier number, on both databases: what is read for it, how much may wait, what is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.context import new_id
from gateway.application.outbound.dispatch import Dispatcher
from gateway.bounds import Bounds
from gateway.store import SqlStore
from gateway.store.store import SqlTransaction
from lianzhi.crypto.sdjwt import issue
from lianzhi.protocol.envelope import dataschema, timestamp
from tests.api.test_read import RECEIPT
from tests.api.world import COURT, GRID, Keys, World, grid_request, serving

BOUNDS = Bounds(held_per_request=40, held_per_partner=60, held_distance=100)
UNKNOWN = f"{GRID}-20260324-000777"
TYPE = "grid.verify.request"


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", Keys.fresh(), bounds=BOUNDS) as world:
        yield world


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often stored bytes of a message were read, and how many rows of what waits."""
    found: Counter[str] = Counter()
    for name in ("message", "message_start", "held_after"):
        original = getattr(SqlTransaction, name)

        def counted(name: str = name, original: Any = original) -> Any:
            async def call(self: SqlTransaction, *arguments: Any) -> Any:
                answer = await original(self, *arguments)
                found[name] += len(answer) if isinstance(answer, list) else 1
                return answer

            return call

        monkeypatch.setattr(SqlTransaction, name, counted())
    return found


async def early(world: World, seqno: int, subject: str = UNKNOWN, **members: Any) -> str:
    """A message of the grid's in a request that it has not opened."""
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": f"//{GRID}",
        "receiver": COURT,
        "type": f"lianzhi.{TYPE}.progress",
        "subject": subject,
        "time": timestamp(world.clock.now()),
        "dataschema": dataschema("grid/1", TYPE, "progress", 1),
        "datacontenttype": "application/json",
        "seqno": seqno,
        "causationid": new_id(),
        "originhash": "A" * 43,
        "data": {},
        **members,
    }
    signed = issue(event, "body", {"stage": "checking"}, world.keys.private[f"{GRID}.sig.1"])
    await world.deliver(GRID, signed.raw, f"{GRID}.normal.{TYPE}.progress")
    return str(event["id"])


async def reasons(world: World) -> Counter[str]:
    return Counter(row.rule or "" for row in await world.store.quarantine(limit=1000))


async def test_a_flood_on_an_unknown_number_reads_no_bytes_and_is_bounded(world: World, read: Counter[str]) -> None:
    for seqno in range(2, 52):
        await early(world, seqno)
    assert read == {}
    assert await reasons(world) == {"held-per-request": 10}
    assert world.context.reached.counts() == {("held_per_request", GRID): 10}
    incidents = [e for e in await world.store.events(COURT, 0, 1000) if e.kind == "incident"]
    assert [e.detail for e in incidents] == [f"bound:held_per_request:{GRID}"]


async def test_a_partners_flood_over_many_numbers_is_bounded_too(world: World, read: Counter[str]) -> None:
    for n in range(70):
        await early(world, 2, f"{GRID}-20260324-{n:06d}")
    assert await reasons(world) == {"held-per-partner": 10}
    assert read == {}


async def test_far_numbers_are_not_held_a_withdrawal_neither(world: World) -> None:
    await early(world, 101)
    await early(world, 102)
    far = await early(world, 2**53 - 1, type=f"lianzhi.{TYPE}.withdraw",
                      dataschema=dataschema("grid/1", TYPE, "withdraw", 1))  # fmt: skip
    rows = await world.store.quarantine()
    assert [(row.reason, row.rule) for row in rows] == [("seqno-too-far", "held-distance")] * 2
    assert rows[0].message_id == far
    assert await world.store.request(UNKNOWN) is None


async def test_bytes_are_read_of_those_whose_turn_it_is_alone(world: World, read: Counter[str]) -> None:
    number_ = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    for seqno in (9, 3, 2):
        data = RECEIPT if seqno == 2 else {"stage": "checking"}
        await world.reply(number_, "receipt" if seqno == 2 else "progress", data, seqno=seqno)
    assert read == {}
    delivered = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}
    await world.reply(number_, "delivered", delivered, seqno=1)
    assert read == {"message": 2}
    request = await world.store.request(number_)
    assert request is not None and (request.asked_seq, request.held) == (3, 1)


async def test_what_found_no_room_is_asked_for_and_comes_again(world: World) -> None:
    """Also by a library that knows nothing of the bound: `sequence-gap` with `next_seqno` makes it send again."""
    number_ = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    for seqno in range(2, 44):
        await world.reply(number_, "progress", {"stage": "checking"}, seqno=seqno)
    request = await world.store.request(number_)
    assert request is not None and (request.held, request.facts["beyond"]) == (40, {"asked": 43})
    delivered = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}
    await world.reply(number_, "delivered", delivered, seqno=1)
    world.clock.advance(seconds=1)
    await world.clockwork.once()
    gaps = [e.detail for e in await world.store.timeline(number_) if e.kind == "gap"]
    assert gaps == ["asked:42"]
    for seqno in (42, 43):
        await world.reply(number_, "progress", {"stage": "checking"}, seqno=seqno)
    request = await world.store.request(number_)
    assert request is not None and (request.asked_seq, request.held) == (43, 0)
    assert "beyond" not in request.facts
    async with world.store.begin() as unit:
        assert await unit.timer(number_, "gap:asked") is None
        assert await unit.held_totals(GRID) == (0, 0)


async def test_what_is_missing_is_asked_for_in_a_later_minute_when_this_one_is_full(world: World) -> None:
    """And told to a person once."""
    number_ = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number_, "progress", {"stage": "checking"}, seqno=2)
    most = BOUNDS.notices_per_minute
    world.clock.advance(hours=1)
    async with world.store.begin() as unit:
        for n in range(most):
            assert await unit.admit_notice(GRID, f"other {n}", world.clock.now(), most) == "free"
    asked = []
    for _ in range(3):
        await world.clockwork.once()
        asked.append([receiver for receiver, kind in await outgoing(world) if kind == "notice"])
        world.clock.advance(seconds=61)
    assert asked == [[], [GRID], []]
    assert [e.detail for e in await world.store.timeline(number_) if e.kind == "gap"] == ["asked:1"]
    assert world.context.reached.counts()["notices_per_minute", GRID] == 1


async def outgoing(world: World) -> list[tuple[str, str]]:
    """What leaves now: receiver and last word of its routing key."""
    found: list[tuple[str, str]] = []

    class Listening:
        connected = True

        async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
            words = routing_key.split(".")
            found.append((words[0], words[-1]))

    dispatcher = Dispatcher(world.context, Listening(), "test")
    while await dispatcher.once():
        pass
    return found
