"""A partner that lacks messages gets our stored bytes again, on both databases: the very same, in order, bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.context import new_id
from gateway.application.outbound.dispatch import Dispatcher
from gateway.bounds import Bounds
from gateway.core.records import Changes
from gateway.store import SqlStore
from lianzhi.crypto.sdjwt import issue, parse
from lianzhi.protocol.envelope import timestamp
from tests.api.world import COURT, GRID, POLICE, Keys, World, grid_request, serving

BOUNDS = Bounds(sent_again_per_request=5, notices_per_minute=20)
DELIVERED = {"stored_at": "2026-03-24T10:10:00+08:00", "system": "网格平台"}


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", Keys.fresh(), bounds=BOUNDS) as world:
        yield world


class Wire:
    """What leaves, in order: whom it is to, its last word, its bytes."""

    connected = True

    def __init__(self, world: World) -> None:
        self.left: list[tuple[str, str, bytes]] = []
        self._dispatcher = Dispatcher(world.context, self, "test")
        self._world = world

    async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
        words = routing_key.split(".")
        self.left.append((words[0], words[-1], body))

    async def all(self) -> list[tuple[str, str, bytes]]:
        """Everything that leaves by now and within the next seconds."""
        self.left = []
        for _ in range(3):
            while await self._dispatcher.once():
                pass
            self._world.clock.advance(seconds=1)
        return self.left


async def talked(world: World, wire: Wire) -> tuple[str, list[bytes]]:
    """A request with three messages of ours that have left: its number, their bytes."""
    number = await world.accepted(await world.submit(grid_request()))
    sent = await wire.all()
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    for level in (1, 2):
        said = {"verb": "urge", "by": "sn0199-0007", "data": {"level": level}}
        assert (await world.post(f"/v1/requests/{number}/messages", said)).status == 202
        sent += await wire.all()
    assert [verb for _, verb, _ in sent] == ["open", "urge", "urge"]
    return number, [body for _, _, body in sent]


async def lacks(world: World, number: str, next_seqno: Any, *, by: str = GRID, reason: str = "sequence-gap") -> None:
    body = {"body_sha256": "", "reason": reason, "title_zh": "缺", "title_en": "x", "request_no": number}
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": f"//{by}",
        "receiver": COURT,
        "type": "lianzhi.gateway.notice",
        "time": timestamp(world.clock.now()),
        "datacontenttype": "application/json",
        "data": {},
    }
    signed = issue(event, "body", body | {"next_seqno": next_seqno}, world.keys.private[f"{by}.sig.1"])
    await world.deliver(by, signed.raw, f"{by}.normal.gateway.notice")


async def test_t6_the_very_same_bytes_in_order_behind_the_number_that_is_ours(world: World) -> None:
    wire = Wire(world)
    number, sent = await talked(world, wire)
    await lacks(world, number, 1)
    left = await wire.all()
    assert [(to, verb) for to, verb, _ in left] == [(GRID, "notice"), (GRID, "open"), (GRID, "urge"), (GRID, "urge")]
    assert [body for _, _, body in left[1:]] == sent
    told = parse(left[0][2]).content
    assert (told["reason"], told["request_no"], told["next_seqno"]) == ("sequence-gap", number, 2)
    details = [e.detail for e in await world.store.timeline(number) if e.kind == "sent-again"]
    assert details == ["asked:1-3"]


async def test_t6_a_ledger_that_was_lost_stores_it_anew(world: World) -> None:
    """Another `stored_at` is no contradiction then; without a word about a loss it is."""
    wire = Wire(world)
    number, _ = await talked(world, wire)
    anew = DELIVERED | {"stored_at": "2026-03-24T12:00:00+08:00"}
    await world.reply(number, "delivered", anew, seqno=2)
    assert [q.reason for q in await world.store.quarantine()] == ["contradicts"]
    await lacks(world, number, 1)
    await world.reply(number, "delivered", anew, seqno=3)
    assert len(await world.store.quarantine()) == 1
    request = await world.store.request(number)
    assert request is not None and (request.state, request.asked_seq) == ("delivered", 3)


async def test_t6_from_the_number_that_is_named(world: World) -> None:
    wire = Wire(world)
    number, sent = await talked(world, wire)
    await lacks(world, number, 3)
    assert [body for _, verb, body in await wire.all() if verb != "notice"] == sent[2:]
    await lacks(world, number, 4)
    assert await wire.all() == []


async def test_t6_at_most_so_many_an_hour(world: World) -> None:
    wire = Wire(world)
    number, _ = await talked(world, wire)
    counts = []
    for _ in range(3):
        await lacks(world, number, 1)
        counts.append(len([verb for _, verb, _ in await wire.all() if verb != "notice"]))
    assert counts == [3, 2, 0]
    assert world.context.reached.counts()["sent_again_per_request", GRID] == 2
    incidents = [e.detail for e in await world.store.events(COURT, 0, 1000) if e.kind == "incident"]
    assert incidents == [f"bound:sent_again_per_request:{GRID}"]
    world.clock.advance(hours=1)
    await lacks(world, number, 1)
    assert len([verb for _, verb, _ in await wire.all() if verb != "notice"]) == 3


@pytest.mark.parametrize("body", [("seqno", 0), ("seqno", -1), ("seqno", True), ("seqno", "1"), ("seqno", 2**53 - 1)])
async def test_t6_what_is_not_of_its_form_asks_for_nothing(world: World, body: tuple[str, Any]) -> None:
    wire = Wire(world)
    number, _ = await talked(world, wire)
    await lacks(world, number, body[1])
    assert await wire.all() == []


async def test_t6_nobody_asks_in_anothers_request_nor_for_another_reason(world: World) -> None:
    wire = Wire(world)
    number, _ = await talked(world, wire)
    before = await world.store.request(number)
    await lacks(world, number, 1, by=POLICE)
    await lacks(world, number, 1, reason="sequence-reused")
    await lacks(world, "court-sn0199-20260324-999999", 1)
    assert await wire.all() == []
    assert await world.store.request(number) == before


async def test_t6_content_that_no_longer_exists_is_not_sent(world: World) -> None:
    wire = Wire(world)
    number, sent = await talked(world, wire)
    opening = next(m for m in await world.store.messages(number) if m.verb == "open")
    async with world.store.begin() as tx:
        await tx.apply(Changes(destroyed=[(COURT, opening.id)]))
    await lacks(world, number, 1)
    assert [body for _, verb, body in await wire.all() if verb != "notice"] == sent[1:]


async def test_t2_an_open_that_goes_again_says_which_number_is_wanted(world: World) -> None:
    wire = Wire(world)
    number = await world.accepted(await world.submit(grid_request()))
    await wire.all()
    world.clock.advance(minutes=16)
    for _ in range(2):
        await world.clockwork.once()
    left = await wire.all()
    assert [verb for _, verb, _ in left] == ["open", "notice"]
    told = parse(left[1][2]).content
    assert (told["reason"], told["request_no"], told["next_seqno"]) == ("sequence-gap", number, 1)


async def test_t2_the_watch_goes_on_after_a_late_answer(world: World) -> None:
    """What its sender said behind that answer may have been lost with it."""
    wire = Wire(world)
    number = await world.accepted(await world.submit(grid_request()))
    await wire.all()
    world.clock.advance(minutes=16)
    for _ in range(2):
        await world.clockwork.once()
    await wire.all()
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    await world.clockwork.once()
    assert await wire.all() == []
    world.clock.advance(minutes=16)
    await world.clockwork.once()
    ((to, verb, body),) = await wire.all()
    assert (to, verb, parse(body).content["next_seqno"]) == (GRID, "notice", 2)
    request = await world.store.request(number)
    assert request is not None and "unanswered" not in request.facts


async def test_t2_an_answer_in_time_is_asked_nothing(world: World) -> None:
    wire = Wire(world)
    number = await world.accepted(await world.submit(grid_request()))
    await wire.all()
    await world.reply(number, "delivered", DELIVERED, seqno=1)
    world.clock.advance(minutes=40)
    await world.clockwork.once()
    assert [verb for _, verb, _ in await wire.all()] == []
