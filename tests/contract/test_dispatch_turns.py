"""Urgent first, then fair, on both databases: what waits for one partner decides nothing about the others."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gateway.application.context import Context
from gateway.core.records import Changes
from gateway.store import SqlStore
from gateway.store.engine.columns import micros
from gateway.store.engine.statements import Query
from gateway.store.queries import leasing
from lianzhi.errors import LianzhiError, OversizeError, RefusedError, UnansweredError, UnroutableError
from tests.api.world import COURT as HOME
from tests.api.world import GRID, POLICE, SetClock
from tests.contract.backlog import Wire, add, context, dispatcher, key, pile
from tests.contract.samples import COURT, MINUTE, NOW, message, number, outbox, sendable, write

MANY = 50_000
FULL = f"{POLICE}.normal"
SECOND = timedelta(seconds=1)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def ctx(store: SqlStore) -> Context:
    return context(store)


def advance(ctx: Context, by: timedelta) -> None:
    assert isinstance(ctx.clock, SetClock)
    ctx.clock.moment += by


async def told(ctx: Context) -> list[tuple[str, str | None]]:
    """Kind and detail of what stands in the home court's feed."""
    return [(e.kind, e.detail) for e in await ctx.store.events(HOME, 0, 1000)]


async def test_with_50_000_rows_for_one_an_urgent_one_to_it_and_one_to_another_go_in_the_next_batch(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    await pile(store, MANY, POLICE)
    await add(store, 1, POLICE, "urgent")
    await add(store, 2, GRID)
    work = dispatcher(ctx, wire)
    assert await work.once() == ctx.settings.dispatch_batch
    assert wire.routes()[0] == f"{POLICE}.urgent"
    assert Counter(wire.routes()) == {
        f"{POLICE}.urgent": 1,
        f"{GRID}.normal": 1,
        FULL: ctx.settings.dispatch_batch - 2,
    }
    assert await store.backlog() == MANY + 2 - ctx.settings.dispatch_batch


async def test_a_lease_reads_the_same_whether_ten_or_50_000_wait_for_another(store: SqlStore) -> None:
    await pile(store, 10, POLICE)
    await add(store, 1, GRID)
    few = await cost(store)
    await pile_more(store)
    many = await cost(store)
    assert many <= few * 1.1 + 20


async def pile_more(store: SqlStore) -> None:
    """Instead of ten."""
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM outbox WHERE message_id LIKE 'far-%%'")
        await connection.exec_driver_sql("DELETE FROM messages WHERE id LIKE 'far-%%'")
    await pile(store, MANY, POLICE)


async def cost(store: SqlStore, quota: int = 10) -> float:
    """What looking for ready routes and picking ten rows of each costs: rows that PostgreSQL reads, steps of SQLite's
    machine."""
    routes = [f"{GRID}.normal", FULL]
    times = {"now": NOW, "longest": NOW + 5 * MINUTE, "longest_of_faults": NOW + 60 * MINUTE}
    found = await counted(store, leasing.READY_ROUTES, **times)
    for query in (leasing.PICK, leasing.PICK_TRIED, leasing.PICK_TOO_FAR_OFF):
        found += await counted(store, query, routes=routes, quota=quota, **times)
    return found


async def counted(store: SqlStore, query: Query, **values: Any) -> float:
    async with store.database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if store.database.is_sqlite:
            steps = 0

            def step() -> int:
                nonlocal steps
                steps += 1
                return 0

            await driver.set_progress_handler(step, 1)
            await driver.execute_fetchall(query.sqlite.sql, query.sqlite.values(values))
            await driver.set_progress_handler(None, 0)
            return steps
        await driver.execute("SET plan_cache_mode = force_generic_plan")
        sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {query.postgresql.sql}"
        (row,) = await driver.fetch(sql, *query.postgresql.values(values))
        await driver.execute("RESET plan_cache_mode")
        return _rows(row[0][0]["Plan"])


def _rows(node: dict[str, Any]) -> float:
    """Read by every scan of a table or an index below this node."""
    own: float = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Relation Name" in node else 0
    loops: float = node["Actual Loops"]
    return own * loops + sum(_rows(child) for child in node.get("Plans", ()))


async def test_a_long_tail_behind_one_that_cannot_go_is_not_even_read(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    """Of one request only the first unsent message is ready; it has a back-off here."""
    await add(store, 1, POLICE)
    alone = await cost(store)
    await pile(store, MANY, POLICE, one_request=True, due=micros(NOW + MINUTE))
    assert await cost(store) <= alone * 1.5 + 40
    assert await dispatcher(ctx, wire).once() == 1
    advance(ctx, MINUTE)
    for sent in (2, 3, 4):  # one after the other, in their order
        assert await dispatcher(ctx, wire).once() == 1
        assert len(wire.sent) == sent
    assert await store.backlog() == MANY - 3


async def test_places_are_shared_by_receivers_and_what_one_does_not_need_goes_to_the_others(
    ctx: Context, store: SqlStore
) -> None:
    receivers = ["assoc-sn", POLICE, GRID, "dept-tax"]
    for place, (receiver, count) in enumerate(zip(receivers, (300, 300, 5, 40), strict=True)):
        await add(store, 1 + place * 1000, receiver, count=count)
    rows = await store.lease_outbox("w", NOW, MINUTE, 200)
    assert Counter(row.routing_key for row in rows) == {
        key("assoc-sn"): 78, key(POLICE): 77, key(GRID): 5, key("dept-tax"): 40,
    }  # fmt: skip


async def test_with_more_receivers_than_places_each_has_its_turn(store: SqlStore) -> None:
    for n in range(30):
        await add(store, 1 + n * 10, f"grid-{n:06d}", count=2)
    first = [await store.lease_outbox("w", NOW, MINUTE, 7) for _ in range(5)]
    assert {row.routing_key for rows in first for row in rows} == {key(f"grid-{n:06d}") for n in range(30)}


async def test_a_flood_of_urgent_ones_leaves_places_for_normal_ones_and_takes_all_when_there_are_none(
    store: SqlStore,
) -> None:
    await add(store, 1, POLICE, "urgent", count=100)
    await add(store, 1000, GRID, count=100)
    rows = await store.lease_outbox("w", NOW, MINUTE, 40)
    assert [row.routing_key for row in rows] == [key(POLICE, "urgent")] * 30 + [key(GRID)] * 10
    await add(store, 2000, GRID, "urgent", count=100)
    rows = await store.lease_outbox("w", NOW, MINUTE, 40)
    assert Counter(row.routing_key for row in rows) == {
        key(POLICE, "urgent"): 15, key(GRID, "urgent"): 15, key(GRID): 10,
    }  # fmt: skip


async def test_what_is_sent_again_waits_its_turn_too(ctx: Context, store: SqlStore, wire: Wire) -> None:
    await add(store, 1, POLICE, count=100)
    while await dispatcher(ctx, wire).once():
        pass
    await write(store, Changes(outbox_again=[(COURT, f"message-{n}") for n in range(1, 101)]))
    await add(store, 1000, GRID, count=3)
    rows = await store.lease_outbox("w", NOW, MINUTE, 10)
    assert Counter(row.routing_key for row in rows) == {key(POLICE): 7, key(GRID): 3}


# A queue that takes nothing.

REFUSALS: list[tuple[LianzhiError, str]] = [
    (RefusedError("nack"), "queue-full"),
    (UnroutableError("x"), "queue-missing"),
]


@pytest.mark.parametrize(("error", "reason"), REFUSALS, ids=[reason for _, reason in REFUSALS])
async def test_a_queue_that_takes_nothing_pauses_alone_and_opens_by_itself(
    ctx: Context, store: SqlStore, wire: Wire, error: LianzhiError, reason: str
) -> None:
    wire.answers[FULL] = error
    await add(store, 1, POLICE, count=1000)
    await add(store, 2000, GRID, count=3)
    await add(store, 3000, POLICE, "urgent")
    work = dispatcher(ctx, wire)
    assert await work.once() == ctx.settings.dispatch_batch
    assert Counter(wire.routes()) == {f"{GRID}.normal": 3, f"{POLICE}.urgent": 1}
    assert await told(ctx) == [("incident", f"{reason}:{POLICE}")]
    assert (await store.counts())["paused"] == {f"{FULL}|{reason}": 1}
    tried = len(wire.tried)
    for _ in range(5):
        assert await work.once() == 0  # nobody tries its rows meanwhile
    await add(store, 4000, GRID, count=300)
    await add(store, 5000, POLICE, "urgent")
    while await work.once():
        pass
    assert Counter(wire.routes()) == {f"{GRID}.normal": 303, f"{POLICE}.urgent": 2}
    tried += 301
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):  # one message after each wait
        advance(ctx, timedelta(seconds=wait) - timedelta(microseconds=1))
        assert await work.once() == 0
        advance(ctx, timedelta(microseconds=1))
        assert await work.once() == 1
        tried += 1
        assert len(wire.tried) == tried
    del wire.answers[FULL]
    advance(ctx, MINUTE)
    while await work.once():
        pass
    assert wire.routes().count(FULL) == 1000
    assert await told(ctx) == [("incident", f"{reason}:{POLICE}"), ("recovered", f"{reason}:{POLICE}")]
    assert (await store.counts())["paused"] == {}
    assert await store.backlog() == 0


async def test_a_queue_with_room_for_a_few_is_fed_with_few_refusals_and_told_once(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    """A partner that takes ten a second from its full queue."""
    wire.answers[FULL] = RefusedError("nack")
    await add(store, 1, POLICE, count=400)
    work = dispatcher(ctx, wire)
    await work.once()
    before = len(wire.tried)
    for _ in range(60):
        advance(ctx, SECOND)
        wire.room[FULL] = 10
        while await work.once():
            pass
    assert wire.routes().count(FULL) == 400
    refused = len(wire.tried) - before - 400
    assert refused < 400
    assert await told(ctx) == [("incident", f"queue-full:{POLICE}"), ("recovered", f"queue-full:{POLICE}")]


async def test_every_process_honours_a_pause_and_only_one_of_them_tries(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    wire.answers[FULL] = RefusedError("nack")
    await add(store, 1, POLICE, count=500)
    await dispatcher(ctx, wire).once()
    assert await store.lease_outbox("other", NOW, MINUTE, 100) == []
    first = await store.lease_outbox("one", NOW + SECOND, MINUTE, 100)
    assert [row.trial for row in first] == [True]
    assert await store.lease_outbox("other", NOW + SECOND, MINUTE, 100) == []
    then = await store.lease_outbox("other", NOW + SECOND + MINUTE, MINUTE, 100)  # the first one died
    assert len(then) == 1
    assert then[0].message_id != first[0].message_id, "one message is no measure of the whole queue"


async def test_what_is_refused_by_a_channel_alone_pauses_nobody(ctx: Context, store: SqlStore) -> None:
    """A young channel is refused for ever when a queue's leader moves; the publisher takes another one."""

    class Moved(Wire):
        async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
            self.tried.append(routing_key)
            if len(self.tried) <= 20:
                raise RefusedError("nack")
            self.sent.append(routing_key)

    await add(store, 1, POLICE, count=20)
    work = dispatcher(ctx, wire := Moved())
    assert await work.once() == 20
    assert len(wire.sent) == 1
    assert await work.once() == 19
    assert len(wire.sent) == 20
    assert await told(ctx) == []


async def test_a_queue_that_does_not_answer_is_told_from_a_broker_that_does_not(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    wire.answers[FULL] = UnansweredError("timeout")
    await add(store, 1, POLICE, count=2)
    await dispatcher(ctx, wire).once()
    assert await told(ctx) == []
    advance(ctx, MINUTE)
    await add(store, 10, GRID)
    await dispatcher(ctx, wire).once()
    assert await told(ctx) == [("incident", f"queue-silent:{POLICE}")]


async def test_a_row_says_why_it_waits(ctx: Context, store: SqlStore, wire: Wire) -> None:
    wire.answers[FULL] = RefusedError("nack")
    await add(store, 1, POLICE, count=3)
    await dispatcher(ctx, wire).once()
    async with store.database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT state, reason FROM outbox")).all()
    assert set(rows) == {("ready", "queue-full")}


async def test_a_message_larger_than_the_broker_takes_is_parked_and_told_and_holds_up_its_request_alone(
    ctx: Context, store: SqlStore, wire: Wire
) -> None:
    wire.answers[FULL] = OversizeError(2_000_000, 1_000_000)
    changes = sendable(1, receiver=POLICE, routing_key=key(POLICE), verb="open")
    for request in changes.new_requests:
        request.asker, request.asked, request.type = HOME, POLICE, "police.person-locate.request"
    changes.messages.append(message(2, request_no=number(1), seqno=2, verb="urge"))
    changes.outbox.append(outbox(2, request_no=number(1), seqno=2, verb="urge", routing_key=key(POLICE)))
    await write(store, changes)
    await add(store, 10, GRID)
    work = dispatcher(ctx, wire)
    assert await work.once() == 2
    assert wire.routes() == [f"{GRID}.normal"]
    found = await store.request(number(1))
    assert found is not None and (found.state, found.reason) == ("undeliverable", "message-too-large")
    assert ("incident", "message-too-large:open:2000000:1000000") in await told(ctx)
    assert (await store.counts())["outbox"] == {"parked": 1, "waiting": 1}
    assert (await store.counts())["paused"] == {}
    advance(ctx, timedelta(days=1))
    assert await work.once() == 0
