"""The outbox on both databases: nothing is sent twice by two workers, nothing overtakes, nothing waits for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.records import Changes, FailedMessage, LeasedMessage
from gateway.store import SqlStore
from tests.contract.samples import COURT, MINUTE, NOW, POLICE, message, number, outbox, request, sendable, timer, write
from tests.eventually import eventually

TERM = timedelta(seconds=30)


async def lease(store: SqlStore, owner: str = "w1", *, minutes: float = 0, limit: int = 100) -> list[LeasedMessage]:
    return await store.lease_outbox(owner, NOW + minutes * MINUTE, TERM, limit)


async def mark_sent(store: SqlStore, rows: list[LeasedMessage], owner: str = "w1") -> list[str]:
    async with store.begin() as unit:
        return [row.message_id for row in await unit.mark_sent([r.row_id for r in rows], owner)]


async def fail(store: SqlStore, row: LeasedMessage, owner: str = "w1", *, minutes: float, park: bool = False) -> None:
    async with store.begin() as unit:
        await unit.mark_failed([FailedMessage(row.row_id, NOW + minutes * MINUTE, "unroutable", park)], owner)


def ids(rows: list[LeasedMessage]) -> list[str]:
    return [row.message_id for row in rows]


def later(n: int, seqno: int, **row: Any) -> Changes:
    """Another message of request 1."""
    return Changes(
        messages=[message(n, request_no=number(1), seqno=seqno)],
        outbox=[outbox(n, request_no=number(1), seqno=seqno, **row)],
    )


async def test_a_lease_holds_the_stored_bytes_and_where_they_go(store: SqlStore) -> None:
    await write(store, sendable(1))
    [row] = await lease(store)
    assert row == LeasedMessage(
        row.row_id,
        COURT,
        "message-1",
        number(1),
        "open",
        f"{POLICE}.urgent.police.vehicle-info.query.open",
        f"{POLICE}.urgent",
        b"head.body1.signature~disclosure1~",
        0,
    )


async def test_a_destroyed_disclosure_leaves_the_signed_part(store: SqlStore) -> None:
    changes = sendable(1)
    changes.messages[0].disclosure = None
    await write(store, changes)
    assert (await lease(store))[0].body == b"head.body1.signature~"


async def test_rows_come_oldest_first_and_no_more_than_asked(store: SqlStore) -> None:
    await write(store, sendable(3))
    await write(store, sendable(1, 2))
    assert ids(await lease(store, limit=2)) == ["message-3", "message-1"]
    assert ids(await lease(store, limit=2)) == ["message-2"]


@pytest.mark.parametrize("minutes", [-180, -60, -0.5, 0, 60])
async def test_a_first_try_depends_on_no_clock(store: SqlStore, minutes: float) -> None:
    await write(store, sendable(1))
    assert ids(await lease(store, minutes=minutes)) == ["message-1"]


@pytest.mark.parametrize("minutes", [-180, -60])
async def test_a_wait_that_a_clock_ahead_gave_is_over_when_it_is_put_right(store: SqlStore, minutes: float) -> None:
    """A back-off, the longest one, and the lease of somebody who is gone; and what was accepted since goes too."""
    await write(store, sendable(1, 2, 3))
    first, second, _ = await lease(store, "w1")
    await fail(store, first, "w1", minutes=0.1)
    await fail(store, second, "w1", minutes=5)
    await write(store, sendable(4))
    assert ids(await lease(store, "w2", minutes=minutes)) == [f"message-{n}" for n in (1, 2, 3, 4)]
    assert await lease(store, "w2", minutes=minutes) == []


@pytest.mark.parametrize("minutes", [-0.5, 0])
async def test_a_wait_that_is_no_longer_than_its_own_is_kept(store: SqlStore, minutes: float) -> None:
    await write(store, sendable(1))
    [row] = await lease(store)
    await fail(store, row, minutes=4)
    assert await lease(store, minutes=minutes) == []
    assert ids(await lease(store, minutes=4)) == ["message-1"]


async def test_what_our_own_code_failed_over_waits_as_long_as_that_takes(store: SqlStore) -> None:
    await write(store, sendable(1))
    [row] = await lease(store)
    async with store.begin() as unit:
        await unit.mark_failed([FailedMessage(row.row_id, NOW + 60 * MINUTE, "fault")], "w1")
    assert await lease(store) == []
    assert ids(await lease(store, minutes=-10)) == ["message-1"]


async def test_what_was_tried_goes_before_younger_ones(store: SqlStore) -> None:
    await write(store, sendable(1))
    [row] = await lease(store)
    await fail(store, row, minutes=0)
    await write(store, sendable(2, 3))
    assert ids(await lease(store, limit=2)) == ["message-1", "message-2"]


async def test_messages_outside_any_request_are_sent_too(store: SqlStore) -> None:
    outside = {"request_no": None, "seqno": None}
    await write(
        store,
        Changes(
            messages=[message(n, **outside) for n in (1, 2)],
            outbox=[outbox(n, **outside) for n in (1, 2)],
        ),
    )
    rows = await lease(store)
    assert ids(rows) == ["message-1", "message-2"]
    assert await mark_sent(store, rows) == ["message-1", "message-2"]


async def test_no_message_overtakes_an_earlier_unsent_one_of_its_request(store: SqlStore) -> None:
    await write(store, sendable(1, 9))
    await write(store, later(2, 2))
    first = await lease(store)
    assert ids(first) == ["message-1", "message-9"]
    assert await mark_sent(store, [first[1]]) == ["message-9"]
    assert await lease(store) == []
    await fail(store, first[0], minutes=5)
    assert await lease(store, minutes=4.9) == []
    [again] = await lease(store, minutes=5)
    assert again.message_id == "message-1"
    await fail(store, again, minutes=5, park=True)
    assert await lease(store, minutes=60) == []
    await write(store, Changes(outbox_again=[(COURT, "message-1")]))
    assert await mark_sent(store, await lease(store, minutes=60)) == ["message-1"]
    assert ids(await lease(store, minutes=60)) == ["message-2"]


async def test_a_cancelled_message_holds_nobody_up(store: SqlStore) -> None:
    await write(store, sendable(1))
    await write(store, Changes(outbox_cancel=[number(1)]))
    await write(store, later(2, 2))
    assert ids(await lease(store)) == ["message-2"]


async def test_only_a_withdrawal_overtakes(store: SqlStore) -> None:
    await write(store, sendable(1))
    await lease(store)
    await write(store, later(2, 2, verb="withdraw", overtakes=True))
    await write(store, later(3, 3))
    [withdrawal] = await lease(store)
    assert withdrawal.verb == "withdraw"


async def test_the_other_side_of_a_request_counts_for_itself(store: SqlStore) -> None:
    """Between two participants that we sign for, each has its own seqno."""
    await write(store, sendable(1))
    reply = message(2, sender=POLICE, request_no=number(1), seqno=5)
    await write(store, Changes(messages=[reply], outbox=[outbox(2, sender=POLICE, request_no=number(1), seqno=5)]))
    assert ids(await lease(store)) == ["message-1", "message-2"]


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_owner_no_longer_decides(store: SqlStore) -> None:
    await write(store, sendable(1))
    [first] = await lease(store, "w1")
    assert await lease(store, "w2", minutes=0.49) == []
    [second] = await lease(store, "w2", minutes=0.5)
    assert (second.row_id, second.attempts) == (first.row_id, 1)
    assert await mark_sent(store, [first], "w1") == []
    await fail(store, first, "w1", minutes=0, park=True)
    assert await mark_sent(store, [second], "w2") == ["message-1"]
    assert await mark_sent(store, [second], "w2") == []
    assert await lease(store, minutes=60) == []


async def test_sent_rows_come_back_as_they_stand_in_the_order_asked(store: SqlStore) -> None:
    await write(store, sendable(1, 2, 3))
    rows = await lease(store)
    async with store.begin() as unit:
        sent = await unit.mark_sent([rows[2].row_id, 10_000, rows[0].row_id], "w1")
        assert await unit.mark_sent([], "w1") == []
    assert [row.message_id for row in sent] == ["message-3", "message-1"]
    assert (sent[0].state, sent[0].attempts, sent[0].request_no, sent[0].verb) == ("sent", 1, number(3), "open")


async def test_a_failed_row_keeps_its_reason_and_waits(store: SqlStore) -> None:
    await write(store, sendable(1))
    [row] = await lease(store)
    await fail(store, row, minutes=2)
    assert await lease(store, minutes=1.9) == []
    [row] = await lease(store, minutes=2)
    assert row.attempts == 1
    async with store.begin() as unit:
        [sent] = await unit.mark_sent([row.row_id], "w1")
    assert sent.reason == "unroutable"


async def test_a_message_sent_again_has_new_attempts_but_was_attempted(store: SqlStore) -> None:
    await write(store, sendable(1, 2))
    for minutes in (0, 1, 2):
        rows = await lease(store, minutes=minutes)
    assert [row.attempts for row in rows] == [2, 2]
    await mark_sent(store, [rows[0]])
    await write(store, Changes(outbox_again=[(COURT, "message-1"), (COURT, "message-2")]))
    [again] = await lease(store, minutes=2)
    assert (again.message_id, again.attempts) == ("message-1", 1)


async def test_only_what_was_never_attempted_is_cancelled(store: SqlStore) -> None:
    await write(store, sendable(1, 2))
    await lease(store, limit=1)
    async with store.begin() as unit:
        assert [await unit.attempted(number(n)) for n in (1, 2, 3)] == [True, False, False]
        await unit.apply(Changes(outbox_cancel=[number(1), number(2)]))
    assert ids(await lease(store, minutes=1)) == ["message-1"]
    await write(store, Changes(outbox_again=[(COURT, "message-2")]))
    assert await lease(store, minutes=1) == []


async def test_workers_at_once_share_the_rows_without_overlap(store: SqlStore) -> None:
    await write(store, sendable(*range(1, 61)))

    async def worker(name: str) -> list[str]:
        taken: list[str] = []
        while rows := await lease(store, name, limit=7):
            assert await mark_sent(store, rows, name) == ids(rows)
            taken += ids(rows)
        return taken

    taken = [message_id for part in await asyncio.gather(*map(worker, "abcde")) for message_id in part]
    assert sorted(taken) == sorted(f"message-{n}" for n in range(1, 61))


async def test_what_a_unit_asked_about_is_not_leased_while_it_decides(postgres_store: SqlStore) -> None:
    """Otherwise `withdraw` before dispatch and the dispatch itself could both happen."""
    await write(postgres_store, sendable(1, 2))
    async with postgres_store.begin() as unit:
        assert not await unit.attempted(number(1))
        assert ids(await lease(postgres_store)) == ["message-2"]
        await unit.apply(Changes(outbox_cancel=[number(1)]))
    assert await lease(postgres_store) == []


async def test_clocks_at_once_never_take_the_same_timer_nor_wait(postgres_store: SqlStore) -> None:
    await write(
        postgres_store,
        Changes(new_requests=[request(n) for n in (1, 2, 3)], timers=[timer(n) for n in (1, 2, 3)]),
    )
    async with postgres_store.begin() as intake, postgres_store.begin() as one, postgres_store.begin() as two:
        await intake.lock_requests([number(2)])
        assert [t.request_no for t in await one.due_timers(NOW, 1)] == [number(1)]
        assert [t.request_no for t in await two.due_timers(NOW, 10)] == [number(3)]


async def test_units_on_different_requests_do_not_wait_for_each_other(postgres_store: SqlStore) -> None:
    await write(postgres_store, sendable(1, 2))
    async with postgres_store.begin() as one, postgres_store.begin() as two:
        [first] = (await one.lock_requests([number(1)])).values()
        [second] = (await two.lock_requests([number(2)])).values()
        await two.apply(Changes(requests=[second]))
        await one.apply(Changes(requests=[first]))


async def test_marking_as_sent_never_deadlocks_with_a_unit_that_holds_the_request(postgres_store: SqlStore) -> None:
    await write(postgres_store, sendable(1))
    rows = await lease(postgres_store)
    async with postgres_store.begin() as intake:
        await intake.lock_requests([number(1)])
        marking = asyncio.create_task(mark_sent(postgres_store, rows))
        await _until_somebody_waits(postgres_store)
        assert await intake.attempted(number(1))
        assert not marking.done()
    assert await marking == ["message-1"]


async def _until_somebody_waits(store: SqlStore) -> None:
    async def waiting() -> bool:
        async with store.database.engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(found.scalar())

    await eventually(waiting)
